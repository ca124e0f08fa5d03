"""What operators do to queues."""

from __future__ import annotations

from collections.abc import Sequence

from encoder.store.engine import Session
from encoder.store.fleet import Quota
from encoder.store.pauses import pause_text
from encoder.store.statements import Statement
from encoder.store.verbs.base import Verbs
from encoder.store.verbs.read_fleet import quota_of


class Queues(Verbs):
    async def pause(self, queue: str, because: str, by: str | None = None) -> bool:
        async def work(session: Session) -> bool:
            known = await session.fetchrow(Statement.PAUSE, queue, because, pause_text(because, by)) is not None
            if known:
                await session.execute(Statement.TAKE_BACK, queue, None)
            return known

        return await self._pool.transaction(work)

    async def resume(self, queue: str) -> bool:
        async def work(session: Session) -> bool:
            return await session.fetchrow(Statement.RESUME, queue) is not None

        known = await self._pool.transaction(work)
        if known:
            self._hints.send(f"ready:{queue}")
        return known

    async def set_quota(self, quota: Quota) -> bool:
        async def work(session: Session) -> bool:
            values = (quota.tenant_id, quota.queue, quota.cap, quota.share)
            known = await session.fetchrow(Statement.SET_QUOTA, *values) is not None
            if known:
                await session.execute(Statement.TAKE_BACK, quota.queue, quota.tenant_id)
            return known

        known = await self._pool.transaction(work)
        if known:
            self._hints.send(f"ready:{quota.queue}")
        return known

    async def known_queues(self) -> Sequence[str]:
        return [str(row["queue"]) for row in await self._pool.rows(Statement.KNOWN_QUEUES)]

    async def quotas(self) -> Sequence[Quota]:
        return [quota_of(row) for row in await self._pool.rows(Statement.QUOTAS)]
