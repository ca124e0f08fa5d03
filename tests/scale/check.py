"""The same films on two real workers of this machine and in the simulator: how far apart they end."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import time
from pathlib import Path

from encoder.embedded.postgres import Postgres
from encoder.model.base import Json
from tests.bench.page import machine, table
from tests.lab import platform
from tests.lab.facts import spec
from tests.scale import costs
from tests.scale.film import Film
from tests.scale.fleet import Fleet
from tests.scale.simulator import Simulation
from tests.scale.trace import Trace

WORKERS = 2
FILMS = 6
SECONDS = 35.6
OUTPUT: dict[str, Json] = {"preset": "h264", "width": 640, "height": 360}


async def run() -> str:
    """A table: what was measured, what was simulated, and their ratio."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        source = folder / "film.mkv"
        shutil.copy(costs.indexed("bbb_720p30.ts"), source)
        async with (
            Postgres(folder / "db").running() as dsn,
            platform.running(
                dsn, folder, workers=WORKERS,
                ENCODER_CPUS="1", ENCODER_LEASE_SECONDS="60", ENCODER_LOG_LEVEL="warning",
            ) as lab,
        ):  # fmt: skip
            rows = [await _compared(lab, source, films) for films in (WORKERS, FILMS)]
    heads = ("", "measured", "simulated", "measured over simulated")
    return f"{machine()}\n\n{table(heads, rows)}"


async def _trace(source: Path, home: Path) -> Trace:
    """What the film takes on one of two cores while the other one does the same: seconds, for others are at work."""
    output = spec(str(OUTPUT["preset"]), **{key: value for key, value in OUTPUT.items() if key != "preset"})
    homes = [home / str(number) for number in range(WORKERS)]
    for each in homes:
        each.mkdir(parents=True)
    begun = time.monotonic()
    trials = [await costs.Trial.of(source, output, each, threads=1) for each in homes]
    looked = time.monotonic()
    await asyncio.gather(*(each.encode() for each in trials))
    encoded = time.monotonic()
    await asyncio.gather(*(each.prove() for each in trials))
    proven = time.monotonic()
    return Trace(
        name="film",
        stretches=((encoded - looked) / SECONDS,),
        busy_cores=1.0,
        begin_cpu_s=(looked - begun) / WORKERS,
        proof_cpu_s=(proven - encoded) / SECONDS,
        proof_cores=1.0,
    )


async def _compared(lab: platform.Platform, source: Path, films: int) -> tuple[str, ...]:
    """What it takes is measured before and after: machines drift."""
    before = await _simulated(source, lab.folder / f"before-{films}", films)
    begun = time.monotonic()
    jobs = [await lab.submit(_job(lab.folder, source, number)) for number in range(films)]
    for job in jobs:
        done = await lab.ended(job, within_s=900)
        assert done["status"] == "completed", done
    real_s = time.monotonic() - begun
    after = await _simulated(source, lab.folder / f"after-{films}", films)
    told_s = (before + after) / 2
    what = f"{films} films of {SECONDS:.0f} s, whole, on {WORKERS} workers"
    return what, f"{real_s:.1f} s", f"{told_s:.1f} s", f"{real_s / told_s:.2f}"


async def _simulated(source: Path, home: Path, films: int) -> float:
    """Seconds until all have ended."""
    size = source.stat().st_size
    known = await _trace(source, home)
    film = Film(seconds=SECONDS, trace=known, cores=1.0, source_bps=size * 8 / SECONDS, output_bps=1e6)
    fleet = Fleet(workers=WORKERS, each_bps=5e8)
    return Simulation(fleet=fleet).run([(0.0, film)] * films).ended_at_s


def _job(folder: Path, source: Path, number: int) -> dict[str, Json]:
    return {
        "source": {"kind": "file", "path": str(source)},
        "outputs": [OUTPUT | {"destination": {"kind": "file", "path": str(folder / f"out-{number}.mp4")}}],
    }
