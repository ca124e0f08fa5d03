"""A worker that is to stop: what ends within its grace, what is given back at once, and what holds it up, how long."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import monotonic

import asyncpg
import pytest

from encoder.model.ids import JobId, OutputId
from encoder.queue import settle
from encoder.queue.lease import LeaseTimes
from encoder.store.postgres import PostgresStore
from encoder.store.rows import Lack, Live, Settlement
from encoder.worker.claimer import Line
from encoder.worker.held import Held
from encoder.worker.loop import Rhythm, Worker
from tests.lab import shares, work
from tests.lab.platform import until

HOURS = Live(stage="encoding", eta_seconds=3600.0)
SOON = Live(stage="encoding", eta_seconds=1.0)
NO_ROOM = Live(stage="waiting", lack=Lack(what="memory", needed_bytes=2, free_bytes=1))


@dataclass(kw_only=True)
class Hands:
    """Tell of each job what is said of it, and work until `open`. Who is in `publishing` does so meanwhile."""

    said: Mapping[JobId, Live | None]
    publishing: bool = False
    open: asyncio.Event = field(default_factory=asyncio.Event)
    begun: set[JobId] = field(default_factory=set)

    async def work(self, held: Held) -> Settlement:
        live = self.said[held.claim.job_id]
        if live is not None:
            held.tell(OutputId(0), live)
        self.begun.add(held.claim.job_id)
        if self.publishing:
            with held.publishing():
                await self.open.wait()
        await self.open.wait()
        return settle.done(work.uploaded(0))


@asynccontextmanager
async def at_work(
    store: PostgresStore, hands: Hands, *, drain_s: float
) -> AsyncIterator[tuple[Worker, asyncio.Task[None]]]:
    """A worker of this process that has begun all jobs of its hands."""
    rhythm = Rhythm(times=LeaseTimes(30.0), poll_s=0.5, progress_s=0.5, drain_s=drain_s)
    info = replace(work.new_worker(), queues=("encode",), slots={"encode": len(hands.said)})
    handlers, budget, line = {"transcode": hands}, shares.budget(Path()), Line(store)
    worker = Worker(store, info, handlers, rhythm, budget, line, clock=monotonic, uniform=random.uniform)
    running = asyncio.create_task(worker.run())

    async def all_begun() -> bool:
        return hands.begun == hands.said.keys()

    try:
        await until(all_begun, within_s=10)
        yield worker, running
    finally:
        worker.stop()
        worker.stop()
        await asyncio.wait_for(running, 20)


async def test_by_their_eta_tasks_end_within_the_grace_or_are_given_back_at_once(
    store: PostgresStore, dsn: str
) -> None:
    """Seen to fail when everything was given its grace."""
    long, waits, short, unknown = [(await work.enqueue(store)).id for _ in range(4)]
    hands = Hands(said={long: HOURS, waits: NO_ROOM, short: SOON, unknown: None})
    async with at_work(store, hands, drain_s=600.0) as (worker, running):
        worker.stop()
        await until(lambda: _are(dsn, "waiting", long, waits), within_s=5)
        assert await _are(dsn, "running", short, unknown)
        hands.open.set()
        await asyncio.wait_for(running, 5)
    assert await _are(dsn, "done", short, unknown)
    assert await _charged(dsn) == {long: (0, 1, 0), waits: (0, 1, 0), short: (1, 0, 0), unknown: (1, 0, 0)}


async def test_a_publish_that_takes_too_long_is_given_back(
    store: PostgresStore, dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("encoder.worker.loop.PUBLISH_S", 0.3)
    job = (await work.enqueue(store)).id
    async with at_work(store, Hands(said={job: None}, publishing=True), drain_s=0.0) as (worker, running):
        worker.stop()
        await asyncio.sleep(0.1)
        assert await _are(dsn, "running", job)
        await asyncio.wait_for(running, 5)
    assert await _charged(dsn) == {job: (0, 1, 0)}


async def _are(dsn: str, state: str, *jobs: JobId) -> bool:
    """Whether the tasks of these jobs are in that state."""
    db = await asyncpg.connect(dsn)
    try:
        states = await db.fetch("SELECT state FROM tasks WHERE job_id = ANY($1)", jobs)
    finally:
        await db.close()
    return {row["state"] for row in states} == {state}


async def _charged(dsn: str) -> dict[int, tuple[int, int, int]]:
    """By job: attempts, releases, losses."""
    db = await asyncpg.connect(dsn)
    try:
        rows = await db.fetch("SELECT job_id, attempt, released, lost FROM tasks")
    finally:
        await db.close()
    return {row["job_id"]: (row["attempt"], row["released"], row["lost"]) for row in rows}
