"""Enqueue: a job whole, in one statement."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from time import monotonic

from encoder.model.base import to_json
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
from encoder.store.verbs.jobs import first_deliveries
from encoder.store.verbs.read import receivers_of

_Ticket = tuple[JobId, datetime, Sequence[Delivery]]


async def insert(pool: Pool, hints: Hints, job: NewJob, *, front: Front) -> JobId | None:
    """The number of the job; None when its key was used before. `front`: of the line of its queue."""
    ticket = await _ticket(pool, job) if job.spec.notification_url else None
    hinted = hints.rides()
    where = (hinted, job.upload_id, job.spec.queue, front.at(monotonic()))
    rows = await pool.ask(sql.ENQUEUE, *_values(job, ticket), *where)
    if not rows and ticket is None:  # its tenant has an endpoint, or its key was used
        ticket = await _ticket(pool, job)
        rows = await pool.ask(sql.ENQUEUE, *_values(job, ticket), *where)
    if not rows:
        return None
    front.saw(rows[0]["front"])
    if rows[0]["overtakes"]:
        await pool.ask(sql.STEP_BACK, job.tenant_id, -job.spec.priority, job.spec.queue, where[-1])
    hints.send(*(() if hinted else (f"ready:{job.spec.queue}",)), *((f"ready:{IO}",) if ticket and ticket[-1] else ()))
    return JobId(rows[0]["id"])


async def _ticket(pool: Pool, job: NewJob) -> _Ticket:
    """Number, time and first deliveries of a job of which somebody is told: the text names the first two."""
    (row,) = await pool.ask(sql.TICKET, job.tenant_id)
    job_id, at = JobId(row["id"]), row["at"]
    return job_id, at, first_deliveries(job, job_id, at, receivers_of(row["receivers"]))


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
        None if told is None else json_text([to_json(each) for each in told]),
        NOTIFY_ATTEMPTS,
    )
