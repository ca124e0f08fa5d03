"""What every store knows of jobs that are watched: whether they changed, how they stand, and that somebody is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from encoder.model.ids import JobId, OutputId, TenantId
from encoder.model.state import JobState, OutputState
from encoder.store.news import WATCHED
from encoder.store.protocol import Store
from encoder.store.rows import Beat, Live
from tests.contracts.store_workers import Heard, listening
from tests.lab import work

OURS, THEIRS = TenantId(1), TenantId(2)


@asynccontextmanager
async def watching(store: Store) -> AsyncIterator[Heard]:
    """An ear for news, that others know of."""
    ear, heard = store.news_ear(), Heard()
    listener = asyncio.create_task(ear.listen(heard))
    try:
        await store.hint(WATCHED)
        if has_news_of_others(store):
            await heard.until("reconnected")
        else:
            await asyncio.sleep(0)
        yield heard
    finally:
        listener.cancel()
        with suppress(asyncio.CancelledError):
            await listener


def has_news_of_others(store: Store) -> bool:
    return "Postgres" in type(store).__name__


async def glance(store: Store, job_id: JobId) -> object:
    return (await store.glances([job_id])).get(job_id)


class WatchingSuite:
    async def test_a_glance_tells_whether_a_job_has_changed(self, store: Store) -> None:
        job = await work.enqueue(store)
        seen = [await glance(store, job.id)]
        assert await glance(store, job.id) == seen[0]
        claim = await work.claim_one(store)
        seen.append(await glance(store, job.id))
        await store.mark(claim, [work.change(0, OutputState.ENCODING)])
        seen.append(await glance(store, job.id))
        heart = store.heart()
        live = {OutputId(0): Live(stage="encoding", progress=0.5)}
        await heart.beat(
            work.new_worker().id, [Beat(task_id=claim.task_id, epoch=claim.epoch, live=live)], lease=work.LEASE
        )
        await heart.close()
        seen.append(await glance(store, job.id))
        await store.settle(claim, work.failing())
        seen.append(await glance(store, job.id))
        await store.retry(job.id, max_attempts=1)
        seen.append(await glance(store, job.id))
        assert len({*seen}) == 6
        await store.delete(job.id)
        assert await store.glances([job.id, JobId(987)]) == {}

    async def test_jobs_of_all_tenants_are_read_at_once_with_what_happened_since(self, store: Store) -> None:
        ours, theirs = await work.enqueue(store, outputs=2), await work.enqueue(store, tenant=THEIRS)
        gone = await work.enqueue(store)
        await store.delete(gone.id)
        await store.cancel(theirs.id)
        sights = {sight.job.id: sight for sight in await store.sights({ours.id: 1, theirs.id: 1, gone.id: 0})}
        assert sights.keys() == {ours.id, theirs.id}
        assert sights[ours.id].job == (await store.job(OURS, str(ours.id)))
        assert sights[ours.id].events == ()
        happened = await store.events(theirs.id, after=1)
        assert sights[theirs.id].events == tuple(happened)
        assert (sights[theirs.id].job.state, sights[theirs.id].job.seq) == (JobState.CANCELLED, happened[-1].seq)
        assert await store.sights({}) == []

    async def test_what_a_tenant_has_changed_since_a_moment_is_found(self, store: Store) -> None:
        running, _ = await work.working(store)
        quiet, ended, gone, again = [await work.enqueue(store) for _ in range(4)]
        await store.cancel(again.id)
        since = await store.moment()
        new = await work.enqueue(store)
        await work.enqueue(store, tenant=THEIRS)
        await store.cancel(ended.id)
        await store.delete(gone.id)
        await store.retry(again.id, max_attempts=1)
        found = await store.stirred([OURS], since, limit=100)
        assert found == dict.fromkeys((running.id, new.id, ended.id, gone.id, again.id), OURS)
        assert quiet.id not in found
        assert (await store.stirred([THEIRS], since, limit=100)).keys().isdisjoint(found)
        assert len(await store.stirred([OURS, THEIRS], since, limit=1)) <= 4

    async def test_who_watches_hears_of_each_change(self, store: Store) -> None:
        async with watching(store) as heard:
            job = await work.enqueue(store)
            news = f"job:1:{job.id}"
            await heard.until(news)
            claim = await work.claim_one(store)
            await store.mark(claim, [work.change(0, OutputState.ENCODING)])
            await heard.until(news)
            await store.settle(claim, work.failing())
            await heard.until(news)
            await store.retry(job.id, max_attempts=1)
            await heard.until(news)
            await store.cancel(job.id)
            await heard.until(news)
            await store.delete(job.id)
            await heard.until(news)

    async def test_where_nobody_watches_nothing_is_said(self, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        sent: list[str] = []
        monkeypatch.setattr(store._news._hints, "send", sent.append)  # type: ignore[attr-defined]  # of every engine
        job = await work.enqueue(store)
        await store.cancel(job.id)
        assert sent == []
        await store.hint(WATCHED)
        await store.delete(job.id)
        assert sent == [f"job:1:{job.id}"]

    async def test_news_wake_nobody_who_waits_for_work(self, store: Store) -> None:
        async with watching(store), listening(store) as heard:
            job = await work.enqueue(store)
            await store.cancel(job.id)
            await heard.until(f"cancel:{job.id}")
            await asyncio.sleep(0.1)
            while not heard.silent:
                assert not (await heard.next()).startswith("job:")
