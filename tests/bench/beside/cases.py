"""What is measured of each contender. Every case is a bout of its own: nothing of one run is met by another."""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from tests.bench.beside.bout import Bout, bout
from tests.bench.beside.contenders import Contender

Command = tuple[str, ...]

WARM_SHARE = 0.2  # of a window: connections open, plans are made, runtimes warm up
LATER = timedelta(hours=1)
PATIENCE_S = 10.0
IDLE_AFTER_S = 5.0  # a worker has said all that it says at its start
_SLOWEST = 12  # windows that a drain of all may take
_WARM_TASKS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much is done. `told`: tasks of the pick-up, one each `gap_s`; `depth`: in front of a drain of `window_s`;
    `probe`: tasks whose rate is measured where the rest only stands there; `settle_s`: until a new worker is idle."""

    rounds: int
    told: int
    gap_s: float
    enqueue_s: float
    window_s: float
    depth: int
    probe: int
    backlogs: tuple[int, ...]
    burst: int
    held: int
    settle_s: float
    idle_s: float


FULL = Size(
    rounds=3, told=50, gap_s=0.1, enqueue_s=1.5, window_s=2, depth=10_000, probe=6_000,
    backlogs=(1_000, 100_000, 1_000_000), burst=100_000, held=10_000, settle_s=2, idle_s=20,
)  # fmt: skip
QUICK = Size(
    rounds=1, told=20, gap_s=0.05, enqueue_s=0.5, window_s=1, depth=4_000, probe=1_500,
    backlogs=(1_000, 20_000), burst=20_000, held=2_000, settle_s=1, idle_s=5,
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Basics:
    """Pick-up in ms, from the commit and from the answer; tasks per second, of a drain by number of workers; what a
    task costs both sides in CPU ms."""

    committed_ms: tuple[float, ...]
    answered_ms: tuple[float, ...]
    enqueue: float
    drain: dict[int, float]
    worker_ms: float
    database_ms: float
    twice: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Idle:
    """What one worker with nothing to do costs: per second, connections, share of a core."""

    statements: float
    connections: int
    cpu: float


async def basics(contender: Contender, command: Command, size: Size) -> Basics:
    async with bout(contender, command) as at:
        committed, answered = await _pickup(at, size)
        enqueue = await at.enqueue(size.enqueue_s)
        one, two = [await _drain(at, size, processes) for processes in (1, 2)]
    return Basics(
        committed_ms=committed,
        answered_ms=answered,
        enqueue=enqueue,
        drain={1: one.rate, 2: two.rate},
        worker_ms=one.worker_ms,
        database_ms=one.database_ms,
        twice=one.twice + two.twice,
    )


async def backlog(contender: Contender, command: Command, size: Size) -> dict[int, float]:
    """Rate in front of each backlog, whose statistics are known."""
    rates = {}
    async with bout(contender, command) as at:
        for waiting in size.backlogs:
            await at.fill(max(0, waiting + size.probe - await at.left()))
            await at.vacuum()
            rates[waiting] = await _probe(at, size)
    return rates


async def stale(contender: Contender, command: Command, size: Size) -> tuple[float, float]:
    """Rate right after a burst into a queue that was nearly empty when its statistics were made; and once they know."""
    async with bout(contender, command, {"autovacuum": "off"}) as at:
        await at.fill(100)
        async with at.working() as workers:
            await workers.worked(count=100, within_s=PATIENCE_S)
        await at.vacuum()
        await at.fill(size.burst)
        unknown = await _probe(at, size)
        await at.vacuum()
        return unknown, await _probe(at, size)


async def future(contender: Contender, command: Command, size: Size) -> tuple[float, float]:
    """Rate behind a burst of tasks that are not due yet, and without them."""
    async with bout(contender, command) as at:
        await at.fill(2 * size.probe)
        await at.vacuum()
        without = await _probe(at, size)
        await at.fill(size.burst, due=LATER)
        await at.fill(2 * size.probe)
        await at.vacuum()
        return await _probe(at, size), without


async def held(contender: Contender, command: Command, size: Size) -> tuple[float, float]:
    """Rate of the last and of the first fifth of a drain during which nothing dead can be removed."""
    async with bout(contender, command) as at:
        await at.fill(size.held)
        await at.vacuum()
        async with at.snapshot(), at.working() as workers:
            times = await workers.worked(count=size.held, within_s=_SLOWEST * size.window_s)
    fifth = len(times) // 5
    return _rate(times[-fifth:], warm=0), _rate(times[:fifth], warm=0)


async def idle(contender: Contender, command: Command, size: Size) -> Idle:
    async with bout(contender, command, {"log_statement": "all"}) as at, at.working() as workers:
        await asyncio.sleep(IDLE_AFTER_S)
        log, spent = at.folder / "log", workers.cpu_s()
        begin = log.stat().st_size
        await asyncio.sleep(size.idle_s)
        statements, cpu_s = _statements(log, begin), workers.cpu_s() - spent
        async with at.sql() as connection:
            connections = await connection.fetchval(
                "SELECT count(*) - 1 FROM pg_stat_activity WHERE backend_type = 'client backend'"
            )
    return Idle(statements=statements / size.idle_s, connections=connections, cpu=cpu_s / size.idle_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Drain:
    rate: float
    worker_ms: float
    database_ms: float
    twice: int


async def _drain(at: Bout, size: Size, processes: int) -> _Drain:
    await at.fill(max(0, size.depth - await at.left()))
    await at.vacuum()
    async with at.working(processes) as workers:
        await workers.worked(count=1, within_s=PATIENCE_S)
        before, worker_s, database_s = len(workers.begun), workers.cpu_s(), at.cpu_s()
        times = await workers.worked(count=size.depth, within_s=size.window_s)
        done = max(len(workers.begun) - before, 1)
        worker_s, database_s = workers.cpu_s() - worker_s, at.cpu_s() - database_s
    return _Drain(
        rate=_rate(times), worker_ms=1000 * worker_s / done, database_ms=1000 * database_s / done, twice=workers.twice
    )


async def _pickup(at: Bout, size: Size) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Milliseconds from the commit of each task, and from the answer of its enqueue, to the begin of its work."""
    async with at.working() as workers:
        await workers.worked(count=1, within_s=PATIENCE_S)  # the one of the installation
        await asyncio.sleep(size.settle_s)
        told = await at.tell(_WARM_TASKS + size.told, size.gap_s)
        begun = await workers.worked(count=1 + len(told), within_s=PATIENCE_S)
    if len(begun) != 1 + len(told):
        raise ChildProcessError(f"{len(begun)} of {1 + len(told)} tasks began")
    commits = await at.commits()
    firsts = [commits[bisect_left(commits, called)] for called, _ in told]  # what its worker writes comes after
    return _since(firsts, begun), _since([answered for _, answered in told], begun)


def _since(told: Sequence[float], begun: Sequence[float]) -> tuple[float, ...]:
    return tuple(1000 * (work - at) for at, work in zip(told, begun[1:], strict=True))[_WARM_TASKS:]


async def _probe(at: Bout, size: Size) -> float:
    async with at.working() as workers:
        return _rate(await workers.worked(count=size.probe, within_s=size.window_s))


def _rate(times: Sequence[float], *, warm: float = WARM_SHARE) -> float:
    """Tasks per second, those of the first `warm` share of the time left out; 0.0 where too few began to tell."""
    if len(times) < 2:
        return 0.0
    since = times[0] + warm * (times[-1] - times[0])
    counted = [at for at in times if at >= since]
    spent = counted[-1] - counted[0]
    return (len(counted) - 1) / spent if spent > 0 else 0.0


def _statements(log: Path, begin: int) -> int:
    with log.open("rb") as file:
        file.seek(begin)
        return sum(b"LOG:  statement:" in line or b"LOG:  execute " in line for line in file)
