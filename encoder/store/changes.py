"""What the verbs change on a job: decided here, for every database; a store carries it out in one transaction.

A job is locked and read first (`Standing`). From there `marked`, `settled`, `cancelled` and `retried` decide the rest:
outputs, the job's own state, the events in their order, and what receivers are told.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from uuid import UUID

from encoder import errors
from encoder.log import get_logger
from encoder.model.base import Json, to_json
from encoder.model.event import Event, EventType
from encoder.model.formats import STANDARD, known
from encoder.model.ids import JobId, OutputId, TenantId
from encoder.model.job import JobSpec
from encoder.model.receiver import Receiver, of_job
from encoder.model.result import Problem
from encoder.model.state import (
    JOB_MOVES,
    OUTPUT_ENDED,
    OUTPUT_MOVES,
    TASK_ENDED,
    JobState,
    OutputState,
    TaskState,
    job_end,
)
from encoder.model.telling import ToldJob, ToldOutput, webhook_id
from encoder.store.rows import Claim, Live, OutputChange, Settlement
from encoder.store.text import json_text

log = get_logger(__name__)

_OUTPUT_EVENTS = {OutputState.UPLOADED: EventType.OUTPUT_UPLOADED, OutputState.FAILED: EventType.OUTPUT_FAILED}
_JOB_EVENTS = {
    JobState.COMPLETED: EventType.JOB_COMPLETED,
    JobState.FAILED: EventType.JOB_FAILED,
    JobState.CANCELLED: EventType.JOB_CANCELLED,
}
_MEMBERS = tuple(field.name for field in fields(OutputChange))


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A job under our lock, with its outputs in order."""

    id: JobId
    uuid: UUID
    tenant_id: TenantId
    created_at: datetime
    state: JobState
    run: int
    cancel_requested: bool
    event_seq: int
    spec: JobSpec
    outputs: tuple[ToldOutput, ...]
    endpoints: tuple[Receiver, ...] = ()  # of its tenant, that are told too
    problem: Problem | None = None
    secrets_erased: bool = False
    deleted: bool = False
    purging: bool = False

    @property
    def open_outputs(self) -> Iterator[ToldOutput]:
        return (output for output in self.outputs if output.state not in OUTPUT_ENDED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """An event before it has its number. `claim`: whose end it tells, for `task.settled`."""

    type: EventType
    output: OutputId | None = None
    data: dict[str, Json] | None = None
    claim: Claim | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What one receiver is to be told of one event."""

    receiver: str
    seq: int
    type: EventType
    webhook_id: str
    url: str
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """A job after a verb: `job` as it stands then, the outputs that were written, what happened."""

    job: Standing
    outputs: tuple[OutputChange, ...]
    attempts: int | None  # to be noted on each written output; None leaves it
    happenings: tuple[Happening, ...]

    def events(self, at: datetime) -> tuple[Event, ...]:
        first = self.job.event_seq - len(self.happenings) + 1
        return tuple(
            Event(seq=seq, type=each.type, at=at, run=self.job.run, output=each.output, data=each.data or {})
            for seq, each in enumerate(self.happenings, first)
        )

    def deliveries(self, at: datetime) -> tuple[Delivery, ...]:
        receivers = (*of_job(self.job.spec), *self.job.endpoints)
        if not receivers:
            return ()
        job = told(self.job)
        return tuple(each for event in self.events(at) for each in tellings(event, job, receivers))


def told(job: Standing) -> ToldJob:
    return ToldJob(
        id=job.id,
        uuid=job.uuid,
        created_at=job.created_at,
        state=job.state,
        spec=job.spec,
        problem=job.problem,
        outputs=job.outputs,
    )


def tellings(event: Event, job: ToldJob, receivers: Sequence[Receiver]) -> Iterator[Delivery]:
    """What each of `receivers` that wants it is told of one event: one name, a text in the form of each.

    A text is made once for all who are told in the same form: the job is locked meanwhile.
    """
    texts: dict[tuple[str, str], str] = {}
    for receiver in receivers:
        if not receiver.wants(event.type):
            continue
        how = receiver.format, json_text(receiver.settings)
        if how not in texts:
            texts[how] = _text(event, job, receiver)
        yield Delivery(
            receiver=receiver.name,
            seq=event.seq,
            type=event.type,
            webhook_id=webhook_id(job.uuid, event.seq),
            url=receiver.url,
            body=texts[how],
        )


def _text(event: Event, job: ToldJob, receiver: Receiver) -> str:
    """In the form that was asked for; in our own where that one fails, as no form may keep a job from its end."""
    try:
        return known(receiver.format).text(event, job, receiver.settings)
    except Exception:
        log.exception("webhook.form_failed", format=receiver.format, type=event.type, job=job.id)
        return known(STANDARD).text(event, job, {})


def marked(job: Standing, claim: Claim, changes: Sequence[OutputChange]) -> Changed:
    """A worker's progress. The first one makes the job `processing`."""
    began = job.state is JobState.QUEUED
    state = JobState.PROCESSING if began else job.state
    first = (Happening(type=EventType.JOB_PROCESSING),) if began else ()
    return _changed(job, state, changes, (*first, *_of_outputs(job, changes)), attempts=claim.attempt)


def progressed(job: Standing, stage: str | None, live: Mapping[OutputId, Live]) -> Changed | None:
    """A sample of how far a job is, for those who asked for samples; None where nobody did."""
    if not any(each.wants(EventType.JOB_PROGRESS) for each in (*of_job(job.spec), *job.endpoints)):
        return None
    sample: dict[str, Json] = {"progress": _progress_of(job, live), "stage": stage}
    return _changed(job, job.state, (), (Happening(type=EventType.JOB_PROGRESS, data=sample),))


def _progress_of(job: Standing, live: Mapping[OutputId, Live]) -> float | None:
    """The mean of the outputs that may still succeed, or did; unknown as soon as one is."""
    shares = [
        1.0 if output.state is OutputState.UPLOADED else live[output.id].progress if output.id in live else 0.0
        for output in job.outputs
        if output.state not in (OutputState.FAILED, OutputState.CANCELLED)
    ]
    known = [share for share in shares if share is not None]
    return round(sum(known) / len(known), 4) if known and len(known) == len(shares) else None


def end_of(job: Standing, settlement: Settlement) -> TaskState:
    """The task's state after a settle: a job that is to end gets no further attempt."""
    again = settlement.state in (TaskState.WAITING, TaskState.SCHEDULED) or settlement.fan_out is not None
    return TaskState.CANCELLED if again and job.cancel_requested else settlement.state


def settled(
    job: Standing,
    claim: Claim,
    state: TaskState,
    settlement: Settlement,
    *,
    started_at: datetime | None = None,
    part: bool = False,
    goes_on: bool = False,
) -> Changed:
    """The end of an attempt: its own changes, then what becomes of outputs that it left open.

    `started_at`: when it was claimed. `part`: it is one of several; `goes_on`: other tasks of the job are still to end,
    and the last of them ends the job.

    Raises:
        errors.Defect: `done`, but an output is still open.
    """
    own = _with(job, settlement.changes)
    left = tuple(
        _left_by_part(own, claim, state, settlement.problem, goes_on=goes_on)
        if part
        else _left_open(own, state, settlement.problem)
    )
    after = _with(own, left)
    changes = (*settlement.changes, *left)
    # a task that goes on keeps its job open, even with every output uploaded: its next attempt finds them and is done
    end = _end(after) if state in TASK_ENDED and not goes_on else None
    if end is None and state is TaskState.DONE and not goes_on:
        raise errors.Defect(f"task {claim.task_id} is done, but job {job.id} has open outputs")
    happenings = (
        Happening(type=EventType.TASK_SETTLED, claim=claim, data=_account(claim, state, settlement, started_at)),
        *_of_outputs(job, changes),
        *_of_job(end),
    )
    problem = settlement.problem or _first_problem(after) if end is JobState.FAILED else None
    return _changed(replace(job, problem=problem), end or job.state, changes, happenings, attempts=claim.attempt)


def cancel_requested(job: Standing, *, running: bool) -> Changed:
    """A cancel: ends the job at once when nothing runs, else the settle of what runs will."""
    asked = () if job.cancel_requested else (Happening(type=EventType.JOB_CANCEL_REQUESTED),)
    job = replace(job, cancel_requested=True)
    if running:
        return _changed(job, job.state, (), asked)
    changes = tuple(_left_open(job, TaskState.CANCELLED, None))
    end = _end(_with(job, changes))
    return _changed(job, end or job.state, changes, (*asked, *_of_outputs(job, changes), *_of_job(end)))


def retried(job: Standing) -> Changed:
    """A new run of what failed or was cancelled."""
    again = tuple(
        OutputChange(id=output.id, state=OutputState.QUEUED)
        for output in job.outputs
        if output.state in (OutputState.FAILED, OutputState.CANCELLED)
    )
    job = replace(job, run=job.run + 1, cancel_requested=False, problem=None)
    happened = Happening(type=EventType.JOB_RETRIED, data={"outputs": [change.id for change in again]})
    return _changed(job, JobState.QUEUED, again, (happened,), attempts=0)


def _changed(
    job: Standing,
    state: JobState,
    changes: Sequence[OutputChange],
    happenings: tuple[Happening, ...],
    *,
    attempts: int | None = None,
) -> Changed:
    if state is not job.state and state not in JOB_MOVES[job.state]:
        raise errors.Defect(f"job {job.id} cannot go from {job.state} to {state}")
    after = replace(_with(job, changes), state=state, event_seq=job.event_seq + len(happenings))
    return Changed(job=after, outputs=_merged(changes), attempts=attempts, happenings=happenings)


def _with(job: Standing, changes: Sequence[OutputChange]) -> Standing:
    """The job with these changes on its outputs.

    Raises:
        errors.Defect: a change that the table of states does not know.
    """
    by_id = {output.id: output for output in job.outputs}
    for change in changes:
        output = by_id[change.id]
        state = change.state or output.state
        if state is not output.state and state not in OUTPUT_MOVES[output.state]:
            raise errors.Defect(f"output {change.id} of job {job.id} cannot go from {output.state} to {state}")
        failed = state is OutputState.FAILED
        by_id[change.id] = ToldOutput(
            id=output.id,
            state=state,
            delivered=change.delivered or output.delivered,
            problem=(change.problem or output.problem) if failed else None,
        )
    return replace(job, outputs=tuple(by_id[output.id] for output in job.outputs))


def _left_open(job: Standing, state: TaskState, problem: Problem | None) -> Iterator[OutputChange]:
    for output in job.open_outputs:
        if state is TaskState.FAILED:
            yield OutputChange(id=output.id, state=OutputState.FAILED, problem=problem)
        elif state is TaskState.CANCELLED:
            yield OutputChange(id=output.id, state=OutputState.CANCELLED)
        elif state is not TaskState.DONE and output.state is not OutputState.QUEUED:
            yield OutputChange(id=output.id, state=OutputState.QUEUED)


def _left_by_part(
    job: Standing, claim: Claim, state: TaskState, problem: Problem | None, *, goes_on: bool
) -> Iterator[OutputChange]:
    """A part that failed fails its own outputs. Whoever is last leaves none open: nobody is there to make them."""
    own = claim.args.get("outputs")
    for output in job.open_outputs:
        if state is TaskState.FAILED and (not isinstance(own, list) or output.id in own):
            yield OutputChange(id=output.id, state=OutputState.FAILED, problem=problem)
        elif state in TASK_ENDED and not goes_on:
            yield OutputChange(id=output.id, state=OutputState.CANCELLED)


def open_beyond(job: Standing, claim: Claim, settlement: Settlement, state: TaskState) -> frozenset[OutputId]:
    """The outputs that are still open once a part has ended so, as long as others go on."""
    own = _with(job, settlement.changes)
    after = _with(own, tuple(_left_by_part(own, claim, state, settlement.problem, goes_on=True)))
    return frozenset(output.id for output in after.open_outputs)


def _merged(changes: Sequence[OutputChange]) -> tuple[OutputChange, ...]:
    """One change per output: what came later wins, member by member."""
    by_id: dict[OutputId, OutputChange] = {}
    for change in changes:
        said = {name: value for name in _MEMBERS if (value := getattr(change, name)) is not None}
        by_id[change.id] = replace(by_id.get(change.id, change), **said)
    return tuple(by_id.values())


def _of_outputs(job: Standing, changes: Sequence[OutputChange]) -> tuple[Happening, ...]:
    before = {output.id: output.state for output in job.outputs}
    return tuple(
        Happening(type=_OUTPUT_EVENTS[change.state], output=change.id, data=_what(change))
        for change in _merged(changes)
        if change.state in _OUTPUT_EVENTS and change.state is not before[change.id]
    )


def _what(change: OutputChange) -> dict[str, Json]:
    if change.problem is not None:
        return {"error": to_json(change.problem)}
    return {"uri": change.delivered.uri, "sizeBytes": change.delivered.size_bytes} if change.delivered else {}


def _of_job(end: JobState | None) -> tuple[Happening, ...]:
    return () if end is None else (Happening(type=_JOB_EVENTS[end]),)


def _account(claim: Claim, state: TaskState, settlement: Settlement, started_at: datetime | None) -> dict[str, Json]:
    trail = settlement.trail
    return {
        "task": claim.name,
        "epoch": claim.epoch,
        "attempt": claim.attempt,
        "outcome": settlement.outcome,
        "state": state,
        "error": None if settlement.problem is None else to_json(settlement.problem),
        "worker": trail.worker,
        "startedAt": to_json(started_at),
        "lastBeatAt": to_json(trail.last_beat_at),
        "delaySeconds": settlement.delay.total_seconds(),
        "steps": [{name: value for name, value in to_json(step).items() if value is not None} for step in trail.steps],
    }


def _end(job: Standing) -> JobState | None:
    return job_end([output.state for output in job.outputs], cancel_requested=job.cancel_requested)


def _first_problem(job: Standing) -> Problem | None:
    return next((output.problem for output in job.outputs if output.problem is not None), None)
