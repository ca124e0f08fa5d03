"""What is sealed, wherever it is kept: for whoever exchanges the operator's keys."""

from __future__ import annotations

from collections.abc import Sequence

from encoder.model.ids import JobId, TenantId
from encoder.store.engine import Row, Session
from encoder.store.kept import SealedRow
from encoder.store.statements import Statement
from encoder.store.verbs.base import Verbs

_REWRAP = {
    "job": Statement.REWRAP_JOB,
    "endpoint": Statement.REWRAP_ENDPOINT,
    "pipeline": Statement.REWRAP_PIPELINE,
    "rule": Statement.REWRAP_RULE,
    "upload": Statement.REWRAP_UPLOAD,
}


class Sealed(Verbs):
    async def sealed_jobs(self, *, after: JobId, limit: int) -> tuple[Sequence[SealedRow], JobId | None]:
        rows = await self._pool.rows(Statement.SEALED_JOBS, after, limit)
        sealed = [_sealed("job", row) for row in rows if row["sealed"] is not None]
        return sealed, JobId(rows[-1]["id"]) if rows else None

    async def sealed_elsewhere(self) -> Sequence[SealedRow]:
        return [_sealed(row["kind"], row) for row in await self._pool.rows(Statement.SEALED_ELSEWHERE)]

    async def rewrap(self, row: SealedRow, sealed: bytes) -> None:
        async def work(session: Session) -> None:
            await session.execute(_REWRAP[row.kind], row.uuid, row.sealed, sealed)

        await self._pool.transaction(work)


def _sealed(kind: str, row: Row) -> SealedRow:
    return SealedRow(kind=kind, tenant_id=TenantId(row["tenant_id"]), uuid=row["uuid"], sealed=bytes(row["sealed"]))
