"""What every store does for callers."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from encoder import errors
from encoder.model.base import Json
from encoder.model.event import EventType
from encoder.model.ids import DEFAULT_TENANT, JobId, OutputId, TenantId
from encoder.model.state import JobState, OutputState, TaskState
from encoder.queue import erase
from encoder.store.protocol import Store
from encoder.store.rows import Accepted, Beat, JobFilter, JobRow, Live, Settlement
from tests.lab import work

OTHER_TENANT = TenantId(2)


async def read(store: Store, job: Accepted) -> JobRow:
    found = await store.job(DEFAULT_TENANT, str(job.id))
    assert found is not None
    return found


async def event_types(store: Store, job_id: JobId) -> list[EventType]:
    events = await store.events(job_id)
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    return [event.type for event in events]


def code_of(refused: pytest.ExceptionInfo[errors.Rejected]) -> str:
    return refused.value.faults[0].code


class EnqueueSuite:
    async def test_an_accepted_job_is_there_whole_and_can_be_claimed(self, store: Store) -> None:
        wanted = work.new_job(outputs=2, tags=("a", "b"), sealed=b"secret")
        accepted = await store.enqueue(wanted)

        job = await read(store, accepted)
        assert (job.uuid, job.state, job.run, job.label) == (wanted.uuid, JobState.QUEUED, 1, "in.mp4")
        assert job.spec == wanted.spec
        assert list(job.spec.metadata) == ["z", "a"]  # as it was sent, in its order
        assert job.sealed == b"secret"
        assert [(output.id, output.state) for output in job.outputs] == [
            (0, OutputState.QUEUED),
            (1, OutputState.QUEUED),
        ]
        assert [output.spec.width for output in job.outputs] == [100, 102]
        assert job.task_state in (TaskState.WAITING, TaskState.READY)
        assert await event_types(store, accepted.id) == [EventType.JOB_SUBMITTED]
        assert (await work.claim_one(store)).job_id == accepted.id

    async def test_a_repeated_key_with_the_same_body_gives_the_first_answer(self, store: Store) -> None:
        first = await work.enqueue(store, key="k", body=b"1")
        again = await work.enqueue(store, key="k", body=b"1")

        assert (again.id, again.uuid) == (first.id, first.uuid)
        assert (first.replayed, again.replayed) == (False, True)
        assert len(await store.jobs(JobFilter(tenant_id=DEFAULT_TENANT))) == 1
        assert len(await work.claim(store, limit=5)) == 1

    async def test_a_repeated_key_with_another_body_is_refused(self, store: Store) -> None:
        await work.enqueue(store, key="k", body=b"1")
        with pytest.raises(errors.Rejected) as refused:
            await work.enqueue(store, key="k", body=b"2")
        assert code_of(refused) == "idempotency_mismatch"

    async def test_a_key_belongs_to_one_tenant(self, store: Store) -> None:
        ours = await work.enqueue(store, key="k", body=b"1")
        theirs = await work.enqueue(store, key="k", body=b"2", tenant=OTHER_TENANT)
        assert ours.id != theirs.id

    async def test_callers_who_send_one_key_at_the_same_time_get_one_job(self, store: Store) -> None:
        answers = await asyncio.gather(*(work.enqueue(store, key="k", body=b"1", hook=work.HOOK) for _ in range(8)))
        assert len({answer.id for answer in answers}) == 1
        assert sum(not answer.replayed for answer in answers) == 1
        assert len(await work.claim(store, limit=9)) == 1
        assert len(await work.claim(store, queue="io", limit=9)) == 1

    async def test_what_a_key_has_made_is_told_without_making_anything(self, store: Store) -> None:
        first = await work.enqueue(store, key="k", body=b"1")
        assert await store.enqueued(DEFAULT_TENANT, "k", b"1") == replace(first, replayed=True)
        for key, tenant in (("other", DEFAULT_TENANT), ("k", OTHER_TENANT), (None, DEFAULT_TENANT)):
            assert await store.enqueued(tenant, key, b"1") is None
        with pytest.raises(errors.Rejected) as refused:
            await store.enqueued(DEFAULT_TENANT, "k", b"2")
        assert code_of(refused) == "idempotency_mismatch"
        assert len(await store.jobs(JobFilter(tenant_id=DEFAULT_TENANT))) == 1

    async def test_a_job_of_higher_priority_is_claimed_first(self, store: Store) -> None:
        low = await work.enqueue(store, priority=-100)
        plain = await work.enqueue(store)
        high = await work.enqueue(store, priority=100)
        claims = await work.claim(store, limit=5)
        assert [claim.job_id for claim in claims] == [high.id, plain.id, low.id]


class CancelSuite:
    async def test_cancelling_a_queued_job_ends_it_at_once(self, store: Store) -> None:
        job = await work.enqueue(store, outputs=2)

        assert await store.cancel(job.id) is JobState.CANCELLED
        found = await read(store, job)
        assert found.state is JobState.CANCELLED
        assert {output.state for output in found.outputs} == {OutputState.CANCELLED}
        assert found.finished_at is not None
        assert await work.claim(store) == []
        assert await event_types(store, job.id) == [
            EventType.JOB_SUBMITTED,
            EventType.JOB_CANCEL_REQUESTED,
            EventType.JOB_CANCELLED,
        ]

    async def test_cancelling_a_running_job_reaches_its_worker_and_ends_with_its_settle(self, store: Store) -> None:
        job, claim = await work.working(store)
        heart = store.heart()
        beat = Beat(task_id=claim.task_id, epoch=claim.epoch)
        worker = work.new_worker()

        assert await store.cancel(job.id) is JobState.QUEUED
        assert (await read(store, job)).cancel_requested
        (pulse,) = await heart.beat(worker.id, [beat], lease=work.LEASE)
        assert pulse.cancel
        settled = await store.settle(claim, work.CANCELLED)
        await heart.close()

        assert settled.job_state is JobState.CANCELLED
        assert (await read(store, job)).outputs[0].state is OutputState.CANCELLED

    async def test_a_cancel_that_comes_after_the_last_upload_loses(self, store: Store) -> None:
        job, claim = await work.working(store)
        await store.mark(claim, work.uploaded(0))
        await store.cancel(job.id)
        assert (await store.settle(claim, work.DONE)).job_state is JobState.COMPLETED

    @pytest.mark.parametrize("settlement", [work.LOST, work.RELEASED, work.retrying()])
    async def test_a_cancelled_job_gets_no_further_attempt(self, store: Store, settlement: Settlement) -> None:
        job, claim = await work.working(store)
        await store.cancel(job.id)
        settled = await store.settle(claim, settlement)
        assert (settled.task_state, settled.job_state) == (TaskState.CANCELLED, JobState.CANCELLED)
        assert await work.claim(store) == []

    async def test_cancelling_a_job_that_waits_for_its_next_attempt_ends_it(self, store: Store) -> None:
        job, claim = await work.working(store)
        await store.settle(claim, work.retrying())
        assert await store.cancel(job.id) is JobState.CANCELLED
        assert await store.next_due() is None

    async def test_asking_twice_is_asking_once(self, store: Store) -> None:
        job, _ = await work.working(store)
        await store.cancel(job.id)
        await store.cancel(job.id)
        assert (await event_types(store, job.id)).count(EventType.JOB_CANCEL_REQUESTED) == 1

    async def test_an_ended_job_cannot_be_cancelled(self, store: Store) -> None:
        job = await work.enqueue(store)
        await store.cancel(job.id)
        with pytest.raises(errors.Rejected) as refused:
            await store.cancel(job.id)
        assert code_of(refused) == "job_ended"

    async def test_an_unknown_job_cannot_be_cancelled(self, store: Store) -> None:
        with pytest.raises(errors.Rejected) as refused:
            await store.cancel(JobId(404))
        assert code_of(refused) == "not_found"


class RetrySuite:
    async def test_a_retry_runs_only_what_failed(self, store: Store) -> None:
        job, claim = await work.working(store, outputs=2)
        await store.mark(claim, work.uploaded(0))
        await store.settle(claim, work.failing())

        assert await store.retry(job.id, max_attempts=5) == 2
        found = await read(store, job)
        assert (found.state, found.run, found.problem, found.finished_at) == (JobState.QUEUED, 2, None, None)
        assert [output.state for output in found.outputs] == [OutputState.UPLOADED, OutputState.QUEUED]
        assert (found.outputs[1].problem, found.outputs[1].attempts) == (None, 0)

        again = await work.claim_one(store)
        assert (again.job_id, again.name, again.max_attempts, again.attempt) == (job.id, "t2", 5, 1)
        assert again.task_id != claim.task_id
        assert (await store.settle(again, work.done(1))).job_state is JobState.COMPLETED

    async def test_a_retry_of_a_cancelled_job_forgets_the_cancel(self, store: Store) -> None:
        job = await work.enqueue(store)
        await store.cancel(job.id)
        await store.retry(job.id, max_attempts=3)
        assert not (await read(store, job)).cancel_requested
        assert (await store.settle(await work.claim_one(store), work.done(0))).job_state is JobState.COMPLETED

    async def test_each_run_tells_its_end_once(self, store: Store) -> None:
        job, claim = await work.working(store)
        await store.settle(claim, work.failing())
        await store.retry(job.id, max_attempts=3)
        await store.settle(await work.claim_one(store), work.failing())
        ends = [event for event in await store.events(job.id) if event.type is EventType.JOB_FAILED]
        assert [event.run for event in ends] == [1, 2]

    async def test_secrets_are_erased_after_the_end_and_then_there_is_no_retry(self, store: Store) -> None:
        """P6"""
        living = await work.enqueue(store, sealed=b"secret")
        ended = await work.enqueue(store, sealed=b"secret")
        await store.cancel(ended.id)
        assert await store.erase_secrets(ended_for=timedelta(hours=1), look=10) is None
        erased = await store.erase_secrets(ended_for=timedelta(0), look=10)
        assert erased is not None
        assert (erased.count, erased.last.id) == (1, ended.id)
        assert await store.erase_secrets(ended_for=timedelta(0), look=10, after=erased.last) is None
        assert await store.erase_secrets(ended_for=timedelta(0), look=10) is None
        assert (await read(store, ended)).sealed is None
        assert (await read(store, living)).sealed == b"secret"
        with pytest.raises(errors.Rejected) as refused:
            await store.retry(ended.id, max_attempts=3)
        assert code_of(refused) == "secrets_erased"

    async def test_sweeps_erase_the_secrets_of_all_that_ended_and_of_those_that_end_later(
        self, store: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """P6"""
        monkeypatch.setattr(erase, "SECRETS_KEPT", timedelta(0))
        monkeypatch.setattr(erase, "BATCH", 2)
        sweep = erase.SecretSweep(store, uniform=lambda low, _high: low)
        for count in (5, 1):
            for _ in range(count):
                await store.cancel((await work.enqueue(store, sealed=b"secret")).id)
                await store.cancel((await work.enqueue(store)).id)
            assert await sweep.sweep() == count
        assert await sweep.sweep() == 0

    async def test_there_is_nothing_to_retry_in_a_job_that_lives_or_is_complete(self, store: Store) -> None:
        job, claim = await work.working(store)
        for _ in range(2):
            with pytest.raises(errors.Rejected) as refused:
                await store.retry(job.id, max_attempts=3)
            assert code_of(refused) == "nothing_to_retry"
            if (await read(store, job)).state is JobState.QUEUED:
                await store.settle(claim, work.done(0))


class DeleteSuite:
    async def test_a_deleted_job_is_gone_from_every_read(self, store: Store) -> None:
        job = await work.enqueue(store, hook=work.HOOK)
        await store.delete(job.id)

        assert await store.job(DEFAULT_TENANT, str(job.id)) is None
        assert await store.job(DEFAULT_TENANT, str(job.uuid)) is None
        assert await store.jobs(JobFilter(tenant_id=DEFAULT_TENANT)) == []
        assert await work.deliveries(store) == []
        assert sum((await store.stats(DEFAULT_TENANT)).jobs.values()) == 0
        assert await work.claim(store) == []

    async def test_deleting_a_running_job_stops_its_worker(self, store: Store) -> None:
        job, claim = await work.working(store)
        await store.delete(job.id)

        heart = store.heart()
        (pulse,) = await heart.beat(
            work.new_worker().id, [Beat(task_id=claim.task_id, epoch=claim.epoch)], lease=work.LEASE
        )
        await heart.close()
        assert pulse.cancel
        assert (await store.load(claim)).id == job.id  # who has it can still read it
        assert (await store.settle(claim, work.CANCELLED)).job_state is JobState.CANCELLED

    async def test_deleting_twice_or_nothing_is_no_fault(self, store: Store) -> None:
        job = await work.enqueue(store)
        for job_id in (job.id, job.id, JobId(404)):
            await store.delete(job_id)

    @pytest.mark.parametrize("verb", ["cancel", "retry"])
    async def test_a_deleted_job_takes_no_verb(self, store: Store, verb: str) -> None:
        job = await work.enqueue(store)
        await store.delete(job.id)
        with pytest.raises(errors.Rejected) as refused:
            await (store.cancel(job.id) if verb == "cancel" else store.retry(job.id, max_attempts=3))
        assert code_of(refused) == "not_found"


class ReadSuite:
    async def test_a_job_is_found_by_number_and_uuid_by_its_tenant_alone(self, store: Store) -> None:
        job = await work.enqueue(store)
        by_number = await store.job(DEFAULT_TENANT, str(job.id))
        assert by_number is not None
        assert await store.job(DEFAULT_TENANT, str(job.uuid)) == by_number
        assert await store.job(OTHER_TENANT, str(job.id)) is None
        assert await store.job(OTHER_TENANT, str(job.uuid)) is None

    @pytest.mark.parametrize("ref", ["", "0", "-1", "x", "9" * 18, "9" * 32, "9" * 40, "１", str(UUID(int=0))])
    async def test_what_names_no_job_finds_none(self, store: Store, ref: str) -> None:
        await work.enqueue(store)
        assert await store.job(DEFAULT_TENANT, ref) is None

    async def test_a_running_job_shows_its_holder_and_live_progress(self, store: Store) -> None:
        worker = work.new_worker("studio-7")
        await store.hello(worker)
        job = await work.enqueue(store, outputs=2)
        (claim,) = await work.claim(store, worker=worker.id)
        live = {OutputId(1): Live(stage="encode", progress=0.5, fps=50.0, speed=2.0, eta_seconds=3.5)}
        heart = store.heart()
        await heart.beat(
            worker.id, [Beat(task_id=claim.task_id, epoch=claim.epoch, stage="encode", live=live)], lease=work.LEASE
        )
        await heart.close()

        (listed,) = await store.jobs(JobFilter(tenant_id=DEFAULT_TENANT))
        for found in (await read(store, job), listed):
            assert found.task_state is TaskState.RUNNING
            assert found.holder is not None
            assert (found.holder.worker_id, found.holder.host) == (worker.id, "studio-7")
            assert [output.live for output in found.outputs] == [None, live[OutputId(1)]]

    async def test_a_scheduled_job_shows_when_it_goes_on(self, store: Store) -> None:
        job, claim = await work.working(store)
        await store.settle(claim, work.retrying(timedelta(hours=1)))
        found = await read(store, job)
        assert found.task_state is TaskState.SCHEDULED
        assert found.run_at is not None
        assert found.run_at > found.created_at + timedelta(minutes=59)

    async def test_pages_go_from_new_to_old_and_miss_none(self, store: Store) -> None:
        ids = [(await work.enqueue(store)).id for _ in range(7)]
        await store.cancel(ids[3])  # another state stands in its place all the same
        await work.enqueue(store, tenant=OTHER_TENANT)

        seen: list[JobId] = []
        before: JobId | None = None
        while page := await store.jobs(JobFilter(tenant_id=DEFAULT_TENANT, before=before, limit=3)):
            seen += [job.id for job in page]
            before = seen[-1]
        assert seen == sorted(ids, reverse=True)

    async def test_a_list_is_filtered(self, store: Store) -> None:
        plain = await work.enqueue(store, label="Holiday 100%.mov")
        tagged = await work.enqueue(store, tags=("trailer", "de"))
        ended = await work.enqueue(store)
        await store.cancel(ended.id)
        middle = (await read(store, tagged)).created_at

        async def found(**wanted: object) -> set[JobId]:
            rows = await store.jobs(JobFilter(tenant_id=DEFAULT_TENANT, **wanted))  # type: ignore[arg-type]  # its members
            return {row.id for row in rows}

        assert await found(states=(JobState.QUEUED,)) == {plain.id, tagged.id}
        assert await found(states=(JobState.CANCELLED, JobState.FAILED)) == {ended.id}
        assert await found(tag="trailer") == {tagged.id}
        assert await found(tag="trail") == set()
        assert await found(text="holiday 100%") == {plain.id}
        assert await found(text="TRAIL") == {tagged.id}
        assert await found(text=str(ended.uuid)[:13]) == {ended.id}
        assert await found(text="_") == set()  # no wildcard
        assert await found(created_after=middle) == {tagged.id, ended.id}
        assert await found(created_before=middle) == {plain.id}

    async def test_a_list_is_searched_for_presets_codes_and_metadata(self, store: Store) -> None:
        failed, claim = await work.working(store, outputs=2, presets=("h264", "vp9"))
        await store.settle(claim, work.failing(work.problem("worker_lost")))
        cancelled, claim = await work.working(store, outputs=2)
        await store.mark(claim, [work.change(0, OutputState.FAILED, problem=work.problem("worker_lost"))])
        await store.cancel(cancelled.id)
        await store.settle(claim, work.CANCELLED)
        metadata: dict[str, Json] = {"order": 'Größe "42"', "preset": "av1", "a": {"b": 7.5}}
        other = await work.enqueue(store, presets=("h264",), metadata=metadata)
        bare = await work.enqueue(store, metadata={})
        await work.enqueue(store, tenant=OTHER_TENANT, presets=("h264",))

        async def found(**wanted: object) -> set[JobId]:
            ids = await store.find_jobs(JobFilter(tenant_id=DEFAULT_TENANT, **wanted))  # type: ignore[arg-type]  # its members
            return set(ids)

        assert await found(preset="h264") == {failed.id, other.id}
        assert await found(preset="vp9") == {failed.id}
        assert await found(preset="av1") == set()  # of its metadata, and none of its outputs
        assert await found(code="worker_lost") == {failed.id, cancelled.id}
        assert await found(code="worker") == set()
        assert await found(code="worker_lost", preset="h264", states=(JobState.FAILED,)) == {failed.id}
        assert await found(text="WORKER_L") == {failed.id}
        assert await found(text='größe "42"') == {other.id}
        assert await found(text="7.5") == {other.id}
        assert bare.id not in await found(text="{")

    async def test_jobs_are_counted_by_state_deleted_ones_not(self, store: Store) -> None:
        await work.enqueue(store)
        ended, gone = await work.enqueue(store), await work.enqueue(store)
        await store.cancel(ended.id)
        await store.delete(gone.id)
        await work.enqueue(store, tenant=OTHER_TENANT)
        told = {JobState.QUEUED: 1, JobState.CANCELLED: 1}
        assert await store.counts(DEFAULT_TENANT) == dict.fromkeys(JobState, 0) | told
        assert (await store.counts(None))[JobState.QUEUED] == 2

    async def test_events_are_read_from_where_one_stopped(self, store: Store) -> None:
        job = await work.enqueue(store)
        await store.cancel(job.id)
        assert [event.seq for event in await store.events(job.id, after=1)] == [2, 3]
        assert [event.seq for event in await store.events(job.id, limit=2)] == [1, 2]
        assert await store.events(JobId(404)) == []

    async def test_an_output_without_a_log_has_none(self, store: Store) -> None:
        job = await work.enqueue(store)
        assert await store.log(job.id, OutputId(0)) is None
        assert await store.log(job.id, OutputId(9)) is None

    async def test_a_tenants_jobs_that_have_not_ended_are_counted_to_a_limit(self, store: Store) -> None:
        """N4"""
        _, running = await work.working(store)
        await store.mark(running)
        _, ended = await work.working(store)
        await store.settle(ended, work.failing())
        _, later = await work.working(store)
        await store.settle(later, work.retrying())
        await store.delete((await work.enqueue(store)).id)
        for _ in range(2):
            await work.enqueue(store)
        await work.enqueue(store, tenant=OTHER_TENANT)
        assert [await store.open_jobs(DEFAULT_TENANT, most=most) for most in (1, 3, 100)] == [1, 3, 4]
        assert await store.open_jobs(OTHER_TENANT, most=100) == 1

    async def test_stats_count_jobs_by_state_and_measure_queues(self, store: Store) -> None:
        await work.enqueue(store, hook=work.HOOK)
        _, claim = await work.working(store)
        await store.settle(await work.claim_one(store), work.retrying())
        await store.cancel((await work.enqueue(store, tenant=OTHER_TENANT)).id)

        stats = await store.stats(DEFAULT_TENANT)
        assert stats.jobs == {state: 2 if state is JobState.QUEUED else 0 for state in JobState}
        encode, io = stats.queues
        assert (encode.queue, encode.ready, encode.scheduled, encode.running) == ("encode", 0, 1, 1)
        assert (io.queue, io.waiting, io.ready, io.scheduled, io.running) == ("io", 1, 0, 0, 0)
        assert encode.oldest_seconds is None
        assert io.oldest_seconds is not None
        assert (await store.stats(None)).jobs[JobState.CANCELLED] == 1
        assert claim.task_id
