"""Makes a timeline of what happened to a job and of the attempts that are under way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import msgspec

from encoder.api import tell_chunks
from encoder.api.answers_timeline import AttemptAnswer, RunAnswer, SpanAnswer
from encoder.model.base import Record
from encoder.model.event import JOB_OVER, Event, EventType
from encoder.model.result import Problem
from encoder.model.state import OUTPUT_ENDED, OutputState
from encoder.model.trail import Step
from encoder.store.rows import Attempt, Outcome

_SHARED_END = "encoding"  # from there on each output goes its own way
_BEGINS = frozenset({EventType.JOB_SUBMITTED, EventType.JOB_RETRIED})
_AGAIN = frozenset({Outcome.RETRIED, Outcome.RELEASED, Outcome.LOST})


class _Account(Record):
    """What `task.settled` tells of an attempt; those of a release before know nothing of its steps."""

    task: str
    epoch: int
    attempt: int
    outcome: Outcome
    error: Problem | None = None
    worker: str | None = None
    started_at: datetime | None = None
    last_beat_at: datetime | None = None
    delay_seconds: float = 0.0
    steps: tuple[Step, ...] = ()


@dataclass(kw_only=True)
class _Run:
    """A run while its events are read. `queued_at`, `runnable_at`: of the next attempt at each task; `split_at`: since
    when its parts could be made."""

    run: int
    started_at: datetime
    ended_at: datetime | None = None
    attempts: list[AttemptAnswer] = field(default_factory=list)
    queued_at: dict[str, datetime] = field(default_factory=dict)
    runnable_at: dict[str, datetime] = field(default_factory=dict)
    split_at: datetime | None = None
    chunk_at: datetime | None = None  # of the last one that was made

    def queued(self, task: str) -> datetime:
        joins = tell_chunks.is_part(task) and not tell_chunks.is_chunk(task)
        first = (self.chunk_at if joins else None) or self.split_at or self.started_at
        return self.queued_at.get(task, first)


def runs(events: Sequence[Event], now: Sequence[Attempt]) -> tuple[RunAnswer, ...]:
    """`events` from the job's first on; `now`: the attempts that were under way before these were read."""
    made: dict[int, _Run] = {}
    over: set[tuple[str, int]] = set()
    for event in events:
        if event.type in _BEGINS:
            made[event.run] = _Run(run=event.run, started_at=event.at)
        elif (run := made.get(event.run)) is None:
            continue
        elif event.type is EventType.TASK_SETTLED:
            over.add(_settled(run, event))
        elif event.type in JOB_OVER:
            run.ended_at = event.at
    last = next(reversed(made.values()), None)
    now = [each for each in now if (each.task, each.epoch) not in over]
    if last is not None and last.ended_at is None:
        last.attempts += [_under_way(last, each) for each in now]
    return tuple(_told(run, waits=run is last and not now) for run in made.values())


def _settled(run: _Run, event: Event) -> tuple[str, int]:
    """Adds an attempt that is over; its task and epoch."""
    account = msgspec.convert(event.data, _Account)
    task = account.task
    run.attempts.append(
        AttemptAnswer(
            task=task,
            attempt=account.attempt,
            worker=account.worker,
            queued_at=run.queued(task),
            runnable_at=run.runnable_at.get(task, run.queued(task)),
            started_at=account.started_at,
            ended_at=event.at,
            outcome=account.outcome,
            error=account.error,
            last_beat_at=account.last_beat_at,
            expires_at=None,
            spans=tuple(_spans(account.steps, account.started_at, event.at)),
        )
    )
    if account.outcome is Outcome.DONE and tell_chunks.is_chunk(task):
        run.chunk_at = event.at
    elif account.outcome is Outcome.DONE and not tell_chunks.is_part(task):
        run.split_at = event.at
    if account.outcome in _AGAIN:
        run.queued_at[task] = event.at
        run.runnable_at[task] = event.at + timedelta(seconds=account.delay_seconds)
    return task, account.epoch


def _under_way(run: _Run, attempt: Attempt) -> AttemptAnswer:
    return AttemptAnswer(
        task=attempt.task,
        attempt=attempt.attempt,
        worker=attempt.worker,
        queued_at=run.queued(attempt.task),
        runnable_at=run.runnable_at.get(attempt.task, run.queued(attempt.task)),
        started_at=attempt.started_at,
        ended_at=None,
        outcome=None,
        error=None,
        last_beat_at=attempt.beat_at,
        expires_at=attempt.expires_at,
        spans=tuple(_spans(attempt.steps, attempt.started_at, None)),
    )


def _told(run: _Run, *, waits: bool) -> RunAnswer:
    since = max(run.queued_at.values(), default=run.chunk_at or run.split_at or run.started_at)
    attempts, chunks = tell_chunks.folded(run.attempts)
    return RunAnswer(
        run=run.run,
        started_at=run.started_at,
        ended_at=run.ended_at,
        attempts=attempts,
        chunks=chunks,
        waiting_since=since if waits and run.ended_at is None else None,
    )


def _spans(steps: Sequence[Step], started_at: datetime | None, ended_at: datetime | None) -> Iterator[SpanAnswer]:
    """The stages in the order in which they began: each lasts until the next one of the same output."""
    if started_at is None:
        return
    for number, step in enumerate(steps):
        if step.stage in OUTPUT_ENDED or (step.output is None and step.stage == _SHARED_END):
            continue
        begun = started_at + timedelta(seconds=step.at)
        if ended_at is not None and begun >= ended_at:
            continue  # with its end: others go on with that
        after = next((each for each in steps[number + 1 :] if each.output == step.output), None)
        yield SpanAnswer(
            output=step.output,
            stage=step.stage,
            started_at=begun,
            ended_at=ended_at if after is None else started_at + timedelta(seconds=after.at),
            outcome=OutputState(after.stage) if after is not None and after.stage in OUTPUT_ENDED else None,
        )
