"""How every store tells of the whole: workers that were lost, how work comes and goes, what became of it over time."""

from __future__ import annotations

from datetime import timedelta

from encoder.model.ids import DEFAULT_TENANT, TenantId
from encoder.model.state import JobState, OutputState, TaskState
from encoder.queue import settle
from encoder.store.fleet import Quota, Span, UsedBy, Waiting, WorkerRow
from encoder.store.protocol import Store
from encoder.store.rows import Beat, DeliveryTry, Live
from tests.contracts.store_jobs import OTHER_TENANT, read
from tests.contracts.store_usage import delivered
from tests.lab import work

DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)


async def only_worker(store: Store) -> WorkerRow:
    (row,) = await store.workers(seen_within=DAY)
    return row


class FleetSuite:
    async def test_a_worker_shows_how_far_what_it_runs_is(self, store: Store) -> None:
        worker = work.new_worker()
        await store.hello(worker)
        job = await work.enqueue(store, tenant=OTHER_TENANT, label="holiday.mov")
        (claim,) = await work.claim(store, worker=worker.id)
        live = {work.change(0, OutputState.QUEUED).id: Live(stage="encoding", progress=0.41, fps=118.0, speed=3.9)}
        heart = store.heart()
        beat = Beat(task_id=claim.task_id, epoch=claim.epoch, stage="encoding", live=live)
        await heart.beat(worker.id, [beat], lease=work.LEASE)
        await heart.close()
        (running,) = (await only_worker(store)).running
        assert (running.job_id, running.label, running.tenant_id) == (job.id, "holiday.mov", OTHER_TENANT)
        assert (running.queue, running.attempt, running.live) == ("encode", 1, live)
        assert running.since <= running.beat_at

    async def test_a_worker_whose_task_was_taken_is_lost_until_it_is_seen_again(self, store: Store) -> None:
        """Seen to fail where nobody notes what was taken."""
        worker = work.new_worker()
        await store.hello(worker)
        job = await work.enqueue(store)
        (claim,) = await work.claim(store, worker=worker.id, lease=work.PAST)
        assert not (await only_worker(store)).lost
        (expired,) = await store.expired()
        assert expired.worker_id == worker.id
        settled = await store.rescue(claim, settle.lost(claim))
        assert settled is not None
        await store.note_lost(worker.id, expired.claim, settled.task_state)
        row = await only_worker(store)
        assert row.lost
        (taken,) = row.taken
        assert (taken.job_id, taken.tenant_id, taken.kind) == (job.id, DEFAULT_TENANT, "transcode")
        assert taken.state is TaskState.WAITING
        assert taken.at > row.seen_at
        assert row.info == worker
        await store.tell_about(worker.id, worker.about | {"machine": {"load": 1.5}})
        row = await only_worker(store)
        assert (row.lost, row.taken, row.machine, row.info) == (False, (), {"load": 1.5}, worker)

    async def test_what_was_lost_with_a_worker_is_kept_to_fifty(self, store: Store) -> None:
        worker = work.new_worker()
        await store.hello(worker)
        await work.enqueue(store)
        await work.claim(store, worker=worker.id, lease=work.PAST)
        (expired,) = await store.expired()
        for _ in range(52):
            await store.note_lost(worker.id, expired.claim, TaskState.FAILED)
        assert len((await only_worker(store)).taken) == 50

    async def test_a_pause_tells_who_asked_for_it_and_keeps_what_was_said(self, store: Store) -> None:
        async def told() -> tuple[str | None, str | None]:
            (encode, _) = await store.depths(None)
            return encode.paused_because, encode.paused_by

        assert await store.pause("encode", "the driver", "ci-admin")
        assert await told() == ("the driver", "ci-admin")
        job = await read(store, await work.enqueue(store))
        assert job.holdup is not None
        assert job.holdup.paused_because == "the driver"
        await store.pause("encode", "", "another")
        assert await told() == ("the driver", "ci-admin")
        await store.pause("encode", "the rack", None)
        assert await told() == ("the rack", None)
        await store.resume("encode")
        assert await told() == (None, None)
        await store.pause("encode", "", "another")
        assert await told() == (None, "another")

    async def test_paces_tell_what_came_how_long_it_waited_and_who_waits(self, store: Store) -> None:
        for _ in range(3):
            await work.enqueue(store)
        for _ in range(2):
            await work.enqueue(store, tenant=OTHER_TENANT)
        await store.set_quota(Quota(tenant_id=OTHER_TENANT, queue="encode", cap=0, share=2))
        running, ended = await work.claim(store, limit=2)
        await store.settle(ended, work.failing())
        encode, io = await store.paces(["encode", "io"], came_within=MINUTE, began_within=MINUTE)
        assert (encode.arrivals_per_minute, io.arrivals_per_minute) == (5.0, 0.0)
        assert len(encode.waits_s) == 2
        assert 0 <= encode.waits_s[0] <= encode.waits_s[1] < 60
        assert Waiting(tenant_id=OTHER_TENANT, waiting=2, used=0, cap=0, share=2) in encode.tenants
        assert sum(each.waiting for each in encode.tenants) == 5 - 2 - (await store.depths(None))[0].ready
        assert (io.waits_s, io.tenants) == ((), ())
        assert running.job_id != ended.job_id
        moment = timedelta(microseconds=1)
        early = await store.paces(["encode"], came_within=moment, began_within=moment)
        assert (early[0].arrivals_per_minute, early[0].waits_s) == (0.0, ())

    async def test_deliveries_that_fail_are_counted_of_their_tenant_alone(self, store: Store) -> None:
        await work.enqueue(store, hook=work.HOOK)
        assert await store.failing(DEFAULT_TENANT) is None
        for state in ("pending", "pending", "exhausted"):
            await store.due()
            (claim,) = await work.claim(store, queue="io")
            again = work.retrying(work.PAST) if state == "pending" else work.failing()
            told = DeliveryTry(state=state, status=503, error=None, answer=None)
            await store.settle_delivery(claim, told, again)
            failing = await store.failing(DEFAULT_TENANT)
            assert (None if failing is None else failing.deliveries) == (None if claim.attempt == 1 else 1)
        assert await store.failing(OTHER_TENANT) is None


