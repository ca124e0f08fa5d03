"""Enqueue: a job whole, in one transaction."""

from __future__ import annotations

from collections.abc import Sequence

from asyncmy import errors as driver

from encoder.model.event import EventType
from encoder.model.ids import JobId
from encoder.model.queue import IO
from encoder.store.hints import Hints
from encoder.store.line import NOTIFY_ATTEMPTS
from encoder.store.mysql.connection import DUPLICATE, Connection, code_of
from encoder.store.mysql.pool import Pool, Session
from encoder.store.mysql.sql import queries
from encoder.store.mysql.telling import tell
from encoder.store.rows import NewJob
from encoder.store.text import json_text
from encoder.store.verbs.jobs import first_deliveries
from encoder.store.verbs.read import receivers_of

_TIME, _JOB, _TAGS, _OUTPUTS, _TASK, _EVENT, _UPLOAD = queries("enqueue")


async def insert(pool: Pool, hints: Hints, job: NewJob) -> JobId | None:
    """The number of the job; None when its key was used before."""

    async def work(session: Session) -> tuple[JobId, Sequence[str]]:
        return await insert_in(session.connection, job)

    try:
        job_id, after = await pool.transaction(work)
    except driver.IntegrityError as error:
        if code_of(error) != DUPLICATE or "jobs_key_once" not in str(error):
            raise
        return None
    hints.send(*after)
    return job_id


async def insert_in(session: Connection, job: NewJob) -> tuple[JobId, Sequence[str]]:
    """The number of the job, in a transaction that is open; and the hints that are to follow once it stands."""
    (now,) = await session.ask(_TIME, job.tenant_id)
    at = now["at"]
    job_id = JobId(
        await session.add(
            _JOB,
            at,
            job.uuid,
            job.tenant_id,
            json_text(job.spec),
            job.label,
            job.spec.tags,
            job.sealed,
            job.idempotency_key,
            job.body_hash,
        )
    )
    if job.spec.tags:
        await session.write(_TAGS, job_id, job.tenant_id, job.spec.tags)
    await session.write(_OUTPUTS, job_id, list(range(len(job.spec.outputs))), at)
    root = (-job.spec.priority, job.max_attempts, job.spec.queue, json_text(job.args))
    await session.write(_TASK, job_id, job.tenant_id, at, *root)
    await session.write(_EVENT, job_id, at, EventType.JOB_SUBMITTED)
    told = first_deliveries(job, job_id, at, receivers_of(now["receivers"]))
    words = [(each.receiver, each.seq, each.type, each.webhook_id, each.url, each.body) for each in told]
    await tell(session, job_id, at, NOTIFY_ATTEMPTS, words)
    if job.upload_id is not None:
        await session.write(_UPLOAD, job_id, job.upload_id, job.tenant_id)
    return job_id, (f"ready:{job.spec.queue}", *((f"ready:{IO}",) if told else ()))
