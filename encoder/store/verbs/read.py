"""From rows to what the protocol speaks of: jobs, their tasks, and who is told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

import msgspec

from encoder.model.base import Json, Record, from_json
from encoder.model.event import Event, EventType
from encoder.model.ids import DeliveryId, EndpointId, JobId, OutputId, TaskId, TenantId, WorkerId
from encoder.model.job import JobSpec, OutputSpec
from encoder.model.media import Media
from encoder.model.plan import Note, OutputPlan
from encoder.model.proof import Proof
from encoder.model.receiver import Receiver
from encoder.model.result import Delivered, Intent, Problem, Timings
from encoder.model.state import JobState, OutputState, TaskState
from encoder.model.trail import Step, Trail
from encoder.store.engine import Row
from encoder.store.pauses import read_pause
from encoder.store.receivers import EndpointRow
from encoder.store.rows import Attempt, Claim, DeliveryRow, EndpointSeal, Holder, Holdup, JobRow, Live, OutputRow, Part

R = TypeVar("R", bound=Record)


def record_of(kind: type[R], text: str | None) -> R | None:
    return None if text is None else from_json(kind, msgspec.json.decode(text))


def spec_of(text: str) -> JobSpec:
    return from_json(JobSpec, msgspec.json.decode(text))


def members_of(text: str) -> dict[str, Json]:
    return msgspec.json.decode(text, type=dict[str, Json])


def claim_of(row: Row) -> Claim:
    return Claim(
        task_id=TaskId(row["task_id"]),
        epoch=row["epoch"],
        job_id=JobId(row["job_id"]),
        tenant_id=TenantId(row["tenant_id"]),
        kind=row["kind"],
        queue=row["queue"],
        name=row["name"],
        attempt=row["attempt"],
        lost=row["lost"],
        released=row["released"],
        max_attempts=row["max_attempts"],
        args=members_of(row["args"]),
        waited_seconds=row["waited_seconds"],
    )


def job_of(row: Row, outputs: Sequence[Row]) -> JobRow:
    """A job, from its row joined with its root task, that task's lease and the worker who holds it."""
    spec = spec_of(row["spec"])
    live = live_of(row["live"])
    return JobRow(
        id=JobId(row["id"]),
        uuid=row["uuid"],
        tenant_id=TenantId(row["tenant_id"]),
        state=JobState(row["state"]),
        run=row["run"],
        spec=spec,
        label=row["label"],
        sealed=row["sealed"],
        cancel_requested=row["cancel_requested"],
        media=record_of(Media, row["media"]),
        problem=record_of(Problem, row["problem"]),
        created_at=row["created_at"],
        started_at=row["started_at"],
        finished_at=row["finished_at"],
        outputs=tuple(_output_of(output, spec.outputs[output["position"]], live) for output in outputs),
        holder=_holder_of(row),
        task_id=None if row["task_id"] is None else TaskId(row["task_id"]),
        task_queue=row["task_queue"],
        task_state=None if row["task_state"] is None else TaskState(row["task_state"]),
        run_at=row["run_at"],
        task_problem=record_of(Problem, row["task_problem"]),
        seq=row["event_seq"],
        purging=row["purging_at"] is not None,
    )


def job_in(rows: Sequence[Row]) -> JobRow | None:
    """The job that `job` gives, of which the first row has all but the other outputs; None of no rows."""
    if not rows:
        return None
    job, row = job_of(rows[0], rows), rows[0]
    return job if row["taken"] is None else replace(job, holdup=holdup_of(row))


def live_of(text: str | None) -> dict[OutputId, Live]:
    return {} if text is None else msgspec.json.decode(text, type=dict[OutputId, Live])


def _holder_of(row: Row) -> Holder | None:
    if row["worker_id"] is None:
        return None
    return Holder(
        worker_id=WorkerId(row["worker_id"]), host=row["host"] or "", beat_at=row["beat_at"], silent=bool(row["silent"])
    )


