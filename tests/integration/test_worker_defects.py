"""What goes wrong inside one task stays there: the worker, its other tasks and those of the dead go on."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from time import monotonic
from uuid import uuid4

import asyncpg
import pytest

from encoder.model.ids import DEFAULT_TENANT, JobId
from encoder.model.plan import Need
from encoder.model.state import JobState
from encoder.queue import settle
from encoder.queue.lease import Contact, LeaseTimes
from encoder.queue.rescue import Rescuer
from encoder.store.postgres import PostgresStore
from encoder.store.rows import Settlement
from encoder.worker.budget import Budget
from encoder.worker.claimer import Line
from encoder.worker.held import Held
from encoder.worker.loop import SICK_S, Handler, Rhythm, Worker
from encoder.worker.scratch import Scratch
from tests.lab import shares, work
from tests.lab.platform import until

LEASE_S = 2.0

# rows that our own code rules out: what ends such a task raises, each time
POISON = {
    "of a job that has ended": "UPDATE jobs SET state = 'completed' WHERE id = $1",
    "with a word of a newer release": """
        UPDATE job_outputs SET problem = '{"code": "new", "message": "", "class": "new", "retryable": true}'
        WHERE job_id = $1""",
}


class Hands:
    """Upload, once `open`. At the first epoch of `careless` they say `done` over an open output, which is refused."""

    def __init__(self, careless: JobId | None = None) -> None:
        self._careless = careless
        self.open = asyncio.Event()
        self.begun: set[tuple[JobId, int]] = set()

    async def work(self, held: Held) -> Settlement:
        self.begun.add((held.claim.job_id, held.claim.epoch))
        if (held.claim.job_id, held.claim.epoch) == (self._careless, 1):
            return settle.done()
        await self.open.wait()
        return settle.done(work.uploaded(0))


@pytest.fixture
async def db(dsn: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(dsn)
    yield connection
    await connection.close()


async def test_a_settle_that_raises_costs_one_lease_and_no_other_task(
    store: PostgresStore, db: asyncpg.Connection
) -> None:
    defect, beside, after = [(await work.enqueue(store)).id for _ in range(3)]
    hands = Hands(careless=defect)
    async with at_work(store, {"transcode": hands}, slots=2):
        await until(lambda: met(hands, {(beside, 1), (after, 1)}), within_s=10)
        hands.open.set()
        for job_id in (defect, beside, after):
            await until(partial(completed, store, job_id), within_s=10 * LEASE_S)
    rows = await db.fetch("SELECT epoch, lost FROM tasks ORDER BY id")
    assert [tuple(row) for row in rows] == [(2, 1), (1, 0), (1, 0)]


@pytest.mark.impossible_rows
@pytest.mark.parametrize("poison", POISON)
async def test_a_task_that_cannot_be_rescued_keeps_no_other_from_being_freed(
    poison: str, store: PostgresStore, db: asyncpg.Connection
) -> None:
    before, poisoned, after = [(await work.enqueue(store)).id for _ in range(3)]
    assert len(await work.claim(store, limit=3, lease=work.PAST)) == 3
    await db.execute("UPDATE tasks SET lost = 2 WHERE job_id = $1", poisoned)  # the third loss would end it
    await db.execute(POISON[poison], poisoned)
    assert await trusting(store).sweep() == 2
    rows = await db.fetch("SELECT job_id, state FROM tasks ORDER BY id")
    assert [tuple(row) for row in rows] == [(before, "waiting"), (poisoned, "running"), (after, "waiting")]


async def test_work_of_a_newer_release_is_left_to_newer_workers(store: PostgresStore, db: asyncpg.Connection) -> None:
    """K14: uncharged, and out of the way of what this worker can do."""
    newer, known = [(await work.enqueue(store)).id for _ in range(2)]
    await db.execute("UPDATE tasks SET kind = 'assemble' WHERE job_id = $1", newer)
    hands = Hands()
    hands.open.set()
    async with at_work(store, {"transcode": hands}):
        await until(lambda: completed(store, known), within_s=10)
    left = await db.fetchrow("SELECT *, run_at - started_at AS wait FROM tasks WHERE job_id = $1", newer)
    assert left is not None
    assert (left["state"], left["attempt"], left["lost"], left["released"]) == ("scheduled", 0, 0, 1)
    assert SICK_S <= left["wait"].total_seconds() < SICK_S + 10
    await db.execute("UPDATE tasks SET run_at = now() WHERE job_id = $1", newer)
    async with at_work(store, {"transcode": hands, "assemble": hands}):
        await until(lambda: completed(store, newer), within_s=10)
    assert hands.begun == {(known, 1), (newer, 2)}


async def test_while_work_waits_for_room_no_more_is_taken_but_messages_are(
    store: PostgresStore, db: asyncpg.Connection, tmp_path: Path
) -> None:
    scratch = Scratch(tmp_path, uuid4())
    await scratch.open()
    budget = Budget(scratch, memory_bytes=10)
    job, told = [(await work.enqueue(store)).id for _ in range(2)]
    await db.execute("UPDATE tasks SET queue = 'io', state = 'waiting' WHERE job_id = $1", told)
    await db.execute("DELETE FROM task_ready WHERE task_id = (SELECT id FROM tasks WHERE job_id = $1)", told)
    hands = Hands()
    hands.open.set()
    async with budget.share("waits", lambda _: None) as waits, AsyncExitStack() as stack:
        works = await stack.enter_async_context(budget.share("works", lambda _: None))
        await works.reach(Need(memory_bytes=10))
        waiting = asyncio.create_task(waits.reach(Need(memory_bytes=1)))
        async with at_work(store, {"transcode": hands}, budget=budget):
            await until(lambda: completed(store, told), within_s=10)
            assert hands.begun == {(told, 1)}
            await stack.aclose()  # whoever waited for room is in, and the claimers hear of it
            await until(lambda: completed(store, job), within_s=10)
        await waiting
    await scratch.close()


@asynccontextmanager
async def at_work(
    store: PostgresStore,
    handlers: Mapping[str, Handler],
    *,
    slots: int = 1,
    budget: Budget | None = None,
) -> AsyncIterator[None]:
    """A worker of this process, which must be whole at the end."""
    rhythm = Rhythm(times=LeaseTimes(LEASE_S), poll_s=0.5, progress_s=0.5, drain_s=5.0)
    info = replace(work.new_worker(), queues=("encode", "io"), slots={"encode": slots, "io": 1})
    budget, line = budget or shares.budget(Path()), Line(store)
    worker = Worker(store, info, handlers, rhythm, budget, line, clock=monotonic, uniform=random.uniform)
    running = asyncio.create_task(worker.run())
    try:
        yield
    finally:
        worker.stop()
        await asyncio.wait_for(running, 20)


def trusting(store: PostgresStore) -> Rescuer:
    """A rescuer that knows of no outage: its lease is shorter than the server is up."""
    times, contact = LeaseTimes(0.01), Contact(now=0.0, longest_gap_s=1.0)
    contact.kept(1.0)
    return Rescuer(store, times, contact, clock=lambda: 1.0, uniform=random.uniform)


async def met(hands: Hands, wanted: set[tuple[JobId, int]]) -> bool:
    return wanted <= hands.begun


async def completed(store: PostgresStore, job_id: JobId) -> bool:
    job = await store.job(DEFAULT_TENANT, str(job_id))
    assert job is not None
    return job.state is JobState.COMPLETED
