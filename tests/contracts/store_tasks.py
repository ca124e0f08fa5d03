"""What every store does for workers: the verbs of the queue and their guarantees."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import uuid4

import pytest

from encoder import errors
from encoder.model.event import Event, EventType
from encoder.model.ids import OutputId, WorkerId
from encoder.model.media import Media
from encoder.model.plan import Note, OutputPlan
from encoder.model.proof import Check, Proof
from encoder.model.result import Intent, Timings
from encoder.model.state import JobState, OutputState, TaskState
from encoder.model.trail import LogTail, Step, Trail
from encoder.queue import settle as decide
from encoder.store.protocol import Store
from encoder.store.rows import Accepted, Aside, Beat, Claim, Live, OutputChange, Pulse, Settlement
from tests.contracts.store_jobs import event_types, read
from tests.lab import work

NO_TIME = timedelta(0)


async def beat(
    store: Store, *claims: Claim, lease: timedelta = work.LEASE, live: dict[OutputId, Live] | None = None
) -> list[Pulse]:
    heart = store.heart()
    try:
        beats = [Beat(task_id=claim.task_id, epoch=claim.epoch, live=live or {}) for claim in claims]
        return list(await heart.beat(WorkerId(uuid4()), beats, lease=lease))
    finally:
        await heart.close()


async def lose(store: Store, claim: Claim, how: Settlement = work.LOST) -> None:
    """Its worker falls silent, and somebody sees it."""
    await beat(store, claim, lease=NO_TIME)
    assert await store.rescue(claim, how) is not None


class ClaimSuite:
    async def test_a_claim_is_a_lease_with_an_epoch(self, store: Store) -> None:
        job, claim = await work.working(store)
        assert (claim.job_id, claim.kind, claim.queue, claim.name) == (job.id, "transcode", "encode", "t1")
        assert (claim.epoch, claim.attempt, claim.lost, claim.released) == (1, 1, 0, 0)
        assert claim.waited_seconds >= 0
        assert (await read(store, job)).task_state is TaskState.RUNNING
        assert (await read(store, job)).state is JobState.QUEUED  # its first mark tells that work began

    async def test_a_task_is_handed_to_one_of_many_claimers(self, store: Store) -> None:
        jobs = {(await work.enqueue(store)).id for _ in range(40)}

        async def take_all() -> list[Claim]:
            mine: list[Claim] = []
            while claims := await work.claim(store, limit=3):
                mine += claims
            return mine

        claimed = [claim.job_id for mine in await asyncio.gather(*(take_all() for _ in range(8))) for claim in mine]
        assert len(claimed) == len(jobs)
        assert set(claimed) == jobs

    async def test_a_claim_takes_no_more_than_asked_and_of_its_queue_alone(self, store: Store) -> None:
        for _ in range(3):
            await work.enqueue(store, hook=work.HOOK)
        assert [claim.kind for claim in await work.claim(store, limit=2)] == ["transcode"] * 2
        assert await work.claim(store, queue="gpu", limit=2) == []
        assert [claim.kind for claim in await work.claim(store, queue="io", limit=9)] == ["notify"] * 3

    async def test_a_claim_sees_past_cancelled_tasks(self, store: Store) -> None:
        dead = [await work.enqueue(store) for _ in range(5)]
        alive = await work.enqueue(store)
        for job in dead:
            await store.cancel(job.id)
        assert (await work.claim_one(store)).job_id == alive.id
        assert await work.claim(store) == []

    async def test_load_gives_the_job_with_its_secrets(self, store: Store) -> None:
        job, claim = await work.working(store, sealed=b"secret", outputs=2)
        loaded = await store.load(claim)
        assert (loaded.id, loaded.sealed, len(loaded.outputs)) == (job.id, b"secret", 2)


class MarkSuite:
    async def test_the_first_mark_makes_the_job_processing(self, store: Store) -> None:
        job, claim = await work.working(store)
        for _ in range(2):
            await store.mark(claim)
        found = await read(store, job)
        assert found.state is JobState.PROCESSING
        assert found.started_at is not None
        assert await event_types(store, job.id) == [EventType.JOB_SUBMITTED, EventType.JOB_PROCESSING]

    async def test_what_is_marked_is_read_back_and_none_leaves_it(self, store: Store) -> None:
        job, claim = await work.working(store, outputs=2)
        written = OutputChange(
            id=OutputId(1),
            state=OutputState.ENCODING,
            plan=OutputPlan(output=1, container="mp4", muxer="mp4", extension="mp4", content_type="video/mp4"),
            command=("ffmpeg", "-i", "in"),
            intent=Intent(token=f"{claim.task_id}-{claim.epoch}", promised=work.made(1)),
            delivered=work.made(1),
            proof=Proof(checks=(Check(name="duration", passed=True, measured=1.5),)),
            warnings=(Note(code="rotated", message="…"),),
            timings=Timings(fetch=1.5),
            log="frame=1",
        )
        await store.mark(claim, [written], media=Media(format="mov,mp4", size_bytes=5))
        await store.mark(claim, [work.change(1, OutputState.VERIFYING)])

        found = await read(store, job)
        untouched, output = found.outputs
        assert found.media == Media(format="mov,mp4", size_bytes=5)
        assert output.state is OutputState.VERIFYING
        assert output.attempts == 1
        for member in ("plan", "command", "intent", "delivered", "proof", "warnings", "timings"):
            assert getattr(output, member) == getattr(written, member), member
        assert await store.log(job.id, OutputId(1)) == "frame=1"
        assert (untouched.state, untouched.plan, untouched.attempts) == (OutputState.QUEUED, None, 0)

    async def test_two_steps_of_an_output_may_stand_in_one_mark(self, store: Store) -> None:
        job, claim = await work.working(store)
        steps = [
            work.change(0, state) for state in (OutputState.ENCODING, OutputState.VERIFYING, OutputState.UPLOADING)
        ]
        await store.mark(claim, [*steps, *work.uploaded(0)])
        found = await read(store, job)
        assert (found.outputs[0].state, found.outputs[0].delivered) == (OutputState.UPLOADED, work.made(0))
        assert (await event_types(store, job.id)).count(EventType.OUTPUT_UPLOADED) == 1

    async def test_a_step_that_the_table_of_states_does_not_know_is_refused_whole(self, store: Store) -> None:
        job, claim = await work.working(store, outputs=2)
        with pytest.raises(errors.Defect):
            await store.mark(
                claim, [work.change(0, OutputState.ENCODING), work.change(1, OutputState.VERIFYING, log="x")]
            )
        assert {output.state for output in (await read(store, job)).outputs} == {OutputState.QUEUED}
        assert await event_types(store, job.id) == [EventType.JOB_SUBMITTED]

    async def test_text_that_a_database_refuses_is_kept_as_well_as_can_be(self, store: Store) -> None:
        job, claim = await work.working(store)
        await store.mark(claim, [OutputChange(id=OutputId(0), log="a\0b \N{MUSICAL SYMBOL G CLEF} \udcff c")])
        kept = await store.log(job.id, OutputId(0))
        assert kept is not None
        assert kept.startswith("a")
        assert kept.endswith("c")
        assert "\N{MUSICAL SYMBOL G CLEF}" in kept


class FenceSuite:
    """G3, G4: a claim that was taken changes no row."""

    async def test_a_zombie_changes_nothing(self, store: Store) -> None:
        """K10"""
        job, zombie = await work.working(store)
        await lose(store, zombie)
        heir = await work.claim_one(store)
        assert (heir.task_id, heir.epoch, heir.attempt, heir.lost) == (zombie.task_id, 2, 2, 1)

        assert await beat(store, zombie) == []
        with pytest.raises(errors.LeaseLost):
            await store.mark(zombie, [work.change(0, OutputState.ENCODING)])
        with pytest.raises(errors.LeaseLost):
            await store.set_deadline(zombie, NO_TIME)
        for settlement in (work.done(0), work.failing(), work.RELEASED, work.CANCELLED):
            with pytest.raises(errors.LeaseLost):
                await store.settle(zombie, settlement)
        assert await store.rescue(zombie, work.LOST) is None

        assert (await read(store, job)).outputs[0].state is OutputState.QUEUED
        assert [pulse.epoch for pulse in await beat(store, heir)] == [2]
        assert (await store.settle(heir, work.done(0))).job_state is JobState.COMPLETED

    async def test_a_result_is_accepted_once_per_epoch(self, store: Store) -> None:
        job, claim = await work.working(store)
        answers = await asyncio.gather(*(store.settle(claim, work.failing()) for _ in range(6)), return_exceptions=True)
        assert sum(not isinstance(answer, BaseException) for answer in answers) == 1
        assert {type(answer) for answer in answers if isinstance(answer, BaseException)} == {errors.LeaseLost}
        assert (await event_types(store, job.id)).count(EventType.TASK_SETTLED) == 1

    async def test_repeating_a_settle_whose_answer_was_lost_is_its_own_success(self, store: Store) -> None:
        """K11"""
        job, claim = await work.working(store)
        first = await store.settle(claim, work.done(0))
        assert await store.settle(claim, work.done(0)) == first
        assert (await event_types(store, job.id)).count(EventType.JOB_COMPLETED) == 1

    async def test_each_epoch_is_settled_once_in_the_timeline(self, store: Store) -> None:
        job = await work.enqueue(store)
        for settlement in (work.RELEASED, work.RELEASED, work.failing()):
            await store.settle(await work.claim_one(store), settlement)
        settled = [event for event in await store.events(job.id) if event.type is EventType.TASK_SETTLED]
        assert [event.data["epoch"] for event in settled] == [1, 2, 3]
        assert [event.data["outcome"] for event in settled] == ["released", "released", "failed"]


class TrailSuite:
    """What is told of each attempt, for the timeline."""

    async def test_an_attempt_that_is_under_way_tells_its_steps_with_its_beats(self, store: Store) -> None:
        job = await work.enqueue(store)
        nothing = await store.under_way(job.id)
        assert nothing.attempts == ()
        claim = await work.claim_one(store)
        steps = (Step(stage="fetching", at=0.25), Step(stage="encoding", at=1.5, output=OutputId(0)))
        log = LogTail(outputs=(OutputId(0),), at=7, text="frame…\n", left_s=60.0)
        live = {OutputId(0): Live(stage="encoding", aside=Aside(steps=steps, log=log))}
        await beat(store, claim, live=live)
        now = await store.under_way(job.id)
        (attempt,) = now.attempts
        assert (attempt.task, attempt.epoch, attempt.attempt, attempt.steps) == ("t1", 1, 1, steps)
        assert attempt.beat_at is not None
        assert attempt.expires_at is not None
        assert attempt.runnable_at <= attempt.started_at <= attempt.beat_at <= now.at < attempt.expires_at
        assert (await read(store, job)).log_tail == log
        await store.settle(claim, work.failing())
        assert (await store.under_way(job.id)).attempts == ()

    async def test_the_end_of_an_attempt_tells_who_had_it_since_when_and_what_it_did(self, store: Store) -> None:
        job, claim = await work.working(store)
        steps = (Step(stage="fetching", at=0.25), Step(stage="encoding", at=1.5, output=OutputId(0)))
        began = (await store.under_way(job.id)).attempts[0].started_at
        await store.settle(claim, replace(work.failing(), trail=Trail(worker="w3", steps=steps)))
        (settled,) = await settled_of(store, job)
        assert settled.data["worker"] == "w3"
        assert datetime.fromisoformat(str(settled.data["startedAt"])) == began <= settled.at
        assert settled.data["steps"] == [
            {"stage": "fetching", "at": 0.25},
            {"stage": "encoding", "at": 1.5, "output": 0},
        ]

    async def test_of_an_attempt_whose_worker_fell_silent_is_told_what_it_told_last(self, store: Store) -> None:
        job = await work.enqueue(store)
        worker = work.new_worker("w3")
        await store.hello(worker)
        (claim,) = await work.claim(store, worker=worker.id)
        steps = (Step(stage="fetching", at=0.25),)
        live = {OutputId(0): Live(stage="fetching", aside=Aside(steps=steps))}
        await beat(store, claim, lease=NO_TIME, live=live)
        seen = (await store.under_way(job.id)).attempts[0].beat_at
        assert await store.rescue(claim, work.LOST) is not None
        (settled,) = await settled_of(store, job)
        assert (settled.data["outcome"], settled.data["worker"]) == ("lost", "w3")
        assert settled.data["steps"] == [{"stage": "fetching", "at": 0.25}]
        assert datetime.fromisoformat(str(settled.data["lastBeatAt"])) == seen


async def settled_of(store: Store, job: Accepted) -> list[Event]:
    return [event for event in await store.events(job.id) if event.type is EventType.TASK_SETTLED]


class SettleSuite:
    async def test_done_ends_the_job_with_its_outputs(self, store: Store) -> None:
        job, claim = await work.working(store, outputs=2)
        await store.mark(claim, work.uploaded(0))
        settled = await store.settle(claim, work.done(1))

        assert (settled.task_state, settled.job_state) == (TaskState.DONE, JobState.COMPLETED)
        found = await read(store, job)
        assert (found.state, found.problem, found.holder) == (JobState.COMPLETED, None, None)
        assert found.finished_at is not None
        assert [output.delivered for output in found.outputs] == [work.made(0), work.made(1)]
        assert await event_types(store, job.id) == [
            EventType.JOB_SUBMITTED,
            EventType.JOB_PROCESSING,
            EventType.OUTPUT_UPLOADED,
            EventType.TASK_SETTLED,
            EventType.OUTPUT_UPLOADED,
            EventType.JOB_COMPLETED,
        ]

    async def test_done_with_an_output_left_open_is_a_defect_and_closes_nothing(self, store: Store) -> None:
        job, claim = await work.working(store, outputs=2)
        with pytest.raises(errors.Defect):
            await store.settle(claim, work.done(0))
        assert (await read(store, job)).outputs[0].state is OutputState.QUEUED
        assert len(await beat(store, claim)) == 1

    async def test_failed_fails_what_is_open_and_leaves_what_is_uploaded(self, store: Store) -> None:
        job, claim = await work.working(store, outputs=3)
        own = work.problem("unsupported_format")
        await store.mark(claim, [*work.uploaded(0), work.change(1, OutputState.FAILED, problem=own)])
        settled = await store.settle(claim, work.failing())

        assert settled.job_state is JobState.FAILED
        found = await read(store, job)
        assert [output.state for output in found.outputs] == [
            OutputState.UPLOADED,
            OutputState.FAILED,
            OutputState.FAILED,
        ]
        assert [output.problem for output in found.outputs] == [None, own, work.problem()]
        assert found.problem == work.problem()
        assert found.outputs[2].attempts == 1
        assert (await event_types(store, job.id)).count(EventType.OUTPUT_FAILED) == 2

    async def test_one_failed_output_fails_the_job_though_the_task_is_done(self, store: Store) -> None:
        job, claim = await work.working(store, outputs=2)
        bad = work.problem("output_invalid")
        await store.mark(claim, [work.change(0, OutputState.FAILED, problem=bad)])
        assert (await store.settle(claim, work.done(1))).job_state is JobState.FAILED
        assert (await read(store, job)).problem == bad

    async def test_a_further_attempt_opens_its_outputs_again_but_for_those_that_ended(self, store: Store) -> None:
        job, claim = await work.working(store, outputs=3)
        await store.mark(
            claim,
            [
                *work.uploaded(0),
                work.change(1, OutputState.FAILED, problem=work.problem()),
                work.change(2, OutputState.ENCODING, log="half"),
            ],
        )
        settled = await store.settle(claim, work.retrying(NO_TIME))

        assert (settled.task_state, settled.job_state) == (TaskState.SCHEDULED, None)
        found = await read(store, job)
        assert found.state is JobState.PROCESSING
        assert [output.state for output in found.outputs] == [
            OutputState.UPLOADED,
            OutputState.FAILED,
            OutputState.QUEUED,
        ]
        assert await store.log(job.id, OutputId(2)) == "half"

    async def test_a_task_that_goes_on_keeps_its_job_open_even_with_all_uploaded(self, store: Store) -> None:
        job, claim = await work.working(store)
        await store.mark(claim, work.uploaded(0))
        await lose(store, claim)
        assert (await read(store, job)).state is JobState.PROCESSING
        assert (await store.settle(await work.claim_one(store), work.DONE)).job_state is JobState.COMPLETED

    async def test_a_release_charges_no_attempt_and_can_be_claimed_at_once(self, store: Store) -> None:
        """G10"""
        _, claim = await work.working(store)
        assert (await store.settle(claim, work.RELEASED)).task_state is TaskState.WAITING
        again = await work.claim_one(store)
        assert (again.epoch, again.attempt, again.released, again.lost) == (2, 1, 1, 0)

    async def test_a_failure_for_a_while_waits_its_delay(self, store: Store) -> None:
        _, claim = await work.working(store)
        await store.settle(claim, work.retrying(timedelta(hours=1)))
        assert await store.due() == []
        assert await work.claim(store) == []
        seconds = await store.next_due()
        assert seconds is not None
        assert 3500 < seconds <= 3600

    async def test_what_is_due_can_be_claimed_again(self, store: Store) -> None:
        _, claim = await work.working(store)
        await store.settle(claim, work.retrying(NO_TIME))
        assert await store.next_due() == 0
        assert await store.due() == ["encode"]
        assert await store.due() == []
        assert await store.next_due() is None
        assert (await work.claim_one(store)).attempt == 2

    async def test_two_sweeps_at_once_make_a_task_ready_once(self, store: Store) -> None:
        for _ in range(5):
            await work.enqueue(store)
        for claim in await work.claim(store, limit=5):
            await store.settle(claim, work.retrying(NO_TIME))
        while any(await asyncio.gather(*(store.due(limit=1) for _ in range(4)))):
            pass
        assert len(await work.claim(store, limit=9)) == 5


class LeaseSuite:
    async def test_a_beat_renews_a_lease_and_tells_what_is_lost(self, store: Store) -> None:
        _, claim = await work.working(store)
        stranger = replace(claim, epoch=9)
        assert await beat(store, claim, stranger) == [Pulse(task_id=claim.task_id, epoch=1, cancel=False)]
        assert await store.expired() == []

    async def test_a_beat_without_tasks_is_answered_with_nothing(self, store: Store) -> None:
        assert await beat(store) == []

    async def test_an_expired_lease_is_found_and_its_task_freed(self, store: Store) -> None:
        """G5, at the store: how soon is the sweep's matter."""
        await work.enqueue(store)
        claim = await work.claim_one(store, lease=work.PAST)
        (expired,) = await store.expired()
        assert (expired.claim.task_id, expired.claim.epoch, expired.by_deadline) == (claim.task_id, 1, False)
        assert expired.claim.args == claim.args
        assert (await work.claim(store)) == []

        settled = await store.rescue(expired.claim, work.LOST)
        assert settled is not None
        assert settled.task_state is TaskState.WAITING
        assert await store.expired() == []
        assert (await work.claim_one(store)).epoch == 2

    async def test_who_knows_that_an_owner_is_dead_settles_for_it_at_once(self, store: Store) -> None:
        """G5: the claim is found by its task and epoch, as long as it is held."""
        _, claim = await work.working(store)
        owned = await store.held(claim.task_id, claim.epoch)
        assert owned is not None
        held = owned.claim
        assert (held.job_id, held.attempt, held.args) == (claim.job_id, claim.attempt, claim.args)
        assert (await store.settle(held, work.LOST)).task_state is TaskState.WAITING
        assert await store.held(claim.task_id, claim.epoch) is None
        assert (await work.claim_one(store)).epoch == 2
        assert await store.held(claim.task_id, claim.epoch) is None

    async def test_a_living_claim_is_not_rescued(self, store: Store) -> None:
        """G6: age alone frees nothing."""
        _, claim = await work.working(store)
        assert await store.rescue(claim, work.LOST) is None
        assert len(await beat(store, claim)) == 1

    async def test_a_beat_that_came_before_the_rescue_wins(self, store: Store) -> None:
        """G8: after an outage a worker that is back finds its expired lease still there."""
        await work.enqueue(store)
        claim = await work.claim_one(store, lease=work.PAST)
        (expired,) = await store.expired()
        assert len(await beat(store, claim)) == 1
        assert await store.rescue(expired.claim, work.LOST) is None

    async def test_two_rescuers_do_it_once(self, store: Store) -> None:
        await work.enqueue(store)
        claim = await work.claim_one(store, lease=work.PAST)
        answers = await asyncio.gather(*(store.rescue(claim, work.LOST) for _ in range(5)))
        assert sum(answer is not None for answer in answers) == 1
        assert (await work.claim_one(store)).lost == 1

    async def test_a_deadline_counts_though_the_worker_beats(self, store: Store) -> None:
        job, claim = await work.working(store)
        await store.set_deadline(claim, NO_TIME)
        await beat(store, claim)
        (expired,) = await store.expired()
        assert expired.by_deadline
        settled = await store.rescue(claim, decide.timed_out())
        assert settled is not None
        assert settled.job_state is JobState.FAILED
        found = await read(store, job)
        assert found.problem is not None
        assert found.problem.code == "deadline_exceeded"

    async def test_losses_leave_the_failures_alone_and_the_third_ends_the_task(self, store: Store) -> None:
        """G9"""
        job = await work.enqueue(store)
        settled = None
        for number in range(3):
            claim = await work.claim_one(store, lease=work.PAST)
            assert (claim.attempt - claim.lost, claim.lost) == (1, number)
            settled = await store.rescue(claim, decide.lost(claim))
        assert settled is not None
        assert (settled.task_state, settled.job_state) == (TaskState.FAILED, JobState.FAILED)
        found = await read(store, job)
        assert found.problem is not None
        assert found.problem.code == "worker_lost"
        assert found.outputs[0].attempts == 3

    async def test_the_server_tells_how_long_it_is_up(self, store: Store) -> None:
        assert await store.uptime_seconds() > 0


class UnavailableSuite:
    async def test_a_closed_store_says_that_it_is_away(self, store: Store) -> None:
        await store.close()
        with pytest.raises(errors.StoreUnavailable):
            await store.ping()
