"""What goes into the store and what comes out of it: what tenants keep beside their jobs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from encoder.model.base import Json
from encoder.model.ids import JobId, KeyId, TenantId
from encoder.model.key import Scope
from encoder.model.state import UploadEnd, UploadProtocol, UploadState
from encoder.store.rows import NewJob

FIRST_LOOK = timedelta(seconds=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewUpload:
    """A file that somebody is invited to bring. `file_name` is hostile text, never a path of ours."""

    id: UUID
    tenant_id: TenantId
    key: str  # in the platform's storage
    file_name: str
    content_type: str
    declared_bytes: int | None  # None: any size is taken
    good_for: timedelta
    protocol: UploadProtocol = UploadProtocol.PUT
    job: NewJob | None = None  # is made of it as soon as it has arrived
    look_in: timedelta = FIRST_LOOK  # then the storage is asked for it first


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadRow:
    id: UUID
    tenant_id: TenantId
    key: str
    file_name: str
    content_type: str
    declared_bytes: int | None
    state: UploadState
    size_bytes: int | None  # of what arrived
    job_id: JobId | None  # the last job that uses it
    created_at: datetime
    expires_at: datetime
    uploaded_at: datetime | None
    protocol: UploadProtocol
    offset_bytes: int  # so much lies in the storage for good
    multipart: str | None  # S3's name for what is open there
    ended: UploadEnd | None
    problem: str | None  # the code of why it ended
    ended_at: datetime | None
    planned: bool  # a job waits for it
    read_at: datetime = field(compare=False)  # by the database's clock, as all times are

    @property
    def is_over(self) -> bool:
        """Whether its invitation is good no more, unless it has arrived."""
        return self.ended is not None or self.read_at > self.expires_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """An upload of which nothing more is to come."""

    id: UUID
    key: str
    at: datetime  # when it was announced
    arrived: bool = False
    size_bytes: int | None = None  # of what arrived


@dataclass(frozen=True, slots=True, kw_only=True)
class SpentUploads:
    """Spent ones of those that were looked at. `last`: of all of these; None: there were none."""

    uploads: Sequence[Spent]
    last: Spent | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewKey:
    """A key of the API as it is kept: never the key itself."""

    tenant_id: TenantId
    name: str
    prefix: str  # its first characters
    digest: bytes  # SHA-256
    scopes: frozenset[Scope]
    good_for: timedelta | None = None  # None: until it is revoked


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedRow:
    """Something that is sealed, for a tenant and a uuid. `kind`: job, endpoint, pipeline, rule or upload."""

    kind: str
    tenant_id: TenantId
    uuid: UUID
    sealed: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRow:
    """`live`: neither revoked nor expired when it was read."""

    id: KeyId
    tenant_id: TenantId
    name: str
    prefix: str
    scopes: frozenset[Scope]
    created_at: datetime
    expires_at: datetime | None
    used_at: datetime | None  # to the minute
    revoked_at: datetime | None
    live: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPreset:
    """A preset of a tenant's own. `members`: of an output, as `model.job` spells them in JSON."""

    tenant_id: TenantId
    name: str
    about: str
    members: dict[str, Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class PresetRow:
    """`version`: counted up by each change of it."""

    tenant_id: TenantId
    name: str
    version: int
    about: str
    members: dict[str, Json]
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPipeline:
    """A pipeline of a tenant. `uuid`: new each time, and its secrets are sealed to it; `settings` is without them."""

    tenant_id: TenantId
    name: str
    uuid: UUID
    settings: dict[str, Json]
    sealed: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineRow(NewPipeline):
    """A pipeline as it is kept."""

    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRule:
    """An ingest rule as it is put. `spec`: without its secrets, which are sealed to `uuid`."""

    tenant_id: TenantId
    name: str
    uuid: UUID
    spec: dict[str, Json]
    sealed: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleRow:
    """`version`: counted up each time that it was put."""

    tenant_id: TenantId
    name: str
    version: int
    uuid: UUID
    spec: dict[str, Json]
    sealed: bytes | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What was told of an object, to one rule. `digest`: equal for two tellings of the same."""

    rule: str
    digest: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Ingested:
    """The job that was made of an object; `is_new`: just now."""

    job_id: JobId
    is_new: bool
