"""1,000 live streams of one API process: memory of each, statements a second, and how long an event takes to all.

Each watches a job of its own; another process works on the jobs, as a worker would. The time of an event is
that from the answer to its commit to the first byte of it at the client. `sse:write` puts the table into
docs/why/benchmarks.md.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from encoder.embedded.postgres import Postgres
from encoder.model.ids import JobId, OutputId
from encoder.model.state import OutputState
from encoder.store.postgres import open_store
from encoder.store.postgres.store import PostgresStore
from encoder.store.rows import Claim, OutputChange
from tests.bench.api import answers
from tests.bench.load import HOST, request
from tests.bench.measure import cpu_s, memory_bytes, percentile
from tests.bench.page import machine, table, write
from tests.lab import work
from tests.lab.platform import Platform

CLIENTS = 1000
IDLE_S = 10.0
SETTLED_S = 12.0  # until the server has counted what came before: it does so every ten seconds
EVENTS = {10: 100, 50: 500}  # by how many there are a second
_EVENT = b"event: job.processing"


class _Listener(asyncio.Protocol):
    """One client. `came`: when its job's first event after the beginning did."""

    def __init__(self, job: JobId) -> None:
        self.job = job
        self.begun, self.came = asyncio.Event(), 0.0
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.write(request("GET", f"/jobs/{self.job}/events", Accept="text/event-stream"))

    def data_received(self, data: bytes) -> None:
        if b"event: job.submitted" in data:
            self.begun.set()
        if not self.came and _EVENT in data:
            self.came = time.perf_counter()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Use:
    """What the API process has used until now."""

    at: float
    cpu_s: float
    statements: int

    @classmethod
    async def of(cls, pid: int, db: asyncpg.Connection) -> _Use:
        statements = await db.fetchval("SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()")
        return cls(at=time.perf_counter(), cpu_s=cpu_s(pid), statements=statements)


async def run(*said: str) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        async with Postgres(folder / "db").running() as dsn:
            platform = Platform(dsn=dsn, folder=folder, extra={"ENCODER_LOG_LEVEL": "info"})
            api = await platform.start("api")
            try:
                await answers(platform.port, "/livez")
                rows = await _measured(dsn, platform.port, api.process.pid)
            finally:
                await api.kill()
    told = f"{machine()}\n\n{table(('', f'{CLIENTS:,} streams'), rows)}"
    print(told)
    if "write" in said:
        write("sse", told)


async def _measured(dsn: str, port: int, pid: int) -> Iterable[tuple[str, str]]:
    async with _worker(dsn) as store, _database(dsn) as db:
        for _ in range(CLIENTS):
            await store.enqueue(work.new_job())
        claims = await _claimed(store)
        before = memory_bytes(pid, "VmRSS")
        listeners = await _connected(port, [claim.job_id for claim in claims])
        each = (memory_bytes(pid, "VmRSS") - before) / CLIENTS
        begun = await _Use.of(pid, db)
        await asyncio.sleep(IDLE_S)
        idle = await _Use.of(pid, db)
        delays = {}
        for per_s, count in EVENTS.items():
            mine, claims = claims[:count], claims[count:]
            delays[per_s] = await _events(store, mine, listeners, per_s=per_s)
        busy = await _Use.of(pid, db)
        for listener in listeners.values():
            assert listener.transport is not None
            listener.transport.abort()
    return [
        ("memory of the API process, each, kB", f"{each / 1024:.0f}"),
        ("statements a second while nothing happens", f"{_per_s(begun, idle, idle.statements - begun.statements):.1f}"),
        ("CPU while nothing happens, share of a core", f"{_per_s(begun, idle, idle.cpu_s - begun.cpu_s):.1%}"),
        ("CPU in all, with the events below", f"{_per_s(idle, busy, busy.cpu_s - idle.cpu_s):.1%}"),
        *(
            (f"commit to client at {per_s} a second, p{100 * share:.0f}, ms", f"{1000 * percentile(took, share):.1f}")
            for per_s, took in delays.items()
            for share in (0.5, 0.99)
        ),
    ]


def _per_s(begun: _Use, ended: _Use, used: float) -> float:
    return used / (ended.at - begun.at)


async def _claimed(store: PostgresStore) -> list[Claim]:
    claims: list[Claim] = []
    while len(claims) < CLIENTS:
        claims += await work.claim(store, limit=100)
    return claims


async def _connected(port: int, jobs: Iterable[JobId]) -> dict[JobId, _Listener]:
    listeners = {job: _Listener(job) for job in jobs}
    for listener in listeners.values():
        await asyncio.get_running_loop().create_connection(lambda listener=listener: listener, HOST, port)  # type: ignore[misc]  # bound at once
        await asyncio.wait_for(listener.begun.wait(), 30)
    await asyncio.sleep(SETTLED_S)
    return listeners


async def _events(
    store: PostgresStore, claims: list[Claim], listeners: dict[JobId, _Listener], *, per_s: int
) -> list[float]:
    """How long each took."""
    committed: dict[JobId, float] = {}
    begun = time.perf_counter()
    for number, claim in enumerate(claims):
        await asyncio.sleep(max(0.0, begun + number / per_s - time.perf_counter()))
        await store.mark(claim, [OutputChange(id=OutputId(0), state=OutputState.ENCODING)])
        committed[claim.job_id] = time.perf_counter()
    async with asyncio.timeout(10):
        while not all(listeners[job].came for job in committed):
            await asyncio.sleep(0.01)
    return [listeners[job].came - at for job, at in committed.items()]


@asynccontextmanager
async def _worker(dsn: str) -> AsyncIterator[PostgresStore]:
    """A store that hears hints, as that of a worker."""
    store = await open_store(dsn)
    ear = asyncio.create_task(store.ear().listen(lambda _hint: None))
    try:
        yield store
    finally:
        ear.cancel()
        await asyncio.gather(ear, return_exceptions=True)
        await store.close()


@asynccontextmanager
async def _database(dsn: str) -> AsyncIterator[asyncpg.Connection]:
    db = await asyncpg.connect(dsn)
    try:
        yield db
    finally:
        await db.close()
