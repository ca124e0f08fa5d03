"""Workers that leave by themselves: nobody has to choose one to end, so that none is ended which is busy."""

from __future__ import annotations

import asyncio
import random
import signal
from dataclasses import replace
from pathlib import Path
from time import monotonic

from encoder.model.ids import DEFAULT_TENANT, JobId
from encoder.model.state import JobState
from encoder.queue import settle
from encoder.queue.lease import LeaseTimes
from encoder.store.postgres import PostgresStore
from encoder.store.rows import Settlement
from encoder.worker.claimer import Line
from encoder.worker.depart import Departure
from encoder.worker.held import Held
from encoder.worker.loop import Rhythm, Worker
from tests.lab import shares, work
from tests.lab.platform import Platform

IDLE_S = 0.5


class Hands:
    """They end what they hold once `open`."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.open = asyncio.Event()

    async def work(self, _held: Held) -> Settlement:
        self.begun.set()
        await self.open.wait()
        return settle.done(work.uploaded(0))


async def test_a_worker_without_work_ends_and_says_so(dsn: str, tmp_path: Path) -> None:
    platform = Platform(dsn=dsn, folder=tmp_path)
    try:
        worker = await platform.start("worker", "--exit-when-idle", "1s")
        assert await worker.ended() == 0
        assert "worker.departs" in worker.log.read_text()
    finally:
        await platform.stop()


async def test_past_its_age_a_worker_takes_no_more_and_ends_what_it_has(store: PostgresStore) -> None:
    held, left = [(await work.enqueue(store)).id for _ in range(2)]
    hands, asked = Hands(), asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, asked.set)
    worker = of_one_slot(store, hands)
    working = asyncio.create_task(worker.run())
    leaving = asyncio.create_task(Departure(idle_s=60, age_s=0.1).run(worker, look_every_s=IDLE_S))
    try:
        await asyncio.wait_for(hands.begun.wait(), 10)
        await asyncio.sleep(3 * IDLE_S)
        assert not asked.is_set()  # it is too old, but busy
        hands.open.set()
        await asyncio.wait_for(asked.wait(), 10)
        await leaving
    finally:
        asyncio.get_running_loop().remove_signal_handler(signal.SIGTERM)
        worker.stop()
        await asyncio.wait_for(working, 20)
    assert await state(store, held) is JobState.COMPLETED
    assert await state(store, left) is JobState.QUEUED


async def test_a_busy_worker_is_not_idle(store: PostgresStore) -> None:
    await work.enqueue(store)
    hands, asked = Hands(), asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, asked.set)
    worker = of_one_slot(store, hands)
    working = asyncio.create_task(worker.run())
    try:
        await asyncio.wait_for(hands.begun.wait(), 10)
        leaving = asyncio.create_task(Departure(idle_s=IDLE_S).run(worker, look_every_s=0.05))
        await asyncio.sleep(2 * IDLE_S)
        assert not asked.is_set()
        ended_at = monotonic()
        hands.open.set()
        await asyncio.wait_for(asked.wait(), 10)
        assert monotonic() - ended_at >= IDLE_S
        await leaving
    finally:
        asyncio.get_running_loop().remove_signal_handler(signal.SIGTERM)
        worker.stop()
        await asyncio.wait_for(working, 20)


def of_one_slot(store: PostgresStore, hands: Hands) -> Worker:
    rhythm = Rhythm(times=LeaseTimes(60), poll_s=0.1, progress_s=0.5, drain_s=0.0)
    info = replace(work.new_worker(), queues=("encode",), slots={"encode": 1})
    handlers = {"transcode": hands}
    budget, line = shares.budget(Path()), Line(store)
    return Worker(store, info, handlers, rhythm, budget, line, clock=monotonic, uniform=random.uniform)


async def state(store: PostgresStore, job_id: JobId) -> JobState:
    job = await store.job(DEFAULT_TENANT, str(job_id))
    assert job is not None
    return job.state
