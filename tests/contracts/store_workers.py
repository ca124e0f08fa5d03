"""What every store knows of workers, and how it wakes them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

from encoder.store.protocol import Store
from encoder.store.rows import Beat
from tests.lab import work

LATELY = timedelta(minutes=1)


class Heard:
    """What an ear has heard, to be awaited one by one."""

    def __init__(self) -> None:
        self._hints: asyncio.Queue[str] = asyncio.Queue()

    def __call__(self, hint: str) -> None:
        self._hints.put_nowait(hint)

    async def until(self, hint: str) -> None:
        async with asyncio.timeout(20):
            while await self._hints.get() != hint:
                pass

    async def next(self) -> str:
        async with asyncio.timeout(20):
            return await self._hints.get()

    @property
    def silent(self) -> bool:
        return self._hints.empty()


@asynccontextmanager
async def listening(store: Store) -> AsyncIterator[Heard]:
    """An ear that hears, from its first sign of life on."""
    ear, heard = store.ear(), Heard()
    listener = asyncio.create_task(ear.listen(heard))
    try:
        await heard.until("reconnected")
        assert ear.healthy
        yield heard
    finally:
        listener.cancel()
        with suppress(asyncio.CancelledError):
            await listener
        assert not ear.healthy


class WorkerSuite:
    async def test_a_worker_is_shown_as_it_introduced_itself(self, store: Store) -> None:
        worker = work.new_worker()
        await store.hello(worker)
        (row,) = await store.workers(seen_within=LATELY)
        assert row.info == worker
        assert (row.draining, row.running) == (False, ())

    async def test_a_worker_shows_what_it_runs(self, store: Store) -> None:
        worker = work.new_worker()
        await store.hello(worker)
        job = await work.enqueue(store)
        (claim,) = await work.claim(store, worker=worker.id)
        heart = store.heart()
        await heart.beat(worker.id, [Beat(task_id=claim.task_id, epoch=claim.epoch, stage="encode")], lease=work.LEASE)
        await heart.close()
        ((running,),) = [row.running for row in await store.workers(seen_within=LATELY)]
        assert (running.job_id, running.job_uuid, running.kind, running.stage) == (
            job.id,
            job.uuid,
            "transcode",
            "encode",
        )

    async def test_a_beat_without_tasks_still_shows_that_the_worker_lives(self, store: Store) -> None:
        worker = work.new_worker()
        await store.hello(worker)
        (before,) = await store.workers(seen_within=LATELY)
        heart = store.heart()
        await heart.beat(worker.id, [], lease=work.LEASE)
        await heart.close()
        (after,) = await store.workers(seen_within=LATELY)
        assert after.seen_at > before.seen_at
        assert await store.workers(seen_within=timedelta(0)) == []

    async def test_a_worker_drains_and_leaves(self, store: Store) -> None:
        worker, other = work.new_worker("a"), work.new_worker("b")
        await store.hello(worker)
        await store.hello(other)
        await store.draining(worker.id)
        assert [row.draining for row in await store.workers(seen_within=LATELY)] == [True, False]
        await store.bye(worker.id)
        assert [row.info.host for row in await store.workers(seen_within=LATELY)] == ["b"]


class ClinicSuite:
    async def test_a_healthy_queue_agrees_with_its_tasks(self, store: Store) -> None:
        for job in [await work.enqueue(store) for _ in range(3)]:
            await work.claim_one(store)
            await store.cancel(job.id)
        await work.enqueue(store)
        asked = time.time()
        seen = await store.checkup()
        assert (seen.stray, seen.missing) == (0, 0)
        assert asked - 1 < seen.at.timestamp() < time.time() + 1
        assert seen.oldest_s is None or seen.oldest_s >= 0


class WakeSuite:
    async def test_an_enqueue_wakes_those_who_claim(self, store: Store) -> None:
        async with listening(store) as heard:
            await work.enqueue(store, hook=work.HOOK)
            told: set[str] = set()
            while not told >= {"ready:encode", "ready:io"}:  # an ear may hear of other things between them
                told.add(await heard.next())

    async def test_a_job_and_its_retry_wake_those_who_take_from_its_queue(self, store: Store) -> None:
        await store.hello(work.new_worker(queues=("gpu",)))
        async with listening(store) as heard:
            job = await work.enqueue(store, queue="gpu")
            await heard.until("ready:gpu")
            await store.settle(await work.claim_one(store, queue="gpu"), work.failing())
        async with listening(store) as heard:
            await store.retry(job.id, max_attempts=3)
            await heard.until("ready:gpu")

    async def test_a_cancel_wakes_the_worker_of_the_job(self, store: Store) -> None:
        async with listening(store) as heard:
            job = await work.enqueue(store)
            await store.cancel(job.id)
            await heard.until(f"cancel:{job.id}")

    async def test_a_burst_of_work_is_few_hints(self, store: Store) -> None:
        async with listening(store) as heard:
            await asyncio.gather(*(store.hint("ready:encode") for _ in range(100)))
            await store.hint("the:end")
            hints = [await heard.next()]
            while hints[-1] != "the:end":
                hints.append(await heard.next())
        assert hints.count("ready:encode") <= 2

    async def test_work_that_comes_back_wakes_those_who_claim(self, store: Store) -> None:
        _, claim = await work.working(store)
        async with listening(store) as heard:
            await store.settle(claim, work.RELEASED)
            await heard.until("ready:encode")
            await store.settle(await work.claim_one(store), work.retrying(work.PAST))
            await store.due()
            await heard.until("ready:encode")

    async def test_a_hint_to_nobody_is_no_fault(self, store: Store) -> None:
        await store.hint("ready:encode")
        await store.close()
        await store.hint("ready:encode")
