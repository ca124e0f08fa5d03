"""F11: nothing of ours goes through a shell, and processes start at few places."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import encoder
from encoder.ffmpeg.formats import DEMUXERS, input_options

PACKAGE = Path(encoder.__file__).parent
SHELLS = {"system", "popen", "create_subprocess_shell", "getoutput", "getstatusoutput"}
SPAWNS = {"Popen", "create_subprocess_exec", "fork", "posix_spawn", "execv", "execve", "spawnv"}
SPAWNING_ROOMS = {"ffmpeg/child.py", "ffmpeg/box.py"}
FORBIDDEN = {
    "hls",
    "dash",
    "concat",
    "sdp",
    "image2",
    "rtsp",
    "tty",
    "imf",
    "webvtt",
    "ass",
    "lavfi",
    "rtp",
    "svg_pipe",
}


def _calls(path: Path) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            function = node.func
            yield (function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")), node


def test_no_code_of_ours_uses_a_shell() -> None:
    for path in PACKAGE.rglob("*.py"):
        for name, call in _calls(path):
            assert name not in SHELLS, f"{path}: {name}"
            assert all(keyword.arg != "shell" for keyword in call.keywords), f"{path}: shell="


def test_ffmpeg_is_started_in_one_room() -> None:
    rooms = {
        str(path.relative_to(PACKAGE))
        for path in PACKAGE.rglob("*.py")
        for name, _ in _calls(path)
        if name in SPAWNS and path.is_relative_to(PACKAGE / "ffmpeg")
    }
    assert rooms == SPAWNING_ROOMS


def test_no_format_that_names_other_files_or_hosts_is_listed() -> None:
    assert not FORBIDDEN & set(DEMUXERS)


def test_the_only_protocol_is_the_open_descriptor() -> None:
    options = input_options()
    assert options[options.index("-protocol_whitelist") + 1] == "fd"
    assert options[-1] == "fd:"
