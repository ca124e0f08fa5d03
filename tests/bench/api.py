"""`POST /jobs` and `GET /jobs/{id}` with 50 connections, against a bare aiohttp handler of one INSERT, one SELECT.

Each in a process of its own, on one PostgreSQL, with as many connections to it. They take turns, for a machine drifts:
only what neighbours took is compared. `api:write` puts the table into docs/why/benchmarks.md.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import asyncpg

from encoder.embedded.postgres import Postgres
from tests.bench import bare_api
from tests.bench.load import Told, load, request
from tests.bench.measure import cpu_s, median
from tests.bench.page import machine, table, write
from tests.lab.platform import REPOSITORY, Platform, free_port

CONNECTIONS = 50
ROUNDS = 5
SECONDS = 3.0
JOB = {
    "source": {"kind": "http", "url": "https://media.example.com/uploads/in.mov"},
    "outputs": [{"preset": "h264", "destination": {"kind": "http", "url": "https://media.example.com/out/1.mp4"}}],
    "metadata": {"orderId": "42"},
    "tags": ["trailer"],
}
BODY = json.dumps(JOB).encode()
POST = request("POST", "/jobs", BODY, **{"Content-Type": "application/json"})


async def run(*said: str) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        async with Postgres(folder / "db").running() as dsn, _servers(dsn, folder) as (ours, bare):
            posts = [await _round((ours, bare), lambda: POST, status=202) for _ in range(ROUNDS)]
            gets = [await _round((ours, bare), _gets(), status=200) for _ in range(ROUNDS)]
    rows = [*_rows("POST /jobs", posts), *_rows("GET /jobs/{id}", gets)]
    told = f"{machine()}\n\n{table(('', 'ours', 'bare', 'ours over it'), rows)}"
    print(told)
    if "write" in said:
        write("api", told)


def _gets() -> Callable[[], bytes]:
    """One of the first hundred jobs after the other."""
    numbers = itertools.cycle(range(1, 101))
    return lambda: request("GET", f"/jobs/{next(numbers)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Server:
    port: int
    pid: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    told: Told
    cpu_ms: float  # of the server, for each answer


async def _round(servers: tuple[_Server, _Server], question: Callable[[], bytes], *, status: int) -> tuple[_Run, _Run]:
    """One after the other, both warm."""

    async def once(server: _Server) -> _Run:
        await load(server.port, question, connections=CONNECTIONS, seconds=0.3, status=status)
        begun = cpu_s(server.pid)
        told = await load(server.port, question, connections=CONNECTIONS, seconds=SECONDS, status=status)
        return _Run(told=told, cpu_ms=1000 * (cpu_s(server.pid) - begun) / len(told.seconds))

    return await once(servers[0]), await once(servers[1])


def _rows(what: str, rounds: list[tuple[_Run, _Run]]) -> list[tuple[str, ...]]:
    return [
        _row(f"`{what}` a second", rounds, lambda run: run.told.per_second, ",.0f"),
        _row("CPU of the server, ms each", rounds, lambda run: run.cpu_ms, ".2f"),
        _row("p50, ms", rounds, lambda run: run.told.ms(0.50), ".1f"),
        _row("p99, ms", rounds, lambda run: run.told.ms(0.99), ".1f"),
    ]


def _row(
    what: str, rounds: list[tuple[_Run, _Run]], number: Callable[[_Run], float], form: str
) -> tuple[str, str, str, str]:
    """Medians, and that of the ratio of neighbours."""
    ours, bare = [number(one) for one, _ in rounds], [number(other) for _, other in rounds]
    ratio = median([one / other for one, other in zip(ours, bare, strict=True)])
    return what, format(median(ours), form), format(median(bare), form), f"{ratio:.2f}"


@asynccontextmanager
async def _servers(dsn: str, folder: Path) -> AsyncIterator[tuple[_Server, _Server]]:
    """Our API and the bare one."""
    db = await asyncpg.connect(dsn)
    await db.execute(bare_api.TABLE)
    await db.close()
    port = free_port()
    settings = {"ENCODER_LOG_LEVEL": "info", "ENCODER_OPEN_JOBS": "100000"}  # none ends, and none is to be refused
    platform = Platform(dsn=dsn, folder=folder, extra=settings)
    ours = await platform.start("api")
    bare = await platform.start(str(port), program=("-m", "tests.bench.bare_api", dsn), PYTHONPATH=str(REPOSITORY))
    try:
        await answers(platform.port, "/livez")
        await answers(port, "/")
        yield _Server(port=platform.port, pid=ours.process.pid), _Server(port=port, pid=bare.process.pid)
    finally:
        for role in platform.roles:
            await role.kill()


async def answers(port: int, path: str) -> None:
    async with aiohttp.ClientSession() as session, asyncio.timeout(30):
        while True:
            try:
                async with session.get(f"http://127.0.0.1:{port}{path}"):
                    return
            except aiohttp.ClientError:
                await asyncio.sleep(0.1)
