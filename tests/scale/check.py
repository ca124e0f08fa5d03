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
ERROR = 0.2  # of the time, that the simulator may be off


async def run() -> str:
    """A table: what was measured, what was simulated, and their ratio."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        source = folder / "film.mkv"
        shutil.copy(costs.indexed("bbb_720p30.ts"), source)
        known = await _trace(source, folder)
        async with (
            Postgres(folder / "db").running() as dsn,
            platform.running(
                dsn, folder, workers=WORKERS,
                ENCODER_CPUS="1", ENCODER_LEASE_SECONDS="60", ENCODER_LOG_LEVEL="warning",
            ) as lab,
        ):  # fmt: skip
            rows = [await _compared(lab, source, known, films) for films in (1, FILMS)]
    heads = ("", "measured", "simulated", "measured over simulated")
    return f"{machine()}\n\n{table(heads, rows)}"


async def _trace(source: Path, folder: Path) -> Trace:
    """What the film costs on one of two cores while the other one does the same."""
    output = spec(str(OUTPUT["preset"]), **{key: value for key, value in OUTPUT.items() if key != "preset"})
    homes = [folder / f"trial-{number}" for number in range(WORKERS)]
    for home in homes:
        home.mkdir()
    before = await costs.around()
    runs = [await costs.Trial.of(source, output, home, threads=1) for home in homes]
    with costs.Watch() as watch:
        await asyncio.gather(*(each.encode() for each in runs))
        encode = watch.lap()
        await asyncio.gather(*(each.prove() for each in runs))
        proof = watch.lap()
    return Trace(
        name="film",
        stretches=(encode.cpu_s / WORKERS / SECONDS,),
        busy_cores=1.0,
        proof_cpu_s=proof.cpu_s / WORKERS / SECONDS,
        proof_cores=1.0,
        **before,
    )


async def _compared(lab: platform.Platform, source: Path, known: Trace, films: int) -> tuple[str, ...]:
    begun = time.monotonic()
    jobs = [await lab.submit(_job(lab.folder, source, number)) for number in range(films)]
    for job in jobs:
        done = await lab.ended(job, within_s=600)
        assert done["status"] == "completed", done
    real_s = time.monotonic() - begun
    size = source.stat().st_size
    film = Film(seconds=SECONDS, trace=known, cores=1.0, source_bps=size * 8 / SECONDS, output_bps=1e6)
    told = Simulation(fleet=Fleet(workers=WORKERS, each_bps=5e8)).run([(0.0, film)] * films)
    return (
        f"{films} films of {SECONDS:.0f} s, whole, on {WORKERS} workers",
        f"{real_s:.1f} s",
        f"{told.ended_at_s:.1f} s",
        f"{real_s / told.ended_at_s:.2f}",
    )


def _job(folder: Path, source: Path, number: int) -> dict[str, Json]:
    return {
        "source": {"kind": "file", "path": str(source)},
        "outputs": [OUTPUT | {"destination": {"kind": "file", "path": str(folder / f"out-{number}.mp4")}}],
    }
