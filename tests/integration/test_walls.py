"""The walls, with the real ffmpeg. Each attack is first shown to work without them."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from encoder.ffmpeg import box
from encoder.ffmpeg.formats import input_options
from encoder.ffmpeg.launcher import Exit, Launcher, Leash, Limits, Reason, Sandbox
from tests.lab.media import clip, ffmpeg_binary

LIMITS = Limits(wall_seconds=60)
PICTURE = ("-f", "lavfi", "-i", "testsrc2=d=0.2:s=64x64:r=10")
NOWHERE = ("-f", "null", "-")

needs_landlock = pytest.mark.skipif(not box.landlock_abi(), reason="this kernel offers no Landlock")
needs_net_rules = pytest.mark.skipif(box.landlock_abi() < 4, reason="this kernel's Landlock knows no TCP")


@pytest.fixture
def job(tmp_path: Path) -> Path:
    folder = tmp_path / "job"
    folder.mkdir()
    return folder


async def _ran(folder: Path, *args: str, sandbox: Sandbox = Sandbox.AUTO, source: Path | None = None) -> Exit:
    launcher = Launcher(binary=Path(ffmpeg_binary()), sandbox=sandbox)
    return await launcher.run(("-y", *args), folder=folder, leash=Leash(), limits=LIMITS, source=source)


async def test_a_normal_encode_passes_all_walls(job: Path) -> None:
    ended = await _ran(
        job, *input_options(), "-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac", "-movflags", "+faststart",
        "-f", "mp4", f"file:{job}/out.mp4", source=clip(),
    )  # fmt: skip
    assert ended.reason is Reason.OK, ended.log
    assert ended.ended
    assert (job / "out.mp4").stat().st_size > 1000
    assert (job / "out.mp4").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("encoder", ["libx265", "libsvtav1", "libvpx-vp9", "libaom-av1"])
async def test_each_encoder_starts_inside(job: Path, encoder: str) -> None:
    ended = await _ran(job, *PICTURE, "-c:v", encoder, "-frames:v", "1", f"file:{job}/out.mkv")
    assert ended.reason is Reason.OK, ended.log


@needs_landlock
async def test_a_neighbours_file_cannot_be_read(tmp_path: Path, job: Path) -> None:
    neighbour = tmp_path / "neighbour.mp4"
    neighbour.write_bytes(clip().read_bytes())
    attack = ("-f", "lavfi", "-i", f"movie={neighbour}", "-frames:v", "1", *NOWHERE)
    assert (await _ran(job, *attack, sandbox=Sandbox.OFF)).reason is Reason.OK
    assert (await _ran(job, *attack)).reason is Reason.ERROR


@needs_landlock
async def test_an_encoder_option_cannot_write_outside_the_folder(tmp_path: Path, job: Path) -> None:
    outside = tmp_path / "dumped.yuv"
    attack = (*PICTURE, "-c:v", "libx264", "-x264-params", f"dump-yuv={outside}", f"file:{job}/out.mp4")
    await _ran(job, *attack, sandbox=Sandbox.OFF)
    assert outside.exists()
    outside.unlink()
    assert (await _ran(job, *attack)).reason is Reason.ERROR
    assert not outside.exists()


@needs_landlock
async def test_a_filter_can_neither_read_nor_write_text_outside_the_folder(tmp_path: Path, job: Path) -> None:
    outside = tmp_path / "words.txt"
    attack = (*PICTURE, "-vf", f"metadata=mode=print:file={outside}", *NOWHERE)
    await _ran(job, *attack, sandbox=Sandbox.OFF)
    assert outside.exists()
    outside.unlink()
    await _ran(job, *attack)
    assert not outside.exists()


@needs_landlock
async def test_an_output_cannot_be_written_outside_the_folder(tmp_path: Path, job: Path) -> None:
    attack = (*PICTURE, "-c:v", "libx264", f"file:{tmp_path}/out.mp4")
    assert (await _ran(job, *attack)).reason is Reason.ERROR
    assert not (tmp_path / "out.mp4").exists()


@needs_landlock
async def test_a_source_is_read_by_its_descriptor_alone(job: Path) -> None:
    """The descriptor was opened before the wall stood; the same file by its name is behind it."""
    by_descriptor = await _ran(job, *input_options(), *NOWHERE, source=clip())
    by_name = await _ran(job, "-i", f"file:{clip()}", *NOWHERE)
    assert (by_descriptor.reason, by_name.reason) == (Reason.OK, Reason.ERROR)


@needs_net_rules
async def test_no_connection_can_be_made(job: Path) -> None:
    async with _listener() as (port, hits):
        attack = ("-timeout", "2000000", "-i", f"http://127.0.0.1:{port}/x.mp4", *NOWHERE)
        await _ran(job, *attack, sandbox=Sandbox.OFF)
        assert hits == ["hit"]
        await _ran(job, *attack)
        assert hits == ["hit"]


@asynccontextmanager
async def _listener() -> AsyncIterator[tuple[int, list[str]]]:
    hits: list[str] = []

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        hits.append("hit")
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1], hits


async def test_a_file_cannot_grow_beyond_its_limit(job: Path) -> None:
    """M4"""
    limits = Limits(wall_seconds=60, file_bytes=100_000)
    ended = await Launcher(binary=Path(ffmpeg_binary())).run(
        ("-f", "lavfi", "-i", "testsrc2=s=640x480:d=60", "-c:v", "rawvideo", f"file:{job}/out.avi"),
        folder=job, leash=Leash(), limits=limits,
    )  # fmt: skip
    assert ended.reason is not Reason.OK
    assert (job / "out.avi").stat().st_size <= 100_000


INSIDE = """
import os, resource, sys
sys.path.insert(0, sys.argv[1])
import box
limits = {"core": 0, "nofile": 99}
named = box.heard(box.words(parent=os.getppid(), limits=limits, write=[sys.argv[2]], landlock=LANDLOCK))
box.harden(named); box.confine(named)
status = dict(line.split(":", 1) for line in open("/proc/self/status")) if not LANDLOCK else {}
print(resource.getrlimit(resource.RLIMIT_NOFILE)[0], resource.getrlimit(resource.RLIMIT_CORE)[1], oct(os.umask(0)))
if not LANDLOCK:
    print(status["NoNewPrivs"].strip(), open("/proc/self/oom_score_adj").read().strip())
