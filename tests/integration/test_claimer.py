"""A worker of one job alone: it does all that there is of it, and no other; what failed is not begun again by it."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import monotonic

from encoder.model.ids import JobId
from encoder.queue.lease import LeaseTimes
from encoder.store.postgres import PostgresStore
from encoder.store.rows import Settlement
from encoder.worker.claimer import OneJob
from encoder.worker.held import Held
from encoder.worker.loop import Rhythm, Worker
from tests.contracts.store_graph import made, split
from tests.contracts.store_tasks import NO_TIME
from tests.lab import shares, work

SPLIT = {"transcode": split(2), "chunk": made(0), "assemble": work.done(0)}


@dataclass(kw_only=True)
class Hands:
    """End each task as its kind says."""

    said: dict[str, Settlement]
    done: list[tuple[JobId, str]] = field(default_factory=list)

    async def work(self, held: Held) -> Settlement:
        self.done.append((held.claim.job_id, held.claim.kind))
        return self.said[held.claim.kind]


async def done_of(store: PostgresStore, job: JobId, said: dict[str, Settlement]) -> list[tuple[JobId, str]]:
    """What a worker of the job alone does until that is over."""
    hands, claimer = Hands(said=said), OneJob(store, job)
    rhythm = Rhythm(times=LeaseTimes(30.0), poll_s=0.2, progress_s=0.5, drain_s=0.0)
    info = replace(work.new_worker(), queues=("encode",), slots={"encode": 1})
    handlers, budget = dict.fromkeys(said, hands), shares.budget(Path())
    worker = Worker(store, info, handlers, rhythm, budget, claimer, clock=monotonic, uniform=random.uniform)
    running = asyncio.create_task(worker.run())
    try:
        async with asyncio.timeout(30):
            await claimer.over.wait()
    finally:
        worker.stop()
        await asyncio.wait_for(running, 20)
    return hands.done


async def test_a_job_in_chunks_is_done_to_its_end_and_no_other_is_begun(store: PostgresStore) -> None:
    _, job, _ = [await work.enqueue(store) for _ in range(3)]
    kinds = ["transcode", "chunk", "chunk", "assemble"]
    assert await done_of(store, job.id, SPLIT) == [(job.id, kind) for kind in kinds]


async def test_what_is_to_be_tried_again_is_left_to_the_next_container(store: PostgresStore) -> None:
    job = await work.enqueue(store)
    assert await done_of(store, job.id, {"transcode": work.retrying(NO_TIME)}) == [(job.id, "transcode")]
    job = await work.enqueue(store)
    chunk_fails = SPLIT | {"chunk": work.retrying(NO_TIME)}
    assert await done_of(store, job.id, chunk_fails) == [(job.id, "transcode"), (job.id, "chunk")]
