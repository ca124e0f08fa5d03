"""What every store does about who is next: fairness, caps, priorities, and queues that operators pause."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta

import pytest

from encoder.model.ids import DEFAULT_TENANT, TenantId
from encoder.model.state import TaskState
from encoder.store.fleet import Quota
from encoder.store.protocol import Store
from encoder.store.rows import Claim
from encoder.store.verbs import reading
from tests.contracts.store_jobs import read
from tests.lab import work

FEW, MANY = TenantId(7), TenantId(8)


async def cap(store: Store, tenant: TenantId, most: int | None, *, share: int = 1) -> None:
    await store.set_quota(Quota(tenant_id=tenant, queue="encode", cap=most, share=share))


async def backlog(store: Store, tenant: TenantId, jobs: int) -> None:
    for _ in range(jobs):
        await work.enqueue(store, tenant=tenant)


async def done(store: Store, claim: Claim) -> None:
    await store.settle(claim, work.done(0))


class AdmissionSuite:
    async def test_a_tenant_below_its_share_is_next_however_long_anothers_backlog_is(self, store: Store) -> None:
        """G14"""
        await backlog(store, MANY, 40)
        running = list(await work.claim(store, limit=4))
        await backlog(store, FEW, 1)
        await done(store, running.pop())
        assert [claim.tenant_id for claim in await work.claim(store)] == [FEW]

    async def test_tenants_that_wait_take_turns(self, store: Store) -> None:
        """G14"""
        await backlog(store, MANY, 9)
        await backlog(store, FEW, 9)
        claims = await work.claim(store, limit=8)
        assert Counter(claim.tenant_id for claim in claims) == {MANY: 4, FEW: 4}

    async def test_a_share_of_three_gets_three_of_four(self, store: Store) -> None:
        await cap(store, MANY, None, share=3)
        await backlog(store, FEW, 9)
        await backlog(store, MANY, 9)
        claims = await work.claim(store, limit=8)
        assert Counter(claim.tenant_id for claim in claims) == {MANY: 6, FEW: 2}

    async def test_a_cap_is_kept_by_all_claimers_together_in_every_snapshot(self, store: Store) -> None:
        """G13: what stands in line and what runs, counted while six claim, settle and let each other pass."""
        await cap(store, MANY, 3)
        await backlog(store, MANY, 30)
        await backlog(store, FEW, 10)
        left, most = 40, 0

        async def take() -> None:
            nonlocal left
            while left:
                for claim in await work.claim(store, limit=2, ahead=3):
                    await done(store, claim)
                    left -= 1
                await asyncio.sleep(0)

        async def watch() -> None:
            nonlocal most
            while left:
                (encode, _) = (await store.stats(MANY)).queues
                most = max(most, encode.ready + encode.running)
                await asyncio.sleep(0)

        async with asyncio.timeout(60):
            await asyncio.gather(watch(), *(take() for _ in range(6)))
        assert most == 3

    async def test_a_cap_holds_nobody_elses_work(self, store: Store) -> None:
        await cap(store, MANY, 1)
        await backlog(store, MANY, 5)
        await backlog(store, FEW, 2)
        claims = await work.claim(store, limit=9)
        assert Counter(claim.tenant_id for claim in claims) == {MANY: 1, FEW: 2}
        assert await work.claim(store, limit=9) == []
        await done(store, next(claim for claim in claims if claim.tenant_id == MANY))
        assert [claim.tenant_id for claim in await work.claim(store, limit=9)] == [MANY]

    async def test_the_most_urgent_of_a_tenant_is_next_however_late_it_came(self, store: Store) -> None:
        low = await work.enqueue(store, priority=-5)
        plain = [await work.enqueue(store) for _ in range(2)]
        high = await work.enqueue(store, priority=5)
        jobs = [claim.job_id for claim in await work.claim(store, limit=2)]
        assert jobs == [high.id, plain[0].id]
        assert [claim.job_id for claim in await work.claim(store, limit=2)] == [plain[1].id, low.id]

    async def test_what_is_admitted_ahead_is_claimed_by_whoever_comes(self, store: Store) -> None:
        await backlog(store, DEFAULT_TENANT, 9)
        assert len(await work.claim(store, limit=2, ahead=4)) == 2
        (encode, _) = (await store.stats(DEFAULT_TENANT)).queues
        assert (encode.waiting, encode.ready, encode.running) == (3, 4, 2)
        assert len(await work.claim(store, limit=9)) == 7

    async def test_a_cancelled_task_that_waits_is_never_admitted(self, store: Store) -> None:
        jobs = [await work.enqueue(store) for _ in range(3)]
        for job in jobs[:2]:
            await store.cancel(job.id)
        assert [claim.job_id for claim in await work.claim(store, limit=3)] == [jobs[2].id]


class OwnQueueSuite:
    """Queues that operators make, for workers that have what others lack."""

    async def test_a_job_is_claimed_from_its_own_queue_alone_and_retried_there(self, store: Store) -> None:
        await store.hello(work.new_worker(queues=("gpu",)))
        job = await work.enqueue(store, queue="gpu")
        assert await work.claim(store, limit=9) == []
        claim = await work.claim_one(store, queue="gpu")
        assert (claim.job_id, claim.queue, claim.name) == (job.id, "gpu", "t1")
        await store.settle(claim, work.failing())
        await store.retry(job.id, max_attempts=3)
        assert await work.claim(store, limit=9) == []
        again = await work.claim_one(store, queue="gpu")
        assert (again.job_id, again.name) == (job.id, "t2")

    async def test_the_most_urgent_of_a_queue_is_next_in_that_queue_and_moves_nothing_in_others(
        self, store: Store
    ) -> None:
        await store.hello(work.new_worker(queues=("gpu",)))
        for elsewhere in (True, False):
            if elsewhere:
                await work.enqueue(store, priority=-5)
            low = await work.enqueue(store, queue="gpu", priority=-5)
            (before, *_) = (await store.stats(None)).queues
            high = await work.enqueue(store, queue="gpu", priority=5)
            (after, *_) = (await store.stats(None)).queues
            assert (after.queue, after.waiting, after.ready) == ("encode", before.waiting, before.ready)
            assert [claim.job_id for claim in await work.claim(store, queue="gpu", limit=2)] == [high.id, low.id]
            await work.claim(store)

    async def test_a_queue_is_known_once_a_worker_that_takes_from_it_has_started_and_not_before(
        self, store: Store
    ) -> None:
        assert not await store.pause("gpu", "")
        assert not await store.resume("gpu")
        assert not await store.set_quota(Quota(tenant_id=MANY, queue="gpu", cap=1))
        assert (await store.known_queues(), await store.quotas()) == (["encode", "io"], [])
        await store.hello(work.new_worker(queues=("gpu", "io")))
        assert await store.known_queues() == ["encode", "gpu", "io"]
        assert await store.resume("gpu")
        assert await store.pause("gpu", "")
        assert await store.set_quota(Quota(tenant_id=MANY, queue="gpu", cap=1))

    async def test_a_job_says_whether_a_live_worker_takes_from_its_queue(
        self, store: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        early = work.new_worker(queues=("gpu",))
        await store.hello(early)
        await store.bye(early.id)
        job = await work.enqueue(store, queue="gpu")

        async def taken() -> bool:
            found = await read(store, job)
            assert found.holdup is not None
            return found.holdup.taken

        await store.hello(work.new_worker())
        assert not await taken()  # from others
        worker = work.new_worker(queues=("encode", "gpu"))
        await store.hello(worker)
        assert await taken()
        with monkeypatch.context() as later:
            later.setattr(reading, "SEEN", timedelta(0))
            assert not await taken()
        await store.draining(worker.id)
        assert not await taken()


class QueueSuite:
    async def test_nothing_starts_while_a_queue_is_paused_and_what_runs_goes_on(self, store: Store) -> None:
        await backlog(store, DEFAULT_TENANT, 4)
        running, _ = await work.claim(store, limit=2, ahead=1)
        await store.pause("encode", "the driver")
        assert await work.claim(store, limit=9) == []
        job = await work.enqueue(store)
        assert await work.claim(store, limit=9) == []
        await done(store, running)

        found = await read(store, job)
        assert found.task_state is TaskState.WAITING
        assert found.holdup is not None
        assert found.holdup.paused_because == "the driver"
        (encode, _) = (await store.stats(None)).queues
        assert (encode.waiting, encode.ready, encode.paused_because) == (3, 0, "the driver")
        assert encode.paused_at is not None

        assert await store.resume("encode")
        assert len(await work.claim(store, limit=9)) == 3
        (encode, _) = (await store.stats(None)).queues
        assert (encode.paused_at, encode.paused_because) == (None, None)

    async def test_a_pause_keeps_its_beginning_and_takes_the_new_reason(self, store: Store) -> None:
        await store.pause("encode", "one")
        (before, _) = (await store.stats(None)).queues
        await store.pause("encode", "two")
        (after, _) = (await store.stats(None)).queues
        assert (after.paused_at, after.paused_because) == (before.paused_at, "two")
        await store.pause("encode", "")
        assert (await store.stats(None)).queues[0] == after, "what nobody says anew stays"

    async def test_a_cap_takes_back_what_stands_in_line(self, store: Store) -> None:
        await backlog(store, MANY, 5)
        await work.claim(store, limit=2, ahead=2)
        await cap(store, MANY, 2)
        assert await work.claim(store, limit=9) == []
        await cap(store, MANY, None)
        assert len(await work.claim(store, limit=9)) == 3

    async def test_a_job_says_that_its_tenants_cap_holds_it_up(self, store: Store) -> None:
        await cap(store, DEFAULT_TENANT, 1)
        await work.working(store)
        job = await work.enqueue(store)
        found = await read(store, job)
        assert found.holdup is not None
        assert (found.holdup.cap, found.holdup.running, found.holdup.paused_at) == (1, 1, None)

    async def test_quotas_are_kept_and_replaced(self, store: Store) -> None:
        await cap(store, MANY, 3, share=2)
        await cap(store, MANY, 4)
        await store.set_quota(Quota(tenant_id=FEW, queue="io", cap=None, share=5))
        assert await store.quotas() == [
            Quota(tenant_id=MANY, queue="encode", cap=4, share=1),
            Quota(tenant_id=FEW, queue="io", cap=None, share=5),
        ]
