"""Takes away what has had its time: rows go in batches, and only after whatever they lead to."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from encoder.model.ids import JobId
from encoder.store.engine import Row, Session
from encoder.store.rows import Ended
from encoder.store.statements import Statement
from encoder.store.verbs.base import Verbs

_FIRST = Ended(id=JobId(0), uuid=UUID(int=0), at=datetime.fromtimestamp(0, UTC))


class Retention(Verbs):
    async def ended_jobs(self, *, ended_for: timedelta, limit: int, after: Ended | None = None) -> Sequence[Ended]:
        place = after or _FIRST
        rows = await self._pool.rows(Statement.ENDED_JOBS, ended_for, limit, place.at, place.id)
        return [_ended(row) for row in rows]

    async def deleted_jobs(self, *, limit: int, after: Ended | None = None) -> Sequence[Ended]:
        place = after or _FIRST
        return [_ended(row) for row in await self._pool.rows(Statement.DELETED_JOBS, limit, place.at, place.id)]

    async def remove_jobs(self, ids: Sequence[JobId]) -> int:
        async def work(session: Session) -> int:
            mine = [row["id"] for row in await session.fetch(Statement.LOCK_ENDED, sorted(ids))]
            (row,) = await session.fetch(Statement.REMOVE_JOBS, mine) if mine else ({"removed": 0},)
            return int(row["removed"])

        return await self._pool.transaction(work)


def _ended(row: Row) -> Ended:
    return Ended(id=JobId(row["id"]), uuid=row["uuid"], at=row["at"])
