"""Thumbnails every 5 s: our whole run against ffmpeg's own fps filter, in CPU seconds."""

from __future__ import annotations

import resource
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from encoder.ffmpeg import command
from encoder.ffmpeg.launcher import Launcher, Leash
from encoder.ffmpeg.plan import decide
from encoder.ffmpeg.probe import survey
from tests.bench.measure import median, row
from tests.lab.facts import ABLE, spec
from tests.lab.media import PUBLIC, bench_clip, clip, ffmpeg_binary, made

_CLIP = "counting_300s_320x240.mp4"
_OF_A_ROW = ("-stream_loop", "24", "-i")  # five minutes of twelve seconds


async def run(times: str = "3") -> None:
    """`times`: how often each is run, in turn; what takes less than a second eight times as often."""
    public = PUBLIC / _CLIP
    small = public if public.exists() else clip(seconds=300, size="320x240", rate="24", name="long.mp4")
    film = made("film.mp4", *_OF_A_ROW, str(bench_clip()), "-map", "0:v:0", "-c", "copy")
    sparse = ("-c:v", "libx264", "-preset", "ultrafast", "-g", "300", "-keyint_min", "300")
    await _compared("320x240, keyframes 10 s apart", small, 8 * int(times))
    await _compared("1080p, keyframes 1.6 s apart", film, int(times))
    await _compared("1080p, keyframes 10 s apart", made("rare.mp4", "-i", str(film), *sparse), int(times))


async def _compared(what: str, source: Path, times: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ours, told = await _ours(source, folder)
        (folder / "theirs").mkdir()
        plain = ["-i", str(source), "-vf", "fps=1/5:round=up,scale=160:-2", "-q:v", "3", f"{folder}/theirs/%05d.jpg"]
        costs = [(_cpu_seconds(ours, source), _cpu_seconds(plain, source)) for _ in range(times)]
        counts = [len(list((folder / each).iterdir())) for each in ("out-0", "theirs")]
    row(f"{what}: ours", f"{median([one for one, _ in costs]):.2f} CPU s", f"{counts[0]} pictures. {told}")
    row(f"{what}: fps filter", f"{median([other for _, other in costs]):.2f} CPU s", f"{counts[1]} pictures")
    row(f"{what}: ratio", f"{median([one / other for one, other in costs]):.2f}", "aim at most 1.0")


async def _ours(source: Path, folder: Path) -> tuple[list[str], str]:
    """Our command, and what its plan says of the decode."""
    launcher = Launcher(binary=Path(ffmpeg_binary()))
    found = await survey(launcher, source, folder=folder, leash=Leash(), entries=True)
    asked = {0: spec("thumbnails", thumbnails={"every": 5, "width": 160})}
    plan = decide(found.media, asked, ABLE, None, found.entries)
    (folder / "out-0").mkdir()
    told = next(note.message for note in plan.outputs[0].reasons if note.code.startswith("decoded"))
    return command.build(plan, plan.passes[0], files={0: folder / "out-0"}), told


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
