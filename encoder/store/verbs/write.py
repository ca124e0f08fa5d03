"""Carries out what `store.changes` decides: the lock first, the outputs as they stand, then one statement."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

import msgspec

from encoder.model.base import Json, to_json
from encoder.model.ids import JobId, TenantId
from encoder.model.media import Media
from encoder.model.state import JobState, TaskState
from encoder.model.telling import ToldOutput
from encoder.store.changes import Changed, Delivery, Standing
from encoder.store.engine import Row, Session
from encoder.store.line import NOTIFY_ATTEMPTS
from encoder.store.rows import Claim, OutputChange, Settlement
from encoder.store.statements import Statement
from encoder.store.text import json_text, stored_text
from encoder.store.verbs.read import receivers_of, spec_of


async def lock(session: Session, job_id: JobId, statement: Statement = Statement.LOCK_JOB) -> Standing | None:
    """Lock a job and read it, without its outputs; None when it is not there, or not free for a rescue."""
    row = await session.fetchrow(statement, job_id)
    if row is None:
        return None
    return Standing(
        id=JobId(row["id"]),
        uuid=row["uuid"],
        tenant_id=TenantId(row["tenant_id"]),
        created_at=row["created_at"],
        state=JobState(row["state"]),
        run=row["run"],
        cancel_requested=row["cancel_requested"],
        event_seq=row["event_seq"],
        secrets_erased=row["secrets_erased_at"] is not None,
        deleted=row["deleted_at"] is not None,
        purging=row["purging_at"] is not None,
        spec=spec_of(row["spec"]),
        endpoints=receivers_of(row["receivers"]),
        outputs=(),  # they come with the next statement, which sees all that was committed before the lock
    )


def standing(job: Standing, row: Row) -> Standing:
    """The job with the outputs that a statement after the lock has read."""
    return replace(job, outputs=msgspec.json.decode(row["outputs"], type=tuple[ToldOutput, ...]))


async def close_task(
    session: Session, claim: Claim, settlement: Settlement, state: TaskState, *, by_rescue: bool
) -> Row | None:
    """Win the end of a claim: time and outputs, or None when it is not held (or its owner lives after all)."""
    return await session.fetchrow(
        Statement.CLOSE_TASK,
        claim.task_id,
        claim.epoch,
        state,
        settlement.delay,
        settlement.lost,
        settlement.released,
        None if settlement.problem is None else json_text(settlement.problem),
        by_rescue,
        None if settlement.result is None else json_text(settlement.result),
    )


async def record(session: Session, changed: Changed, at: datetime, *, media: Media | None = None) -> bool:
    """Write all of a change, as of the database's time `at`; whether somebody is to be told of it."""
    job = changed.job
    deliveries = changed.deliveries(at)
    texts = {text: number for number, text in enumerate(dict.fromkeys(each.body for each in deliveries), 1)}
    await session.execute(
        Statement.RECORD,
        job.id,
        at,
        job.state,
        job.run,
        job.cancel_requested,
        job.event_seq,
        None if media is None else json_text(media),
        None if job.problem is None else json_text(job.problem),
        json_text([_change(output, changed.attempts) for output in changed.outputs]),
        json_text(_events(changed, at)),
        json_text([_delivery(each, texts) for each in deliveries]),
        list(texts),
        NOTIFY_ATTEMPTS,
    )
    return bool(deliveries)


def _change(change: OutputChange, attempts: int | None) -> dict[str, Json]:
    written: dict[str, Json] = to_json(change)
    written["position"] = written.pop("id")
    written["attempts"] = attempts
    written["log"] = None if change.log is None else stored_text(change.log)
    return written


def _events(changed: Changed, at: datetime) -> list[dict[str, Json]]:
    return [
        {"seq": event.seq, "type": event.type, "output": event.output, "data": event.data, **_whose(happened.claim)}
        for event, happened in zip(changed.events(at), changed.happenings, strict=True)
    ]


def _delivery(told: Delivery, texts: Mapping[str, int]) -> dict[str, Json]:
    """With the number of its text: many are told the same, and each text goes over once."""
    written: dict[str, Json] = to_json(replace(told, body=""))
    written["body"] = texts[told.body]
    return written


def _whose(claim: Claim | None) -> dict[str, Json]:
    return {} if claim is None else {"task_id": claim.task_id, "epoch": claim.epoch}
