"""What failed, and why: the verbs that find dead letters. They run again by `retry`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from encoder.errors import FailureClass
from encoder.model.ids import JobId, TenantId
from encoder.store.dead import COUNTED, DeadFilter, DeadGroup, DeadJob, DeadPage
from encoder.store.engine import Row
from encoder.store.statements import Statement
from encoder.store.verbs.base import Verbs


class DeadLetters(Verbs):
    async def dead_groups(
        self, tenant_id: TenantId, *, failed_after: datetime | None = None, failed_before: datetime | None = None
    ) -> Sequence[DeadGroup]:
        rows = await self._pool.rows(Statement.DEAD_GROUPS, tenant_id, COUNTED, failed_after, failed_before)
        return [_group_of(row) for row in rows]

    async def dead_jobs(self, wanted: DeadFilter) -> DeadPage:
        rows = await self._pool.rows(
            Statement.DEAD_JOBS,
            wanted.tenant_id,
            wanted.after or 0,
            wanted.look,
            wanted.code,
            wanted.kind,
            wanted.failed_after,
            wanted.failed_before,
        )
        return DeadPage(
            jobs=[DeadJob(id=JobId(row["id"]), secrets_erased=bool(row["erased"])) for row in rows if row["chosen"]],
            after=JobId(rows[-1]["id"]) if len(rows) == wanted.look else None,
        )


def _group_of(row: Row) -> DeadGroup:
    return DeadGroup(
        code=row["code"],
        kind=FailureClass(row["kind"]),
        jobs=row["jobs"],
        first_at=row["first_at"],
        last_at=row["last_at"],
    )
