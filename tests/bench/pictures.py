"""Thumbnails every 5 s of a five-minute clip: our whole run against ffmpeg's own fps filter, in CPU seconds."""

from __future__ import annotations

import resource
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from encoder.ffmpeg import command
from encoder.ffmpeg.launcher import Launcher, Leash
from encoder.ffmpeg.plan import decide
from encoder.ffmpeg.probe import inspect
from tests.bench.measure import median, row
from tests.lab.facts import ABLE, spec
from tests.lab.media import PUBLIC, clip, ffmpeg_binary

_CLIP = "counting_300s_320x240.mp4"


async def run(times: str = "5") -> None:
    """`times`: how often each is run, in turn."""
    public = PUBLIC / _CLIP
    source = public if public.exists() else clip(seconds=300, size="320x240", rate="24", name="long.mp4")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ours = await _ours(source, folder)
        (folder / "theirs").mkdir()
        plain = ["-i", str(source), "-vf", "fps=1/5:round=up,scale=160:-2", "-q:v", "3", f"{folder}/theirs/%05d.jpg"]
        costs = [(_cpu_seconds(ours, source), _cpu_seconds(plain, source)) for _ in range(int(times))]
        counts = [len(list((folder / made).iterdir())) for made in ("out-0", "theirs")]
    row("thumbnails every 5 s: ours", f"{median([one for one, _ in costs]):.2f} CPU s", f"{counts[0]} pictures")
    row(
        "thumbnails every 5 s: fps filter",
        f"{median([other for _, other in costs]):.2f} CPU s",
        f"{counts[1]} pictures",
    )
    row("thumbnails: ratio", f"{median([one / other for one, other in costs]):.2f}", "aim at most 1.0")


async def _ours(source: Path, folder: Path) -> list[str]:
    media = await inspect(Launcher(binary=Path(ffmpeg_binary())), source, folder=folder, leash=Leash())
    plan = decide(media, {0: spec("thumbnails", thumbnails={"every": 5, "width": 160})}, ABLE)
    (folder / "out-0").mkdir()
    return command.build(plan, plan.passes[0], files={0: folder / "out-0"})


def _cpu_seconds(args: Sequence[str], source: Path) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with source.open("rb") as file:
        spelled = [
            str(file.fileno()) if arg == "3" and args[place - 1] == "-fd" else arg for place, arg in enumerate(args)
        ]
        subprocess.run(
            [ffmpeg_binary(), "-v", "error", "-nostdin", "-y", *spelled],
            check=True, pass_fds=[file.fileno()], stderr=subprocess.DEVNULL,
        )  # fmt: skip
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
