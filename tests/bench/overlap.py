"""A job whose source comes at 20 MB/s: begun while it arrives, against begun when it is there."""

from __future__ import annotations

import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from encoder.embedded.postgres import Postgres
from tests.bench.measure import median, row
from tests.lab import platform
from tests.lab.media import ffmpeg_binary
from tests.lab.throttled import Throttled, serving

RATE_BYTES_S = 20_000_000
FORMS = {"index last": (), "index first": ("-movflags", "+faststart")}
OUTPUT = {"preset": "h264", "width": 1280, "height": 720}


async def run(rounds: str = "3", seconds: str = "60") -> None:
    """`rounds` in turn, of a source of so many `seconds`."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        async with (
            Postgres(folder / "db").running() as dsn,
            platform.running(dsn, folder, ENCODER_LEASE_SECONDS="60", ENCODER_LOG_LEVEL="warning") as lab,
        ):
            for form, options in FORMS.items():
                source = _made(folder / f"{form.replace(' ', '-')}.mov", int(seconds), *options)
                async with serving(source, rate_bytes_s=RATE_BYTES_S) as served:
                    await _measure(lab, served, form, int(rounds))


def _made(path: Path, seconds: int, *options: str) -> Path:
    """A large file that is quickly decoded: of a camera, or a cutting room."""
    picture = f"testsrc2=d={seconds}:s=1280x720:r=30,noise=alls=24:allf=t,format=yuvj420p"
    subprocess.run(
        [
            ffmpeg_binary(), "-v", "error", "-nostdin", "-f", "lavfi", "-i", picture,
            "-f", "lavfi", "-i", f"sine=d={seconds}:r=48000", "-c:v", "mjpeg", "-q:v", "3", "-c:a", "aac",
            *options, str(path),
        ],
        check=True,
    )  # fmt: skip
    return path


async def _measure(lab: platform.Platform, served: Throttled, form: str, rounds: int) -> None:
    overlapped, after, done = list[float](), list[float](), dict[str, Any]()
    for _ in range(rounds):
        seconds, done = await _timed(lab, served, OUTPUT)
        overlapped.append(seconds)
        after.append((await _timed(lab, served, OUTPUT | {"chunked": False}))[0])
    size = served.path.stat().st_size
    row(f"{form}: the source alone", f"{size / RATE_BYTES_S:.1f} s", f"{size / 1e6:.0f} MB")
    row(f"{form}: overlapped", f"{median(overlapped):.1f} s")
    row(f"{form}: fetched, then encoded", f"{median(after):.1f} s")
    ratio = median([one / other for one, other in zip(overlapped, after, strict=True)])  # of neighbours
    row(f"{form}: ratio", f"{ratio:.3f}", "aim at most 0.75")
    timings = done["outputs"][0]["timings"]
    row("  of the last", " ".join(f"{stage} {took:.2f}" for stage, took in timings.items() if took is not None))
    reasons = [note["message"] for note in done["outputs"][0]["plan"]["reasons"] if "overlapped" in note["code"]]
    row("  it says", "", " ".join(reasons))


async def _timed(lab: platform.Platform, served: Throttled, output: dict[str, Any]) -> tuple[float, dict[str, Any]]:
    begun = time.monotonic()
    job_id = await lab.submit({"source": {"kind": "http", "url": served.url}, "outputs": [output]})
    done = await lab.ended(job_id, within_s=600)
    assert done["status"] == "completed", done
    return time.monotonic() - begun, done
