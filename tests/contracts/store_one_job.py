"""What every store does for whoever works for one job alone: its task is taken out of turn, and by nobody else."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import uuid4

from encoder.model.ids import DEFAULT_TENANT, JobId, WorkerId
from encoder.model.state import JobState, TaskState
from encoder.store.fleet import Quota
from encoder.store.protocol import Store
from encoder.store.rows import Claim
from tests.contracts.store_jobs import read
from tests.lab import work


async def take(store: Store, job: JobId, *, lease: timedelta = work.LEASE) -> Claim | None:
    return await store.claim_job(job, WorkerId(uuid4()), lease=lease, deadline=work.LEASE)


async def taken(store: Store, job: JobId) -> Claim:
    claim = await take(store, job)
    assert claim is not None
    return claim


class OneJobSuite:
    async def test_a_job_is_taken_out_of_turn_and_worked_as_any_other(self, store: Store) -> None:
        first, job, last = [await work.enqueue(store, hook=work.HOOK) for _ in range(3)]
        claim = await taken(store, job.id)
        assert (claim.job_id, claim.kind, claim.queue) == (job.id, "transcode", "encode")
        assert (claim.epoch, claim.attempt) == (1, 1)
        assert claim.waited_seconds >= 0
        assert (await read(store, job)).task_state is TaskState.RUNNING
        assert {each.job_id for each in await work.claim(store, limit=9)} == {first.id, last.id}
        assert (await store.settle(claim, work.done(0))).job_state is JobState.COMPLETED

    async def test_one_that_stands_in_line_leaves_it(self, store: Store) -> None:
        """The audit of each test's database finds a place that is left."""
        _, job = await work.lined_up(store)
        assert (await read(store, job)).task_state is TaskState.READY
        claim = await taken(store, job.id)
        (encode, *_) = (await store.stats(None)).queues
        assert (encode.ready, encode.running) == (0, 3)
        assert await work.claim(store, limit=9) == []
        await store.settle(claim, work.RELEASED)
        assert (await work.claim_one(store)).job_id == job.id

    async def test_neither_a_cap_nor_a_delay_holds_it(self, store: Store) -> None:
        job = await work.enqueue(store)
        await store.settle(await work.claim_one(store), work.retrying(timedelta(hours=1)))
        await store.set_quota(Quota(tenant_id=DEFAULT_TENANT, queue="encode", cap=1, share=1))
        await work.enqueue(store)
        await work.claim_one(store)
        again = await taken(store, job.id)
        assert (again.attempt, again.epoch) == (2, 2)

    async def test_a_pause_of_its_queue_does(self, store: Store) -> None:
        job = await work.enqueue(store)
        await store.pause("encode", "the driver")
        assert await take(store, job.id) is None
        await store.resume("encode")
        await taken(store, job.id)

    async def test_what_somebody_has_or_what_has_ended_is_not_taken(self, store: Store) -> None:
        job, claim = await work.working(store, hook=work.HOOK)
        assert await take(store, job.id) is None
        await store.settle(claim, work.done(0))
        assert await take(store, job.id) is None
        cancelled = await work.enqueue(store)
        await store.cancel(cancelled.id)
        assert await take(store, cancelled.id) is None
        assert await take(store, JobId(10_000)) is None

    async def test_its_lease_runs_out_as_any_other(self, store: Store) -> None:
        job = await work.enqueue(store)
        await take(store, job.id, lease=work.PAST)
        (expired,) = await store.expired()
        assert expired.claim.job_id == job.id
        assert await store.rescue(expired.claim, work.LOST) is not None
        assert (await taken(store, job.id)).lost == 1

    async def test_it_is_handed_to_one_of_many_wherever_they_come_from(self, store: Store) -> None:
        jobs = [await work.enqueue(store) for _ in range(12)]
        mine = [take(store, job.id) for job in jobs for _ in range(2)]
        theirs = [work.claim(store, limit=2, ahead=2) for _ in range(8)]
        alone, lines = await asyncio.gather(asyncio.gather(*mine), asyncio.gather(*theirs))
        while more := await work.claim(store, limit=9):
            lines.append(more)
        claims = [each for each in alone if each is not None] + [each for line in lines for each in line]
        assert sorted(claim.job_id for claim in claims) == [job.id for job in jobs]
