"""Enqueue: a job whole, in one statement."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from time import monotonic

from encoder.model.event import EventType
from encoder.model.ids import JobId
from encoder.model.queue import IO
from encoder.store.changes import Delivery
from encoder.store.hints import Hints
from encoder.store.line import NOTIFY_ATTEMPTS, Front
from encoder.store.postgres import sql
from encoder.store.postgres.pool import Pool
from encoder.store.rows import NewJob
from encoder.store.text import json_text
from encoder.store.verbs.jobs import first_delivery

_Ticket = tuple[JobId, datetime, Delivery]


async def insert(pool: Pool, hints: Hints, job: NewJob, *, front: Front) -> JobId | None:
    """The number of the job; None when its key was used before. `front`: of the line of its queue."""
    ticket = await _ticket(pool, job)
    hinted = hints.rides()
    floor = front.at(monotonic())
    rows = await pool.ask(sql.ENQUEUE, *_values(job, ticket), hinted, job.upload_id, job.spec.queue, floor)
    if not rows:
        return None
    front.saw(rows[0]["front"])
    if rows[0]["overtakes"]:
        await pool.ask(sql.STEP_BACK, job.tenant_id, -job.spec.priority, job.spec.queue, floor)
    hints.send(*(() if hinted else (f"ready:{job.spec.queue}",)), *((f"ready:{IO}",) if ticket else ()))
    return JobId(rows[0]["id"])


async def _ticket(pool: Pool, job: NewJob) -> _Ticket | None:
    """Number, time and first delivery of a job with a receiver: the text that it is told names them."""
    if job.spec.notification_url is None:
        return None
    (row,) = await pool.ask(sql.TICKET)
    job_id, at = JobId(row["id"]), row["at"]
    return job_id, at, first_delivery(job, job_id, at, job.spec.notification_url)


def _values(job: NewJob, ticket: _Ticket | None) -> Sequence[object]:
    job_id, at, told = ticket or (None, None, None)
    return (
        job_id,
        at,
        job.uuid,
        job.tenant_id,
        json_text(job.spec),
        job.label,
        job.spec.tags,
        job.sealed,
        job.idempotency_key,
        job.body_hash,
        len(job.spec.outputs),
        -job.spec.priority,
        job.max_attempts,
        EventType.JOB_SUBMITTED,
        told and told.webhook_id,
        told and told.url,
        told and told.body,
        NOTIFY_ATTEMPTS,
    )
