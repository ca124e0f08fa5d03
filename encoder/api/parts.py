"""What the API is made of: handed in by the wiring, so that each part can be another one in a test."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

from encoder.api.auth import Gate, OpenGate
from encoder.api.cors import Origins
from encoder.api.cursor import Cursors
from encoder.api.lookout import Lookout
from encoder.api.passes import Passes
from encoder.api.rates import Buckets, Rates
from encoder.api.spans import Spans
from encoder.api.tell import Warnings
from encoder.api.wire import Places
from encoder.model.ids import TenantId
from encoder.model.job import JobSpec, Place
from encoder.model.media import Media
from encoder.model.policy import Policy
from encoder.model.preview import Preview
from encoder.plugins import Surroundings
from encoder.queue.arrive import Arrivals
from encoder.queue.fitness import Fitness
from encoder.queue.watch import Watcher
from encoder.storage.folder import FolderStorage
from encoder.storage.protocol import Storage
from encoder.store.kept import Ingested, Seen
from encoder.store.line import SEEN
from encoder.store.protocol import Store
from encoder.store.rows import Accepted, NewJob
from encoder.vault import Vault
from encoder.webhooks.endpoints import Endpoints


class Submit(Protocol):
    """Stores a validated job (`queue.enqueue.Enqueue`)."""

    async def __call__(
        self, spec: JobSpec, *, tenant_id: TenantId, idempotency_key: str | None = None, body_hash: bytes | None = None
    ) -> Accepted: ...

    def made(self, spec: JobSpec, *, tenant_id: TenantId) -> NewJob: ...

    async def ingest(self, spec: JobSpec, seen: Seen, *, tenant_id: TenantId) -> Ingested: ...


class Inspector(Protocol):
    """Looks at a source and makes nothing of it. Both raise errors.Failure: why a job would fail."""

    async def inspect(self, source: Place) -> Media: ...

    async def preview(self, spec: JobSpec, tenant_id: TenantId) -> Preview: ...


class KnownPlaces(Places, Warnings, Protocol):
    """Checks of what callers name."""

    @property
    def secret_members(self) -> dict[str, frozenset[str]]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    stream_check_s: float = 10.0  # between two looks whether who listens to a stream is there, and may
    stream_gather_s: float = 1.0  # for which changes of a tenant's jobs are gathered before the next are told
    link: timedelta = timedelta(hours=24)  # how long a link that an answer holds is good
    worker_seen: timedelta = SEEN
    max_attempts: int = 3  # of a task that `retry` makes
    upload: timedelta = timedelta(hours=1)  # within which an upload must begin
    upload_bytes: int = 50 * 1024**3  # of an upload; no larger source is taken
    upload_suffixes: tuple[str, ...] = (".mp4", ".mov")  # lower case
    tenant_metrics: bool = False  # the age of what waits, by tenant


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """`stopping` is set before the server goes away: readiness ends, live streams end, connections are used up.
    `fitness`: what probes are told of this process.

    `shelf`: the storage once more, where it is a folder: its files are ours to serve and to take in.
    `keys_begin`: what the storage's keys begin with to those who look into its bucket.
    `surroundings`: the way out, for what is looked at before it is a job; `vault` seals what is kept beside jobs.
    `cursors`: of pages; any API process of a platform reads another's.
    `gate`: who is let in, and as whom; `rates`: how often.
    `watcher`: sees for all live streams what happens to jobs.
    `public_url`: how callers reach us, without a slash at its end.
    `public_host`: as browsers know us, whatever name a proxy in front calls us by.
    `origins`: whose pages may call, though they are not ours.
    `spans`: what was counted of the past; `lookout`: what is wrong now.
    `policy`: how long ended jobs are kept, by the settings of this process.
    `loopback_only`: the server is open, so that only names and pages of this very machine may talk to it.
    """

    store: Store
    submit: Submit
    arrivals: Arrivals
    passes: Passes
    inspector: Inspector
    places: KnownPlaces
    storage: Storage
    vault: Vault
    surroundings: Surroundings
    cursors: Cursors
    endpoints: Endpoints
    watcher: Watcher
    fitness: Fitness
    public_url: str = ""
    public_host: str = ""
    shelf: FolderStorage | None = None
    keys_begin: str = ""
    gate: Gate = field(default_factory=OpenGate)
    rates: Rates = field(default_factory=lambda: Rates(reads=Buckets(0), writes=Buckets(0)))
    origins: Origins = field(default_factory=Origins)
    loopback_only: bool = True
    limits: Limits = Limits()
    spans: Spans = field(default_factory=Spans)
    lookout: Lookout = field(default_factory=Lookout)
    policy: Policy = field(default_factory=Policy)
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
