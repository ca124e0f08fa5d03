"""What a process asks that watches jobs for many."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence

from encoder.model.event import Event
from encoder.model.ids import JobId, TaskId, TenantId
from encoder.store.engine import Row, Session
from encoder.store.rows import JobRow, Moment, Sight
from encoder.store.statements import Statement
from encoder.store.verbs.read import event_of
from encoder.store.verbs.reading import Reading

_MOST_EVENTS = 5000  # in one reading; what lies behind them comes with the next


class Watching(Reading):
    async def glances(self, jobs: Sequence[JobId]) -> Mapping[JobId, Hashable]:
        rows = await self._pool.rows(Statement.GLANCES, list(jobs))
        return {JobId(row["id"]): _glance(row) for row in rows}

    async def sights(self, seen: Mapping[JobId, int]) -> Sequence[Sight]:
        rows = await self._pool.rows(Statement.JOBS_NOW, list(seen))
        jobs = await self._of_many_tenants(await self._with_outputs(rows))
        afters = [seen[job.id] for job in jobs]
        events: defaultdict[JobId, list[Event]] = defaultdict(list)
        for row in await self._pool.rows(Statement.EVENTS_OF_JOBS, [job.id for job in jobs], afters, _MOST_EVENTS):
            events[JobId(row["job_id"])].append(event_of(row))
        return [Sight(job=job, events=tuple(events[job.id])) for job in jobs]

    async def moment(self) -> Moment:
        (row,) = await self._pool.rows(Statement.MOMENT)
        return Moment(task=TaskId(row["task"]), at=row["at"])

    async def stirred(self, tenants: Sequence[TenantId], since: Moment, *, limit: int) -> Mapping[JobId, TenantId]:
        rows = await self._pool.rows(Statement.STIRRED, list(tenants), since.task, since.at, limit)
        return {JobId(row["job_id"]): TenantId(row["tenant_id"]) for row in rows}

    async def _of_many_tenants(self, jobs: Sequence[JobRow]) -> Sequence[JobRow]:
        """As `_whole`, whosesoever they are."""
        by_tenant: defaultdict[TenantId, list[JobRow]] = defaultdict(list)
        for job in jobs:
            by_tenant[job.tenant_id].append(job)

        async def work(session: Session) -> Sequence[JobRow]:
            return [job for tenant, theirs in by_tenant.items() for job in await self._whole(session, tenant, theirs)]

        return await self._pool.visit(work)


def _glance(row: Row) -> Hashable:
    return tuple(row[name] for name in ("event_seq", "state", "worker_id", "beat_at", "silent"))
