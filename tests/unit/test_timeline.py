"""The timeline of a job, made of its events; and what a worker tells of an attempt."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from encoder.api.answers_timeline import SpanAnswer
from encoder.api.tell_timeline import runs
from encoder.ffmpeg.child import Tail
from encoder.model.event import Event, EventType
from encoder.model.ids import JobId, OutputId, TaskId, TenantId
from encoder.model.state import OutputState
from encoder.model.trail import LogTail, Step
from encoder.queue.wake import Wake
from encoder.store.rows import Aside, Attempt, Claim, Live, Outcome
from encoder.worker.held import LOG_CHARS, LOG_WANTED_S, Held

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)
STEPS = [
    {"stage": "fetching", "at": 0.5},
    {"stage": "probing", "at": 2.0},
    {"stage": "encoding", "at": 3.0},
    {"stage": "encoding", "at": 3.5, "output": 0},
    {"stage": "verifying", "at": 9.0, "output": 0},
    {"stage": "uploading", "at": 10.0, "output": 0},
    {"stage": "uploaded", "at": 11.0, "output": 0},
    {"stage": "encoding", "at": 10.5, "output": 1},
]
CLAIM = Claim(
    task_id=TaskId(1),
    epoch=1,
    job_id=JobId(7),
    tenant_id=TenantId(1),
    kind="transcode",
    queue="encode",
    name="t1",
    attempt=1,
    lost=0,
    released=0,
    max_attempts=3,
    args={},
    waited_seconds=0.0,
)


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def happened(*told: tuple[EventType, float, dict[str, Any]], run: int = 1) -> list[Event]:
    return [Event(seq=seq, type=kind, at=after(at), run=run, data=data) for seq, (kind, at, data) in enumerate(told, 1)]


def settled(attempt: int, outcome: Outcome, start: float, **more: Any) -> dict[str, Any]:  # noqa: ANN401  # members
    account = {"task": "t1", "epoch": attempt, "attempt": attempt, "outcome": outcome, "state": "?", "error": None}
    return account | {"worker": "w3", "startedAt": after(start).isoformat(), "steps": [], "delaySeconds": 0.0} | more


def test_the_stages_of_an_attempt_follow_each_other_and_its_outputs_go_their_own_ways() -> None:
    (run,) = runs(
        happened(
            (EventType.JOB_SUBMITTED, 0, {}),
            (EventType.TASK_SETTLED, 20, settled(1, Outcome.DONE, 4, steps=STEPS)),
            (EventType.JOB_COMPLETED, 20, {}),
        ),
        (),
    )
    (attempt,) = run.attempts
    assert (run.started_at, run.ended_at, run.waiting_since) == (NOON, after(20), None)
    assert (attempt.queued_at, attempt.started_at, attempt.ended_at) == (NOON, after(4), after(20))
    assert attempt.spans == (
        SpanAnswer(output=None, stage="fetching", started_at=after(4.5), ended_at=after(6), outcome=None),
        SpanAnswer(output=None, stage="probing", started_at=after(6), ended_at=after(7), outcome=None),
        SpanAnswer(output=OutputId(0), stage="encoding", started_at=after(7.5), ended_at=after(13), outcome=None),
        SpanAnswer(output=OutputId(0), stage="verifying", started_at=after(13), ended_at=after(14), outcome=None),
        SpanAnswer(
            output=OutputId(0),
            stage="uploading",
            started_at=after(14),
            ended_at=after(15),
            outcome=OutputState.UPLOADED,
        ),
        SpanAnswer(output=OutputId(1), stage="encoding", started_at=after(14.5), ended_at=after(20), outcome=None),
    )


def test_attempts_that_were_lost_or_failed_stay_and_the_next_is_queued_at_their_end() -> None:
    now = Attempt(
        task="t1",
        epoch=3,
        attempt=3,
        runnable_at=after(40),
        started_at=after(41),
        worker="w1",
        beat_at=after(42),
        expires_at=after(102),
        steps=(Step(stage="fetching", at=0.5),),
    )
    (run,) = runs(
        happened(
            (EventType.JOB_SUBMITTED, 0, {}),
            (EventType.TASK_SETTLED, 10, settled(1, Outcome.LOST, 1, lastBeatAt=after(5).isoformat())),
            (EventType.TASK_SETTLED, 30, settled(2, Outcome.RETRIED, 11, delaySeconds=10.0)),
        ),
        (now,),
    )
    assert [each.outcome for each in run.attempts] == [Outcome.LOST, Outcome.RETRIED, None]
    assert [each.queued_at for each in run.attempts] == [NOON, after(10), after(30)]
    assert [each.runnable_at for each in run.attempts] == [NOON, after(10), after(40)]
    assert [each.last_beat_at for each in run.attempts] == [after(5), None, after(42)]
    assert run.attempts[-1].spans == (
        SpanAnswer(output=None, stage="fetching", started_at=after(41.5), ended_at=None, outcome=None),
    )
    assert run.waiting_since is None


def test_an_attempt_that_ended_while_the_events_were_read_is_told_once() -> None:
    under_way = Attempt(
        task="t1",
        epoch=1,
        attempt=1,
        runnable_at=NOON,
        started_at=after(1),
        worker="w3",
        beat_at=after(9),
        expires_at=after(69),
    )
    events = happened((EventType.JOB_SUBMITTED, 0, {}), (EventType.TASK_SETTLED, 30, settled(1, Outcome.RETRIED, 1)))
    (run,) = runs(events, (under_way,))
    assert [each.outcome for each in run.attempts] == [Outcome.RETRIED]
    assert run.waiting_since == after(30)


def test_a_job_that_waits_for_its_next_attempt_says_since_when() -> None:
    events = happened((EventType.JOB_SUBMITTED, 0, {}), (EventType.TASK_SETTLED, 30, settled(1, Outcome.RETRIED, 11)))
    assert [each.waiting_since for each in runs(events[:1], ())] == [NOON]
    assert [each.waiting_since for each in runs(events, ())] == [after(30)]


def test_a_retry_is_a_run_of_its_own() -> None:
    first = happened((EventType.JOB_SUBMITTED, 0, {}), (EventType.JOB_FAILED, 5, {}))
    second = happened((EventType.JOB_RETRIED, 9, {}), (EventType.JOB_CANCELLED, 11, {}), run=2)
    told = runs([*first, *second], ())
    assert [(each.run, each.started_at, each.ended_at) for each in told] == [
        (1, NOON, after(5)),
        (2, after(9), after(11)),
    ]


def test_an_attempt_of_a_release_before_has_no_stages_and_no_worker() -> None:
    account = {"task": "t1", "epoch": 1, "attempt": 1, "outcome": "done", "state": "done", "error": None}
    (run,) = runs(happened((EventType.JOB_SUBMITTED, 0, {}), (EventType.TASK_SETTLED, 9, account)), ())
    assert (run.attempts[0].worker, run.attempts[0].started_at, run.attempts[0].spans) == (None, None, ())


def test_what_was_held_tells_its_steps_with_each_beat_and_its_log_only_while_somebody_wants_it() -> None:
    now = [100.0]
    held, said = Held(CLAIM, sent_at=100.0, clock=lambda: now[0]), Tail()
    assert held.beat().live == {}
    now[0] = 101.0
    held.at("fetching")
    held.at("fetching")
    held.tell(OutputId(0), Live(stage="fetching"))
    held.tell(OutputId(1), Live(stage="fetching"))
    assert not held.want_log()  # no beat is hurried for it
    now[0] += LOG_WANTED_S
    held.hear((OutputId(0), OutputId(1)), said)
    said.feed(b"x" * 10 + b"y" * LOG_CHARS)
    quiet = Aside(steps=(Step(stage="fetching", at=1.0),))
    assert [live.aside for live in held.beat().live.values()] == [quiet, None]
    assert held.want_log()
    now[0] += 10.0
    aside = held.beat().live[OutputId(0)].aside
    assert aside is not None
    assert aside.log == LogTail(outputs=(OutputId(0), OutputId(1)), at=10, text="y" * LOG_CHARS, left_s=50.0)
    now[0] += LOG_WANTED_S
    assert held.beat().live[OutputId(0)].aside == quiet


def test_the_end_of_what_was_said_counts_what_came_before_it() -> None:
    said = Tail(limit_bytes=8)
    said.feed(b"0123456789")
    assert said.end(4) == (6, "6789")
    said.feed(b"abcdefghij")
    assert said.end(4) == (16, "ghij")


def test_hints_of_readers_of_logs_reach_their_listener() -> None:
    wake = Wake(["encode"], poll_s=1.0, healthy=lambda: True, uniform=lambda low, _high: low)
    heard: list[int | None] = []
    wake.on_log(heard.append)
    for hint in ("log:7", "log:", "log:x", "cancel:9"):
        wake.heard(hint)
    assert heard == [7, None]


def chunk(number: int, start: float, outcome: Outcome = Outcome.DONE, **more: Any) -> dict[str, Any]:  # noqa: ANN401  # members
    return settled(1, outcome, start, task=f"t1/c{number:04}", **more)


def test_chunks_are_told_as_one_but_for_those_that_came_to_nothing() -> None:
    """Seen to fail where each is told by itself, and where an error is folded away."""
    going_on = Attempt(
        task="t1/c0003", epoch=1, attempt=1, runnable_at=NOON, started_at=after(30), worker="w5", beat_at=after(40),
        expires_at=after(90),
    )  # fmt: skip
    (run,) = runs(
        happened(
            (EventType.JOB_SUBMITTED, 0, {}),
            (EventType.TASK_SETTLED, 10, settled(1, Outcome.DONE, 4)),
            (EventType.TASK_SETTLED, 30, chunk(0, 12)),
            (EventType.TASK_SETTLED, 31, chunk(2, 13, Outcome.LOST, worker="w4")),
            (EventType.TASK_SETTLED, 32, chunk(1, 20, Outcome.RELEASED)),
            (EventType.TASK_SETTLED, 60, chunk(2, 32, worker="w4") | {"attempt": 2, "epoch": 2}),
        ),
        [going_on],
    )
    assert [(each.task, each.outcome) for each in run.attempts] == [("t1", Outcome.DONE), ("t1/c0002", Outcome.LOST)]
    assert run.attempts[1].queued_at == after(10)
    told = run.chunks
    assert told is not None
    assert (told.first, told.last, told.made, told.running) == (1, 4, 2, 1)
    assert (told.retried, told.given_back, told.cancelled) == (1, 1, 0)
    assert (told.slowest_seconds, told.mean_seconds) == (28.0, 23.0)
    assert (told.queued_at, told.started_at, told.ended_at) == (after(10), after(12), None)
    assert told.workers == ("w3", "w4", "w5")
    assert run.waiting_since is None


def test_the_joining_is_queued_since_the_last_chunk_was_made() -> None:
    (run,) = runs(
        happened(
            (EventType.JOB_SUBMITTED, 0, {}),
            (EventType.TASK_SETTLED, 10, settled(1, Outcome.DONE, 4)),
            (EventType.TASK_SETTLED, 30, chunk(0, 12)),
            (EventType.TASK_SETTLED, 50, chunk(1, 12)),
            (EventType.TASK_SETTLED, 70, settled(1, Outcome.DONE, 55, task="t1/join")),
            (EventType.JOB_COMPLETED, 70, {}),
        ),
        (),
    )
    assert [each.task for each in run.attempts] == ["t1", "t1/join"]
    assert run.attempts[1].queued_at == after(50)
    assert run.chunks is not None
    assert run.chunks.ended_at == after(50)


def test_a_stage_that_begins_with_the_end_of_its_attempt_is_anothers() -> None:
    """Of a root that handed its picture out, which says so with its settle."""
    steps = [{"stage": "fetching", "at": 0.5}, {"stage": "encoding", "at": 6.0, "output": 0}]
    (run,) = runs(
        happened(
            (EventType.JOB_SUBMITTED, 0, {}), (EventType.TASK_SETTLED, 10, settled(1, Outcome.DONE, 4, steps=steps))
        ),
        (),
    )
    assert [span.stage for span in run.attempts[0].spans] == ["fetching"]
