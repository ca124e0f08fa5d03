"""Whole jobs against the same ffmpeg command run by hand; one decode for two outputs against two runs."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

from encoder.embedded.postgres import Postgres
from tests.bench.measure import median, row
from tests.lab import platform
from tests.lab.media import bench_clip, ffmpeg_binary

ROUNDS = 5
ONE = ({"preset": "h264"},)
TWO = ({"preset": "h264", "width": 1280, "height": 720}, {"preset": "h264", "width": 640, "height": 360})


async def run() -> None:
    clip = bench_clip()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        source = folder / "in.mp4"
        shutil.copy(clip, source)
        async with (
            Postgres(folder / "db").running() as dsn,
            platform.running(dsn, folder, ENCODER_LEASE_SECONDS="60", ENCODER_LOG_LEVEL="warning") as lab,
        ):
            await _overhead(lab, source)
            await _sharing(lab, source)


async def _overhead(lab: platform.Platform, source: Path) -> None:
    job, by_hand = [], []
    for _ in range(ROUNDS):
        seconds, done = await _timed(lab, source, ONE)
        job.append(seconds)
        by_hand.append(await _by_hand(done["outputs"][0]["command"], source, lab.folder))
    ratio = median([one / other for one, other in zip(job, by_hand, strict=True)])  # of neighbours: machines drift
    row("one output: job (submit to completed)", f"{median(job):.2f} s")
    row("one output: the same ffmpeg command by hand", f"{median(by_hand):.2f} s")
    extra_ms = median([one - 1.03 * other for one, other in zip(job, by_hand, strict=True)]) * 1000
    row("one output: ratio", f"{ratio:.3f}", f"beyond 1.03 x: {extra_ms:+.0f} ms (aim at most 150)")
    row("  of it", _timings(done), "last round")


async def _sharing(lab: platform.Platform, source: Path) -> None:
    together, apart = [], []
    for _ in range(ROUNDS):
        together.append((await _timed(lab, source, TWO))[0])
        apart.append(sum([(await _timed(lab, source, (output,)))[0] for output in TWO]))
    row("two outputs in one job", f"{median(together):.2f} s")
    row("two jobs, one after the other", f"{median(apart):.2f} s")
    ratio = median([one / other for one, other in zip(together, apart, strict=True)])
    row("two outputs: ratio", f"{ratio:.3f}", "aim at most 0.85")


async def _timed(lab: platform.Platform, source: Path, outputs: tuple[Any, ...]) -> tuple[float, dict[str, Any]]:
    wanted = [
        output | {"destination": {"kind": "file", "path": str(lab.folder / f"result-{index}.mp4")}}
        for index, output in enumerate(outputs)
    ]
    begun = time.monotonic()
    job_id = await lab.submit({"source": {"kind": "file", "path": str(source)}, "outputs": wanted})
    done = await lab.ended(job_id, within_s=600)
    assert done["status"] == "completed", done
    return time.monotonic() - begun, done


async def _by_hand(shown: list[str], source: Path, folder: Path) -> float:
    """Seconds that the command shown by the job takes on the same source, without us."""
    begun = time.monotonic()
    process = await asyncio.create_subprocess_exec(
        "bash", "-c", 'exec "$@" 3<"$0"', str(source), ffmpeg_binary(), "-y", *shown[1:],
        cwd=folder, stdin=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    assert await process.wait() == 0, shown
    return time.monotonic() - begun


def _timings(done: dict[str, Any]) -> str:
    timings = done["outputs"][0]["timings"]
    return " ".join(f"{stage} {seconds:.2f}" for stage, seconds in timings.items() if seconds is not None)
