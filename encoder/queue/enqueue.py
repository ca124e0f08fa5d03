"""Takes a job in: secrets out of sight, then everything in one transaction (G1)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Protocol
from urllib.parse import unquote, urlsplit
from uuid import UUID

from encoder import errors, tracing
from encoder.log import get_logger
from encoder.metrics.api import rate_limited, submitted
from encoder.metrics.queue import verb
from encoder.model.ids import TenantId
from encoder.model.job import JobSpec, Place
from encoder.model.secrets import hide
from encoder.queue.ceiling import Ceiling
from encoder.store.kept import Ingested, Seen
from encoder.store.protocol import Ingest, Jobs
from encoder.store.rows import Accepted, NewJob
from encoder.vault import Vault

log = get_logger(__name__)

LABEL_CHARS = 200
FULL_S = 30.0  # after which it is worth another try: jobs take their time


class Counter(Jobs, Ingest, Protocol):
    """Where jobs are handed in."""


def label_of(source: Place) -> str:
    """The source's name as people know it: the last segment of its path; its kind where there is none."""
    named = source.get("fileName") or source.get("path") or urlsplit(str(source.get("url", ""))).path
    name = PurePosixPath(unquote(str(named))).name
    printable = "".join(char for char in name if char.isprintable())
    return printable[:LABEL_CHARS] or str(source["kind"])


def upload_of(source: Place) -> UUID | None:
    """The upload that a source reads, if it is one."""
    return UUID(str(source["fileId"])) if source.get("kind") == "upload" else None


def _traced(spec: JobSpec, tenant_id: TenantId) -> AbstractContextManager[None]:
    """What the attempts at the job are linked to."""
    return tracing.span(
        "enqueue",
        tracing.Kind.PRODUCER,
        {
            "messaging.system": "encoder",
            "messaging.operation.type": "send",
            "messaging.destination.name": spec.queue,
            "encoder.tenant": tenant_id,
        },
    )


class Enqueue:
    """Stores validated jobs.

    `secret_members`: by kind, what is sealed beside what is sealed in every kind. `ceiling`: how many of a tenant.
    """

    def __init__(
        self,
        store: Counter,
        vault: Vault,
        *,
        max_attempts: int,
        new_uuid: Callable[[], UUID],
        secret_members: Mapping[str, frozenset[str]] | None = None,
        ceiling: Ceiling | None = None,
    ) -> None:
        self._store = store
        self._vault = vault
        self._max_attempts = max_attempts
        self._new_uuid = new_uuid
        self._secret_members = secret_members or {}
        self._ceiling = ceiling or Ceiling(store, most=0)

    async def __call__(
        self, spec: JobSpec, *, tenant_id: TenantId, idempotency_key: str | None = None, body_hash: bytes | None = None
    ) -> Accepted:
        """Store a job, ready to be claimed.

        Raises:
            errors.Rejected: `idempotency_mismatch`.
            errors.TooMany: `queue_full`; what its key made before is told all the same.
            errors.StoreUnavailable: it may or may not be stored; the same key tells on the next try.
        """
        with _traced(spec, tenant_id):
            made = self.made(spec, tenant_id=tenant_id)
            job = replace(made, idempotency_key=idempotency_key, body_hash=body_hash)
            async with self._ceiling.place(tenant_id) as found:
                if found:
                    with verb("enqueue"):
                        accepted: Accepted | None = await self._store.enqueue(job)
                else:
                    accepted = await self._store.enqueued(tenant_id, idempotency_key, body_hash)
            if accepted is None:
                raise self._full()
            tracing.note({"encoder.job": accepted.id, "encoder.replayed": accepted.replayed})
            log.info(
                "job.accepted",
                job=accepted.id,
                job_uuid=str(accepted.uuid),
                tenant=tenant_id,
                queue=spec.queue,
                outputs=len(spec.outputs),
                replayed=accepted.replayed,
            )
            return accepted

    async def ingest(self, spec: JobSpec, seen: Seen, *, tenant_id: TenantId) -> Ingested:
        """Store the job of an object, or learn which was made of it before.

        Raises:
            errors.TooMany: `queue_full`; what was made before is told all the same.
            errors.StoreUnavailable: it may or may not be stored; the next try tells.
        """
        with _traced(spec, tenant_id):
            async with self._ceiling.place(tenant_id) as found:
                if found:
                    with verb("enqueue"):
                        taken = await self._store.ingest(self.made(spec, tenant_id=tenant_id), seen)
                    submitted.of("accepted" if taken.is_new else "replayed").inc()
                    return taken
                before = await self._store.ingested(tenant_id, seen.digest)
            if before is None:
                raise self._full()
            return Ingested(job_id=before, is_new=False)

    def made(self, spec: JobSpec, *, tenant_id: TenantId) -> NewJob:
        """The job as it is stored: its secrets are sealed, and stand nowhere else."""
        uuid = self._new_uuid()
        shown, secrets = hide(spec, self._secret_members)
        return NewJob(
            tenant_id=tenant_id,
            uuid=uuid,
            spec=shown,
            label=label_of(shown.source),
            sealed=self._vault.seal(secrets, tenant_id=tenant_id, job_uuid=uuid),
            max_attempts=self._max_attempts,
            upload_id=upload_of(spec.source),
            traceparent=tracing.traceparent(),
        )

    def _full(self) -> errors.TooMany:
        rate_limited.of("jobs").inc()
        told = f"{self._ceiling.most} of your jobs have not ended yet, and more are not taken."
        return errors.TooMany("queue_full", told, retry_after_s=FULL_S)
