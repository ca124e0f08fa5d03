"""What whole workers ask of the database, idle and busy, and what a statement costs it: `… measure`."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import Any
from uuid import uuid4

from encoder.embedded.postgres import Postgres
from encoder.model.ids import WorkerId
from encoder.model.state import OutputState
from encoder.store.engines import open_store
from encoder.store.rows import Beat
from tests.bench.measure import cpu_s
from tests.lab import platform, work
from tests.lab.databases import ask
from tests.lab.media import public_clip
from tests.lab.platform import Platform
from tests.lab.statements import asked, log
from tests.scale import verbs

SETTLED_S = 65.0
WATCHED_S = 60.0
CLOSED_S = 200.0  # and until the pool has closed what nobody needed for five minutes
ROUNDS = 1000
_SESSIONS = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'encoder%'"
_WARM = 200  # what is prepared is prepared by then
_RHYTHM = {
    "ENCODER_LEASE_SECONDS": "60",
    "ENCODER_PROGRESS_SECONDS": "2",
    "ENCODER_CPUS": "1",
}  # the first two: defaults
_SLOW = {"preset": "av1", "encoderPreset": "2", "videoCodec": "libaom-av1"}


async def watched() -> dict[str, Any]:
    """Statements a second of an idle worker and of one with one slot busy, by name; its connections; and their cost."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        homes = [folder / each for each in ("verbs", "idle", "busy", "cost")]
        for home in homes:
            home.mkdir()
            home.chmod(0o755)
        counted = await _counted(homes[0])
        (idle, connections), busy = await asyncio.gather(_idle(homes[1]), _busy(homes[2]))
        cost = await _cost(homes[3], counted)
    return {"verbs": counted, "idle": idle, "busy": busy, "connections": connections, "cpu_ms": round(cost, 4)}


async def _counted(folder: Path) -> dict[str, int]:
    async with Postgres(folder / "db").running() as dsn:
        return await verbs.counted(dsn)


async def _idle(folder: Path) -> tuple[dict[str, float], int]:
    async with Postgres(folder / "db").running() as dsn:
        lab = Platform(dsn=dsn, folder=folder, extra=_RHYTHM)
        try:
            await log(dsn)
            await lab.start("worker")
            found = await _asked(dsn)
            await asyncio.sleep(CLOSED_S)
            ((connections,),) = await ask(dsn, _SESSIONS)
        finally:
            await lab.stop()
        return found, connections


async def _busy(folder: Path) -> dict[str, float]:
    """The API is gone by then: what it asks is not the worker's."""
    async with Postgres(folder / "db").running() as dsn:
        await log(dsn)
        async with platform.running(dsn, folder, workers=0) as lab:
            lab.extra = _RHYTHM
            await lab.start("worker")
            job = await lab.submit(_job(public_clip("bbb_1080p30_faststart.mp4"), folder, _SLOW))
            await lab.reaches(job, "encoding")
            await lab.roles[0].kill()
            return await _asked(dsn)


def _job(source: Path, folder: Path, output: dict[str, Any]) -> dict[str, Any]:
    copy = folder / source.name
    copy.write_bytes(source.read_bytes())
    return {
        "source": {"kind": "file", "path": str(copy)},
        "outputs": [output | {"destination": {"kind": "file", "path": str(folder / "out.webm")}}],
    }


async def _asked(dsn: str) -> dict[str, float]:
    """Statements a second, by name, once a lease is over: none is rescued before."""
    await asyncio.sleep(SETTLED_S)
    before = len(await asked(dsn))
    await asyncio.sleep(WATCHED_S)
    names = verbs.told((await asked(dsn))[before:])
    return {name: round(count / WATCHED_S, 3) for name, count in sorted(names.items())}


async def _cost(folder: Path, counted: dict[str, int]) -> float:
    async with Postgres(folder / "db").running() as dsn:
        return await _cost_of_statements(dsn, folder / "db" / "data", counted)


async def _cost_of_statements(dsn: str, data: Path, counted: dict[str, int]) -> float:
    """CPU milliseconds of the server for a statement, over the life of a job, again and again."""
    store = await open_store(dsn)
    heart = store.heart()
    statements = 0
    try:
        begun = 0.0
        for number in range(_WARM + ROUNDS):
            if number == _WARM:
                begun, statements = _server_s(data), 0
            await work.enqueue(store)
            claim = await work.claim_one(store)
            await store.load(claim)
            for state in (OutputState.ENCODING, OutputState.VERIFYING, OutputState.UPLOADING, OutputState.UPLOADED):
                await store.mark(claim, [work.change(0, state)])
            held = [Beat(task_id=claim.task_id, epoch=claim.epoch)]
            await heart.beat(WorkerId(uuid4()), held, lease=work.LEASE)
            await store.settle(claim, work.DONE)
            statements += sum(counted[verb] for verb in ("enqueue", "claim", "load", "beat", "settle, whole"))
            statements += 4 * counted["mark"]
        await asyncio.sleep(0.5)
        return (_server_s(data) - begun) * 1000 / statements
    finally:
        await heart.close()
        await store.close()


def _server_s(data: Path) -> float:
    """CPU seconds of the server's processes."""
    head = int((data / "postmaster.pid").read_text().split()[0])
    children = Path(f"/proc/{head}/task/{head}/children").read_text().split()
    return sum(cpu_s(pid) for pid in (head, *map(int, children)))