class SpanSuite:
    async def test_a_span_tells_what_ended_in_it_and_what_it_used(self, store: Store) -> None:
        """Deleted jobs too; none that still runs. Seen to fail where tenants are not kept apart."""
        first = await delivered(store, seconds=60.0, cpu=12.0, size_bytes=3 << 40, presets=("web",))
        await delivered(store, seconds=None, cpu=None, size_bytes=1, end=work.failing(work.problem("timeout")))
        await store.delete((await delivered(store, seconds=2.0, cpu=0.5, size_bytes=7)).id)
        await delivered(store, seconds=0.5, cpu=0.25, size_bytes=2, tenant=OTHER_TENANT)
        cancelled = await work.enqueue(store)
        await store.cancel(cancelled.id)
        await work.working(store)
        at = (await read(store, first)).finished_at
        assert at is not None

        async def told(tenant: TenantId | None, most: int = 100, **times: timedelta) -> Span:
            since, until = at - times.get("before", timedelta(0)), at + times.get("after", MINUTE)
            return await store.span(tenant, since=since, until=until, most=most)

        span = await told(None)
        assert not span.cut
        by_state = {state: sum(each.jobs for each in span.ended if each.state is state) for state in JobState}
        assert by_state == {
            JobState.QUEUED: 0,
            JobState.PROCESSING: 0,
            JobState.COMPLETED: 0,
            JobState.FAILED: 4,
            JobState.CANCELLED: 1,
        }
        assert {each.code for each in span.ended if each.state is JobState.FAILED} == {"timeout", "source_truncated"}
        waited = [each.step for each in span.ended if each.state is JobState.FAILED]
        assert all(step is not None and -80 <= step < 80 for step in waited)
        assert all(each.step is None for each in span.ended if each.state is JobState.CANCELLED)
        theirs = UsedBy(
            tenant_id=OTHER_TENANT, preset=None, outputs=1, output_seconds=0.5, cpu_seconds=0.25, delivered_bytes=2
        )
        web = UsedBy(
            tenant_id=DEFAULT_TENANT,
            preset="web",
            outputs=1,
            output_seconds=60.0,
            cpu_seconds=12.0,
            delivered_bytes=3 << 40,
        )
        none = UsedBy(
            tenant_id=DEFAULT_TENANT, preset=None, outputs=2, output_seconds=2.0, cpu_seconds=0.5, delivered_bytes=8
        )
        assert span.used == (web, none, theirs)
        own = await told(OTHER_TENANT)
        assert (sum(each.jobs for each in own.ended), own.used) == (1, (theirs,))
        cut = await told(None, most=2)
        assert cut.cut
        assert sum(each.jobs for each in cut.ended) == 2
        assert await told(None, before=DAY, after=timedelta(0)) == Span(ended=(), used=(), cut=False)

    async def test_a_job_that_ran_again_tells_no_wait(self, store: Store) -> None:
        job, claim = await work.working(store)
        await store.settle(claim, work.failing())
        await store.retry(job.id, max_attempts=3)
        again = await work.claim_one(store)
        await store.mark(again)
        await store.settle(again, work.failing())
        at = (await read(store, job)).finished_at
        assert at is not None
        (ended,) = (await store.span(None, since=at, until=at + MINUTE, most=10)).ended
        assert (ended.state, ended.step, ended.jobs) == (JobState.FAILED, None, 1)
