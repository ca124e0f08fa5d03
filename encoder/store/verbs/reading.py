"""What callers see of jobs: the verbs that read."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

from encoder import errors
from encoder.model.event import Event
from encoder.model.ids import JobId, OutputId, TenantId
from encoder.model.state import JobState, TaskState
from encoder.store.engine import Row, Session
from encoder.store.fleet import Stats, Usage
from encoder.store.line import SEEN
from encoder.store.rows import JobFilter, JobRow, UnderWay
from encoder.store.statements import Statement
from encoder.store.text import json_text
from encoder.store.verbs.base import Verbs
from encoder.store.verbs.read import attempt_of, event_of, holdup_of, job_in, job_of
from encoder.store.verbs.read_chunks import with_chunks
from encoder.store.verbs.read_fleet import depth_of, usage_of

SEARCH_S = 2.0  # in which text, presets and codes are looked for
_NUMBER_DIGITS = 18  # every number of so many digits is a bigint
_FIRST_PAGE = JobId((1 << 63) - 1)
_NOT_BEGUN = (TaskState.WAITING, TaskState.READY)


class Reading(Verbs):
    async def job(self, tenant_id: TenantId, ref: str) -> JobRow | None:
        job_id, uuid = _meant(ref)
        if job_id is None and uuid is None:
            return None

        found = job_in(await self._pool.rows(Statement.JOB, job_id, uuid, tenant_id, False, SEEN))
        if found is None or found.task_state is not TaskState.BLOCKED:
            return found
        job = found
        (whole,) = await self._pool.visit(lambda session: self._whole(session, tenant_id, [job]))
        return whole

    async def jobs(self, wanted: JobFilter) -> Sequence[JobRow]:
        found = await self.find_jobs(wanted)
        rows = await self._pool.rows(Statement.JOBS_NOW, found) if found else ()
        jobs = await self._with_outputs(sorted(rows, key=lambda row: -row["id"]))
        return await self._pool.visit(lambda session: self._whole(session, wanted.tenant_id, jobs))

    async def find_jobs(self, wanted: JobFilter) -> Sequence[JobId]:
        above, below = await self._created_between(wanted.created_after, wanted.created_before)
        states = [state for state in wanted.states or JobState if not (wanted.code and state is JobState.COMPLETED)]
        text, inside = wanted.text, json_text(wanted.text)[1:-1] if wanted.text else None
        dear = wanted.text or wanted.preset or wanted.code
        try:
            rows = await self._pool.search(
                Statement.FIND_JOBS,
                wanted.tenant_id,
                states,
                min(wanted.before or _FIRST_PAGE, below),
                wanted.limit,
                wanted.tag,
                text,
                wanted.created_after,
                wanted.created_before,
                above,
                inside,
                wanted.preset,
                wanted.code,
                most_s=SEARCH_S if dear else None,
            )
        except errors.TooLong as error:
            told = f"The search was stopped after {SEARCH_S:g} s. Narrow the time, or ask by number or uuid."
            raise errors.Rejected.because("too_much_to_search", told) from error
        return [JobId(row["id"]) for row in rows]

    async def _with_outputs(self, jobs: Sequence[Row]) -> Sequence[JobRow]:
        outputs = defaultdict(list)
        for output in await self._pool.rows(Statement.OUTPUTS_OF_JOBS, [job["id"] for job in jobs]):
            outputs[output["job_id"]].append(output)
        rows = []
        for job in jobs:
            rows.append(job_of(job, outputs[job["id"]]))
            await asyncio.sleep(0)  # a page may hold twenty thousand outputs, and others have their turn meanwhile
        return rows

    async def _whole(self, session: Session, tenant_id: TenantId, jobs: Sequence[JobRow]) -> Sequence[JobRow]:
        """These jobs of a tenant: how far one is whose chunks are made; and where one waits, what holds it up."""
        waiting = [job.task_id for job in jobs if job.task_state is TaskState.BLOCKED]
        if waiting:
            rows = await session.fetch(Statement.CHUNKS, waiting)
            jobs = [with_chunks(job, rows) for job in jobs]
        queues = sorted({job.task_queue for job in jobs if job.task_queue and _waits(job)})
        if not queues:
            return jobs
        rows = await session.fetch(Statement.HOLDUPS, tenant_id, queues, SEEN)
        holdups = {row["queue"]: holdup_of(row) for row in rows}
        return [replace(job, holdup=holdups.get(job.task_queue)) if _waits(job) else job for job in jobs]

    async def _created_between(self, after: datetime | None, before: datetime | None) -> tuple[int, int]:
        """Ids below and above all jobs of a time: else a page of long ago would read all that came since."""
        row = await self._pool.row(Statement.CREATED_BETWEEN, after, before) if after or before else None
        above, below = (row["above"], row["below"]) if row else (None, None)
        return above or 0, below or _FIRST_PAGE

    async def events(self, job_id: JobId, *, after: int = 0, limit: int = 500) -> Sequence[Event]:
        return [event_of(row) for row in await self._pool.rows(Statement.EVENTS, job_id, after, limit)]

    async def log(self, job_id: JobId, output: OutputId) -> str | None:
        row = await self._pool.row(Statement.LOG, job_id, output)
        return None if row is None else row["log"]

    async def under_way(self, job_id: JobId) -> UnderWay:
        rows = await self._pool.rows(Statement.UNDER_WAY, job_id)
        return UnderWay(at=rows[0]["at"], attempts=tuple(attempt_of(row) for row in rows if row["name"] is not None))

    async def open_jobs(self, tenant_id: TenantId, *, most: int) -> int:
        (row,) = await self._pool.rows(Statement.OPEN_JOBS, tenant_id, most)
        return min(int(row["jobs"]), most)

    async def usage(self, tenant_id: TenantId, *, since: datetime, until: datetime, most: int) -> Usage | None:
        above, below = await self._created_between(since, until)
        days = (_day_from(since), _day_from(until))
        rows = await self._pool.search(Statement.USAGE, tenant_id, above, below, since, until, most + 1, *days)
        looked_at = sum(int(row["jobs"]) for row in rows if not row["removed"])
        return None if looked_at > most else usage_of(rows)

    async def counts(self, tenant_id: TenantId | None) -> dict[JobState, int]:
        rows = await self._pool.search(Statement.COUNT_JOBS, tenant_id, tuple(JobState))
        return {JobState(row["state"]): row["jobs"] for row in rows}

    async def stats(self, tenant_id: TenantId | None) -> Stats:
        jobs = await self.counts(tenant_id)
        queues = await self._pool.search(Statement.DEPTHS, tenant_id)
        return Stats(jobs=jobs, queues=tuple(depth_of(row) for row in queues))


def _waits(job: JobRow) -> bool:
    return job.task_state in _NOT_BEGUN or (job.chunks is not None and not job.chunks.running)


def _day_from(at: datetime) -> date:
    """The first day, of UTC, that begins then or later."""
    day = at.astimezone(UTC)
    return day.date() if day.time() == time.min else day.date() + timedelta(days=1)


def _meant(ref: str) -> tuple[JobId | None, UUID | None]:
    """The number or the uuid that a caller wrote."""
    if ref.isascii() and ref.isdecimal() and len(ref) <= _NUMBER_DIGITS:
        return JobId(int(ref)), None
    try:
        return None, UUID(ref)
    except ValueError:
        return None, None
