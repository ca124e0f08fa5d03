"""What every store takes away."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from encoder.model.ids import DEFAULT_TENANT
from encoder.store.protocol import Store
from encoder.store.rows import Accepted, DeliveryTry
from tests.lab import work

AT_ONCE = timedelta(0)
HEARD = DeliveryTry(state="delivered", status=204, error=None, answer="")


async def ended(store: Store, **wanted: object) -> Accepted:
    """A job of one output that was cancelled."""
    job = await work.enqueue(store, **wanted)
    await store.cancel(job.id)
    return job


async def tell_all(store: Store) -> None:
    for claim in await work.claim(store, queue="io", limit=10):
        await store.settle_delivery(claim, HEARD, work.DONE)


class RetentionSuite:
    async def test_what_ended_is_found_in_order_behind_a_place_and_what_lives_is_not(self, store: Store) -> None:
        await work.enqueue(store)
        jobs = [await ended(store) for _ in range(3)]
        found = await store.ended_jobs(ended_for=AT_ONCE, limit=10)
        assert [each.id for each in found] == [job.id for job in jobs]
        assert [each.uuid for each in found] == [job.uuid for job in jobs]
        assert [each.at for each in found] == sorted(each.at for each in found)
        first = await store.ended_jobs(ended_for=AT_ONCE, limit=2)
        assert list(first) == list(found[:2])
        assert await store.ended_jobs(ended_for=AT_ONCE, limit=2, after=first[-1]) == found[2:]
        assert await store.ended_jobs(ended_for=timedelta(hours=1), limit=10) == []

    async def test_all_rows_of_a_job_are_removed_and_none_of_another(self, store: Store) -> None:
        job, kept = await ended(store, outputs=2, tags=("one",)), await ended(store, tags=("one",))
        assert await store.remove_jobs([job.id]) == 1
        assert await store.job(DEFAULT_TENANT, str(job.id)) is None
        assert await store.events(job.id, after=0, limit=10) == []
        assert [each.id for each in await store.ended_jobs(ended_for=AT_ONCE, limit=10)] == [kept.id]
        assert sum((await store.stats(DEFAULT_TENANT)).jobs.values()) == 1
        assert await work.claim(store) == []  # the places of both were tombstones
        assert await store.remove_jobs([job.id]) == 0
        assert await store.remove_jobs([]) == 0

    async def test_a_job_that_runs_again_stays(self, store: Store) -> None:
        job = await ended(store)
        (found,) = await store.ended_jobs(ended_for=AT_ONCE, limit=10)
        await store.retry(job.id, max_attempts=3)
        assert await store.remove_jobs([found.id]) == 0
        assert (await work.claim_one(store)).job_id == job.id

    async def test_a_job_whose_receiver_was_not_told_yet_stays(self, store: Store) -> None:
        job = await ended(store, hook=work.HOOK)
        assert await store.ended_jobs(ended_for=AT_ONCE, limit=10) == []
        assert await store.remove_jobs([job.id]) == 0
        await tell_all(store)
        assert await store.remove_jobs([job.id]) == 1
        assert await work.deliveries(store, job.id) == []

    async def test_what_its_caller_deleted_is_found_whenever_it_ended(self, store: Store) -> None:
        await ended(store)
        running, deleted = await work.working(store), await work.enqueue(store)
        await store.delete(deleted.id)
        await store.delete(running[0].id)
        (found,) = await store.deleted_jobs(limit=10)
        assert (found.id, found.uuid) == (deleted.id, deleted.uuid)
        assert await store.deleted_jobs(limit=10, after=found) == []
        await store.settle(running[1], work.CANCELLED)
        assert len(await store.deleted_jobs(limit=10)) == 2

    async def test_a_job_that_is_told_again_at_that_moment_is_there_whole_or_not_at_all(self, store: Store) -> None:
        """Replay against removal: no task is left without its job."""
        for _ in range(10):
            job = await ended(store, hook=work.HOOK)
            await tell_all(store)
            (delivery,) = await work.deliveries(store, job.id, limit=1)
            told, removed = await asyncio.gather(store.replay(DEFAULT_TENANT, delivery.id), store.remove_jobs([job.id]))
            assert told is not bool(removed)
            assert len(await work.claim(store, queue="io")) == told
