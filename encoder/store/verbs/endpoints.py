"""Whom a tenant wants told of all its jobs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from encoder.model.ids import DeliveryId, TenantId
from encoder.model.queue import IO
from encoder.store.engine import Session
from encoder.store.line import NOTIFY_ATTEMPTS
from encoder.store.receivers import EndpointRow, NewEndpoint, TestTelling
from encoder.store.statements import Statement
from encoder.store.text import json_text
from encoder.store.verbs.base import Verbs
from encoder.store.verbs.read import endpoint_of


class Endpoints(Verbs):
    async def put_endpoint(self, endpoint: NewEndpoint) -> EndpointRow | None:
        row = await self._pool.row(
            Statement.PUT_ENDPOINT,
            endpoint.uuid,
            endpoint.tenant_id,
            endpoint.receiver.name,
            json_text(endpoint.receiver),
            endpoint.enabled,
            endpoint.sealed_url,
            endpoint.secret,
        )
        return None if row is None else endpoint_of(row)

    async def endpoint(self, tenant_id: TenantId, name: str) -> EndpointRow | None:
        row = await self._pool.row(Statement.ENDPOINTS, tenant_id, name)
        return None if row is None else endpoint_of(row)

    async def endpoints(self, tenant_id: TenantId) -> Sequence[EndpointRow]:
        return [endpoint_of(row) for row in await self._pool.rows(Statement.ENDPOINTS, tenant_id, None)]

    async def rotate_endpoint(
        self, tenant_id: TenantId, name: str, *, uuid: UUID, secret: bytes, keep: timedelta
    ) -> EndpointRow | None:
        row = await self._pool.row(Statement.ROTATE_ENDPOINT, tenant_id, name, uuid, secret, keep)
        return None if row is None else endpoint_of(row)

    async def remove_endpoint(self, tenant_id: TenantId, name: str) -> bool:
        return await self._pool.row(Statement.REMOVE_ENDPOINT, tenant_id, name) is not None

    async def test_endpoint(
        self, tenant_id: TenantId, name: str, tell: Callable[[EndpointRow, int, datetime], TestTelling]
    ) -> DeliveryId | None:
        async def work(session: Session) -> DeliveryId | None:
            row = await session.fetchrow(Statement.HOLD_ENDPOINT, tenant_id, name)
            if row is None:
                return None
            endpoint = endpoint_of(row)
            (next_one,) = await session.fetch(Statement.TESTS_OF_ENDPOINT, -endpoint.id)
            told = tell(endpoint, next_one["seq"], next_one["at"])
            (made,) = await session.fetch(
                Statement.TEST_ENDPOINT,
                -endpoint.id,
                tenant_id,
                name,
                next_one["seq"],
                told.event_type,
                told.webhook_id,
                endpoint.receiver.url,
                told.body,
                NOTIFY_ATTEMPTS,
            )
            return DeliveryId(made["id"])

        delivery = await self._pool.transaction(work)
        if delivery is not None:
            self._hints.send(f"ready:{IO}")
        return delivery
