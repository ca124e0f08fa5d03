"""What the API tells of receivers. Every member is always there; `null`: not yet known."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from encoder.model.base import Json, Record
from encoder.model.ids import DeliveryId, JobId


class EndpointAnswer(Record):
    """An endpoint. `url`: `***` stands for its query. `secret`: shown when it was made, and never again.

    `oldSecretUntil`: how long the secret before the present one, of `secretAt`, signs beside it.
    """

    name: str
    url: str
    events: tuple[str, ...]
    format: str
    settings: dict[str, Json]
    enabled: bool
    secret_at: datetime
    old_secret_until: datetime | None
    created_at: datetime
    updated_at: datetime
    secret: str | None


class EndpointsAnswer(Record):
    """All of a tenant, by name."""

    endpoints: tuple[EndpointAnswer, ...]


class DeliveryAnswer(Record):
    """What one receiver was told, and what it said. `status`: pending, delivered, exhausted, gone.

    `endpoint`: null for the job's own `notificationUrl`; a test of an endpoint belongs to no job. `body`: the very text
    that is sent; null in lists. `nextTryAt`: of one that is tried again by itself.
    """

    id: DeliveryId
    job_id: JobId | None
    job_uuid: UUID | None
    endpoint: str | None
    webhook_id: str
    type: str
    url: str
    status: str
    tries: int
    http_status: int | None
    error: str | None
    answer: str | None
    created_at: datetime
    tried_at: datetime | None
    delivered_at: datetime | None
    next_try_at: datetime | None
    body: str | None


class DeliveriesAnswer(Record):
    """A page, newest first. `nextCursor` is null on the last one; before it, a page may be short."""

    deliveries: tuple[DeliveryAnswer, ...]
    next_cursor: str | None


class TestAnswer(Record):
    """The delivery in which an endpoint is told a test."""

    delivery_id: DeliveryId


class ReplayAnswer(Record):
    """`left`: of the next 10,000 deliveries, those that match."""

    replayed: int
    left: int
