"""Enqueue: a job whole, in one statement, which may be a part of a transaction."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from datetime import datetime
from time import monotonic
from typing import LiteralString, Protocol

from encoder.model.base import to_json
from encoder.model.event import EventType
from encoder.model.ids import JobId, TenantId
from encoder.model.queue import IO
from encoder.store.changes import Delivery
from encoder.store.engine import Row
from encoder.store.hints import Hints
from encoder.store.line import NOTIFY_ATTEMPTS, Front
from encoder.store.postgres import sql
from encoder.store.rows import NewJob
from encoder.store.text import json_text
from encoder.store.verbs.jobs import first_deliveries
from encoder.store.verbs.read import receivers_of


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ticket:
    """Number, time and first deliveries of a job of which somebody is told: the text names the first two."""

    id: JobId
    at: datetime
    told: Sequence[Delivery]
    endpoints: bool  # whether its tenant has some


class Asks(Protocol):
    """The pool, or a transaction of it."""

    def ask(self, text: LiteralString, *values: object) -> Awaitable[Sequence[Row]]: ...


async def insert(
    asks: Asks, hints: Hints, job: NewJob, *, front: Front, told: set[TenantId]
) -> tuple[JobId | None, Sequence[str]]:
    """The number of the job, None when its key was used before; and the hints that are to follow once it stands.

    `front`: of the line of its queue. `told`: tenants that had endpoints the last time; it saves a round trip.
    """
    asked = job.spec.notification_url is not None or job.tenant_id in told
    ticket = await _ticket(asks, job) if asked else None
    hinted = hints.rides()
    where = (hinted, job.upload_id, job.spec.queue, front.at(monotonic()), json_text(job.args))
    rows = await asks.ask(sql.ENQUEUE, *_values(job, ticket), *where)
    if not rows and ticket is None:  # its tenant has an endpoint, or its key was used
        ticket = await _ticket(asks, job)
        rows = await asks.ask(sql.ENQUEUE, *_values(job, ticket), *where)
    if ticket is not None:
        (told.add if ticket.endpoints else told.discard)(job.tenant_id)
    if not rows:
        return None, ()
    front.saw(rows[0]["front"])
    if rows[0]["overtakes"]:
        await asks.ask(sql.STEP_BACK, job.tenant_id, -job.spec.priority, job.spec.queue, where[3])
    tells = ticket is not None and bool(ticket.told)
    after = (*(() if hinted else (f"ready:{job.spec.queue}",)), *((f"ready:{IO}",) if tells else ()))
    return JobId(rows[0]["id"]), after


async def _ticket(asks: Asks, job: NewJob) -> _Ticket:
    (row,) = await asks.ask(sql.TICKET, job.tenant_id)
    job_id, at, endpoints = JobId(row["id"]), row["at"], receivers_of(row["receivers"])
    return _Ticket(id=job_id, at=at, told=first_deliveries(job, job_id, at, endpoints), endpoints=bool(endpoints))


def _values(job: NewJob, ticket: _Ticket | None) -> Sequence[object]:
    return (
        ticket and ticket.id,
        ticket and ticket.at,
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
        ticket and json_text([to_json(each) for each in ticket.told]),
        NOTIFY_ATTEMPTS,
    )
