"""What receivers are told."""

from __future__ import annotations

from dataclasses import replace

from encoder import errors
from encoder.model.ids import DeliveryId, TenantId
from encoder.model.queue import IO
from encoder.model.state import TaskState
from encoder.store.engine import Session
from encoder.store.line import NOTIFY_ATTEMPTS
from encoder.store.line import telling as name_of
from encoder.store.receivers import DeliveryFilter, DeliveryLook, DeliveryPage
from encoder.store.rows import Claim, DeliveryRow, DeliveryTry, Settlement
from encoder.store.statements import Statement
from encoder.store.verbs import telling
from encoder.store.verbs.base import Verbs
from encoder.store.verbs.read import delivery_of, seal_of

_FIRST = (1 << 63) - 1  # above every number
_LOOKS = 10  # for one page, whatever matches


class Deliveries(Verbs):
    async def delivery(self, claim: Claim) -> DeliveryRow | None:
        delivery_id = telling.delivery_id(claim)
        row = await self._pool.row(Statement.DELIVERY, delivery_id, claim.name != name_of(delivery_id))
        if row is None:
            return None
        return replace(delivery_of(row), endpoint=seal_of(row), traceparent=row["traceparent"])

    async def settle_delivery(self, claim: Claim, result: DeliveryTry, settlement: Settlement) -> None:
        async def work(session: Session) -> bool:
            return await telling.close(session, claim, settlement, result=result)

        if not await self._pool.transaction(work):
            await self._told_before(claim)
        elif settlement.state is TaskState.WAITING:
            self._hints.send(f"ready:{IO}")

    async def look_at_deliveries(self, wanted: DeliveryFilter) -> DeliveryLook:
        rows = await self._pool.search(
            Statement.LOOK_AT_DELIVERIES,
            wanted.tenant_id,
            _FIRST if wanted.before is None else wanted.before,
            wanted.look,
            wanted.job_id,
            wanted.state,
            wanted.receiver,
            wanted.event_type,
            wanted.created_after,
            wanted.created_before,
        )
        before = DeliveryId(rows[-1]["id"]) if len(rows) == wanted.look else None
        return DeliveryLook(ids=[DeliveryId(row["id"]) for row in rows if row["chosen"]], before=before)

    async def deliveries(self, wanted: DeliveryFilter, *, limit: int) -> DeliveryPage:
        found: list[DeliveryId] = []
        before = wanted.before
        for _ in range(_LOOKS):
            look = await self.look_at_deliveries(replace(wanted, before=before))
            found += look.ids
            before = look.before
            if before is None or len(found) > limit:
                break
        page = found[:limit]
        rows = await self._pool.rows(Statement.DELIVERIES, page) if page else ()
        return DeliveryPage(rows=[delivery_of(row) for row in rows], before=page[-1] if len(found) > limit else before)

    async def replay(self, tenant_id: TenantId, delivery_id: DeliveryId) -> bool:
        async def work(session: Session) -> bool:
            row = await session.fetchrow(Statement.REOPEN_DELIVERY, tenant_id, delivery_id)
            if row is None:
                return False
            await session.execute(Statement.REPLAY, row["job_id"], delivery_id, name_of(delivery_id), NOTIFY_ATTEMPTS)
            return True

        found = await self._pool.transaction(work)
        if found:
            self._hints.send(f"ready:{IO}")
        return found

    async def _told_before(self, claim: Claim) -> None:
        """A settle whose answer was lost: nobody but the owner writes `done` at its epoch."""
        row = await self._pool.row(Statement.SETTLED_BEFORE, claim.task_id)
        if row is None or (row["state"], row["epoch"]) != (TaskState.DONE, claim.epoch):
            raise errors.LeaseLost(f"task {claim.task_id} is not held at epoch {claim.epoch}")
