"""Who is told, and what they were told: what goes into the store, what is asked for, what comes out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from encoder.model.ids import DeliveryId, EndpointId, JobId, TenantId
from encoder.model.receiver import Receiver
from encoder.store.rows import DeliveryRow

LOOK = 1_000  # deliveries that one look reads


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEndpoint:
    """An endpoint to be put. `sealed_url` and `secret` are sealed for `uuid`; the secret is for a new one alone."""

    uuid: UUID
    tenant_id: TenantId
    receiver: Receiver
    enabled: bool
    sealed_url: bytes
    secret: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointRow:
    """`old_secret_until`: how long the secret before the present one, of `secret_at`, signs beside it, if it does."""

    id: EndpointId
    uuid: UUID
    tenant_id: TenantId
    receiver: Receiver
    enabled: bool
    secret_at: datetime
    old_secret_until: datetime | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TestTelling:
    """What an endpoint is told for a test, under a name that no event has."""

    event_type: str
    webhook_id: str
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryFilter:
    """A look at the next `look` deliveries, newest first, those with an id below `before`.

    `state` and `job_id` are looked up by an index; what else does not match is passed over.
    """

    tenant_id: TenantId
    job_id: JobId | None = None
    state: str | None = None
    receiver: str | None = None
    event_type: str | None = None
    created_after: datetime | None = None  # at this time or later
    created_before: datetime | None = None
    before: DeliveryId | None = None  # None: from the newest on
    look: int = LOOK


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryLook:
    """Those of a look that match, newest first. `before`: where the next look begins; None: there is nothing more."""

    ids: Sequence[DeliveryId]
    before: DeliveryId | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryPage:
    """`before`: what the next page asks for; None on the last one. A page may be short though another follows."""

    rows: Sequence[DeliveryRow]
    before: DeliveryId | None