for act in ("open('/etc/passwd')", "os.listdir('/')", "os.symlink('/etc', sys.argv[2] + '/link')",
            "open(sys.argv[2] + '/kept', 'w')", "os.kill(os.getppid(), 0)"):
    try:
        eval(act)
        print("may")
    except OSError as error:
        print(type(error).__name__)
"""


def _inside(job: Path, *, landlock: bool) -> list[str]:
    code = INSIDE.replace("LANDLOCK", str(landlock))
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code, str(Path(box.__file__).parent), str(job)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout.splitlines()


def test_limits_rank_and_privileges_are_taken_without_landlock_too(job: Path) -> None:
    assert _inside(job, landlock=False)[:2] == ["99 0 0o77", "1 800"]


@needs_landlock
def test_a_program_inside_sees_its_folder_alone(job: Path) -> None:
    outside, folders, link, own, signal = _inside(job, landlock=True)[1:]
    assert (outside, folders, link, own) == ("PermissionError", "PermissionError", "PermissionError", "may")
    assert signal == ("PermissionError" if box.landlock_abi() >= 6 else "may")


def test_a_box_whose_parent_is_already_gone_does_not_open(tmp_path: Path) -> None:
    command = [sys.executable, "-I", "-S", box.__file__, *box.words(parent=1), "--", "/bin/echo", "alive"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (box.ENTRY_FAILED, "")


def test_a_prober_whose_parent_is_already_gone_has_loaded_nothing_when_it_ends() -> None:
    """One that was frozen while it loaded, by a worker that was killed then, stood still for ever."""
    command = [
        sys.executable,
        "-I",
        "-X",
        "importtime",
        "-m",
        "encoder.ffmpeg.prober",
        *box.words(parent=1),
        "--",
        "{}",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (box.ENTRY_FAILED, "")
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "encoder.ffmpeg.box" in loaded
    assert not {"av", "msgspec", "encoder.ffmpeg.question"} & loaded


def test_the_box_loads_nothing_slow() -> None:
    code = f"import sys; sys.path.insert(0, {str(Path(box.__file__).parent)!r}); import box; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True)
    assert not {"typing", "dataclasses", "enum", "re", "pathlib", "subprocess", "site"} & set(done.stdout.split())
