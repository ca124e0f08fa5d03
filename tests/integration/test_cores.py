"""ffmpeg runs as many threads as it is told: in a container it would start as many as the host has cores."""

from __future__ import annotations

import asyncio
from pathlib import Path

from encoder.ffmpeg.launcher import Launcher, Leash, Limits
from tests.lab.media import clip, ffmpeg_binary


async def _most_threads(launcher: Launcher, folder: Path, source: Path) -> int:
    """Seen while the source is decoded and blurred."""
    leash, most = Leash(), 0
    args = ("-readrate", "4", "-i", str(source), "-filter_complex", "[0:v]gblur[v]", "-map", "[v]", "-f", "null", "-")
    running = asyncio.create_task(
        launcher.run(args, folder=folder, leash=leash, limits=Limits(wall_seconds=60), source=source)
    )
    while not running.done():
        for child in list(leash._children):
            tasks = Path(f"/proc/{child.pid}/task")
            most = max(most, len(list(tasks.iterdir())) if tasks.exists() else 0)
        await asyncio.sleep(0.01)
    assert (await running).code == 0
    return most


async def test_decoder_and_filters_have_as_many_threads_as_they_are_told(tmp_path: Path) -> None:
    source = clip(seconds=2, size="640x360", name="cores.mp4")
    one = await _most_threads(Launcher(binary=Path(ffmpeg_binary()), readable=[source], threads=1), tmp_path, source)
    many = await _most_threads(Launcher(binary=Path(ffmpeg_binary()), readable=[source], threads=9), tmp_path, source)
    assert many - one >= 16  # eight more of the decoder, eight more of the graph
