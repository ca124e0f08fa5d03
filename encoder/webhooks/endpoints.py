"""Endpoints of a tenant: put, given new secrets, tested. Their secrets leave here once, when they are made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from encoder import errors
from encoder.model.base import replace
from encoder.model.event import Event, EventType
from encoder.model.formats import known
from encoder.model.ids import DeliveryId, JobId, OutputId, TenantId
from encoder.model.job import JobSpec, OutputSpec
from encoder.model.receiver import Receiver
from encoder.model.result import Delivered
from encoder.model.secrets import hide_in
from encoder.model.state import JobState, OutputState
from encoder.model.telling import ToldJob, ToldOutput, webhook_id
from encoder.store.protocol import Endpoints as Stored
from encoder.store.receivers import EndpointRow, NewEndpoint, TestTelling
from encoder.vault import Vault
from encoder.webhooks import sign

MOST = 20  # endpoints of a tenant: each costs a delivery per event
KEPT = timedelta(hours=24)  # at least, that an old secret signs beside the new one
_RACES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """An endpoint as it stands, and the secret that was made for it, if one was."""

    row: EndpointRow
    secret: str | None


class Endpoints:
    """`new_secret`: a `whsec_…` that nobody has."""

    def __init__(
        self,
        store: Stored,
        vault: Vault,
        *,
        new_uuid: Callable[[], UUID],
        new_secret: Callable[[], str] = sign.new_secret,
    ) -> None:
        self._store = store
        self._vault = vault
        self._new_uuid = new_uuid
        self._new_secret = new_secret

    async def put(self, tenant_id: TenantId, receiver: Receiver, *, enabled: bool) -> Made:
        """A new endpoint, with its secret; or another address, wish and form for the one of that name.

        Raises:
            errors.Rejected: `too_many_endpoints`.
        """
        for _ in range(_RACES):  # with who puts or removes the same one
            before = await self._store.endpoint(tenant_id, receiver.name)
            if before is None and len(await self._store.endpoints(tenant_id)) >= MOST:
                raise errors.Rejected.because("too_many_endpoints", f"A tenant has {MOST} endpoints at most.")
            uuid = self._new_uuid() if before is None else before.uuid
            secret = self._new_secret()
            row = await self._store.put_endpoint(
                NewEndpoint(
                    uuid=uuid,
                    tenant_id=tenant_id,
                    receiver=replace(receiver, url=_shown(receiver.url)),
                    enabled=enabled,
                    sealed_url=self._sealed({"url": receiver.url}, tenant_id, uuid),
                    secret=self._sealed({"secret": secret}, tenant_id, uuid),
                )
            )
            if row is not None:
                return Made(row=row, secret=secret if before is None else None)
        raise errors.StoreUnavailable(f"endpoint {receiver.name} is changed by others all the time")

    async def rotate(self, tenant_id: TenantId, name: str, *, keep: timedelta = KEPT) -> Made | None:
        """A new secret; the one before signs beside it for `keep`, none before that. None: no such endpoint."""
        before = await self._store.endpoint(tenant_id, name)
        if before is None:
            return None
        secret = self._new_secret()
        sealed = self._sealed({"secret": secret}, tenant_id, before.uuid)
        row = await self._store.rotate_endpoint(tenant_id, name, uuid=before.uuid, secret=sealed, keep=keep)
        return None if row is None else Made(row=row, secret=secret)

    async def test(self, tenant_id: TenantId, name: str) -> DeliveryId | None:
        """Tell it of a job that there never was, as it would be told of one; None: no such endpoint."""
        return await self._store.test_endpoint(tenant_id, name, test_of)

    def _sealed(self, secrets: dict[str, str], tenant_id: TenantId, uuid: UUID) -> bytes:
        sealed = self._vault.seal(secrets, tenant_id=tenant_id, job_uuid=uuid)
        if sealed is None:
            raise errors.Defect("an endpoint always has something to seal")
        return sealed


def test_of(endpoint: EndpointRow, number: int, at: datetime) -> TestTelling:
    """What an endpoint is told for its test of this number."""
    receiver = endpoint.receiver
    event = Event(seq=number, type=EventType.ENDPOINT_TEST, at=at, run=1)
    return TestTelling(
        event_type=event.type,
        webhook_id=webhook_id(endpoint.uuid, number),
        body=known(receiver.format).text(event, _example(endpoint.uuid, at), receiver.settings),
    )


def _example(uuid: UUID, at: datetime) -> ToldJob:
    made = Delivered(
        uri="https://example.com/test.mp4",
        size_bytes=1_048_576,
        sha256="0" * 64,
        duration_seconds=10.0,
        width=1280,
        height=720,
    )
    spec = JobSpec(
        source={"kind": "https", "url": "https://example.com/test.mov"},
        outputs=(OutputSpec(container="mp4"),),
        metadata={"test": True},
    )
    return ToldJob(
        id=JobId(0),
        uuid=uuid,
        created_at=at,
        state=JobState.COMPLETED,
        spec=spec,
        problem=None,
        outputs=(ToldOutput(id=OutputId(0), state=OutputState.UPLOADED, delivered=made),),
    )


def _shown(url: str) -> str:
    """With a mark in place of its query, which is often a secret: so whoever puts that back is told."""
    return str(hide_in({"url": url})[0]["url"])