def _output_of(row: Row, spec: OutputSpec, live: dict[OutputId, Live]) -> OutputRow:
    position = OutputId(row["position"])
    warnings = row["warnings"]
    return OutputRow(
        id=position,
        spec=spec,
        state=OutputState(row["output_state"]),
        attempts=row["attempts"],
        plan=record_of(OutputPlan, row["plan"]),
        command=() if row["command"] is None else msgspec.json.decode(row["command"], type=tuple[str, ...]),
        intent=record_of(Intent, row["intent"]),
        delivered=record_of(Delivered, row["delivered"]),
        proof=record_of(Proof, row["proof"]),
        problem=record_of(Problem, row["output_problem"]),
        warnings=() if warnings is None else msgspec.json.decode(warnings, type=tuple[Note, ...]),
        timings=record_of(Timings, row["timings"]) or Timings(),
        live=live.get(position),
        updated_at=row["updated_at"],
    )


def attempt_of(row: Row) -> Attempt:
    return Attempt(
        task=row["name"],
        epoch=row["epoch"],
        attempt=row["attempt"],
        runnable_at=row["run_at"],
        started_at=row["started_at"],
        worker=row["host"],
        beat_at=row["beat_at"],
        expires_at=row["expires_at"],
        steps=_steps_of(row["live"]),
    )


def trail_of(row: Row) -> Trail:
    """Of an attempt whose worker fell silent: what it told last."""
    return Trail(worker=row["host"], steps=_steps_of(row["live"]), last_beat_at=row["beat_at"])


def _steps_of(live: str | None) -> tuple[Step, ...]:
    return next((each.aside.steps for each in live_of(live).values() if each.aside), ())


def event_of(row: Row) -> Event:
    return Event(
        seq=row["seq"],
        type=EventType(row["type"]),
        at=row["at"],
        run=row["run"],
        output=row["output"],
        data=members_of(row["data"]),
    )


def delivery_of(row: Row) -> DeliveryRow:
    return DeliveryRow(
        id=DeliveryId(row["id"]),
        job_id=JobId(row["job_id"]) if row["job_id"] > 0 else None,
        job_uuid=row["job_uuid"],
        tenant_id=TenantId(row["tenant_id"]),
        webhook_id=row["webhook_id"],
        event_type=row["event_type"],
        url=row["url"],
        body=row["body"],
        state=row["state"],
        tries=row["tries"],
        status=row["status"],
        error=row["error"],
        answer=row["answer"],
        created_at=row["created_at"],
        tried_at=row["tried_at"],
        delivered_at=row["delivered_at"],
        receiver=row["receiver"],
        next_try_at=row["next_try_at"],
        sealed=row["sealed"],
    )


def seal_of(row: Row) -> EndpointSeal | None:
    """What the endpoint of a delivery seals, if it is there."""
    if row["endpoint_uuid"] is None:
        return None
    secrets = tuple(secret for secret in (row["secret"], row["old_secret"]) if secret is not None)
    return EndpointSeal(
        uuid=row["endpoint_uuid"], enabled=bool(row["enabled"]), sealed_url=row["sealed_url"], secrets=secrets
    )


def receivers_of(text: str | None) -> tuple[Receiver, ...]:
    """Of a list of endpoints, each of them as text."""
    if text is None:
        return ()
    each = msgspec.json.decode(text, type=tuple[str, ...])
    return tuple(from_json(Receiver, msgspec.json.decode(one)) for one in each)


def endpoint_of(row: Row) -> EndpointRow:
    return EndpointRow(
        id=EndpointId(row["id"]),
        uuid=row["uuid"],
        tenant_id=TenantId(row["tenant_id"]),
        receiver=from_json(Receiver, msgspec.json.decode(row["receiver"])),
        enabled=bool(row["enabled"]),
        secret_at=row["secret_at"],
        old_secret_until=row["old_secret_until"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )


def holdup_of(row: Row) -> Holdup:
    return Holdup(
        paused_at=row["paused_at"],
        paused_because=read_pause(row["paused_because"])[0],
        cap=row["cap"],
        running=row["running"],
        taken=bool(row["taken"]),
    )


def part_of(row: Row) -> Part:
    result = None if row["result"] is None else members_of(row["result"])
    return Part(name=row["name"], args=members_of(row["args"]), result=result)
