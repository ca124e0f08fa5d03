"""What operators do to queues."""

from __future__ import annotations

from collections.abc import Sequence

from encoder.store.engine import Session
from encoder.store.rows import Quota
from encoder.store.statements import Statement
from encoder.store.verbs.base import Verbs
from encoder.store.verbs.read import quota_of


class Queues(Verbs):
    async def pause(self, queue: str, because: str) -> None:
        async def work(session: Session) -> None:
            await session.execute(Statement.PAUSE, queue, because)
            await session.execute(Statement.TAKE_BACK, queue, None)

        await self._pool.transaction(work)

    async def resume(self, queue: str) -> bool:
        async def work(session: Session) -> bool:
            return await session.fetchrow(Statement.RESUME, queue) is not None

        known = await self._pool.transaction(work)
        self._hints.send(f"ready:{queue}")
        return known

    async def set_quota(self, quota: Quota) -> None:
        async def work(session: Session) -> None:
            await session.execute(Statement.SET_QUOTA, quota.tenant_id, quota.queue, quota.cap, quota.share)
            await session.execute(Statement.TAKE_BACK, quota.queue, quota.tenant_id)

        await self._pool.transaction(work)
        self._hints.send(f"ready:{quota.queue}")

    async def known_queues(self) -> Sequence[str]:
        return [str(row["queue"]) for row in await self._pool.rows(Statement.KNOWN_QUEUES)]

    async def quotas(self) -> Sequence[Quota]:
        return [quota_of(row) for row in await self._pool.rows(Statement.QUOTAS)]
