"""What comes out of the store of the whole: who works, what waits, what was used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from encoder.model.base import Json
from encoder.model.ids import JobId, OutputId, TaskId, TenantId, WorkerId
from encoder.model.state import JobState, TaskState
from encoder.store.rows import Live


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerInfo:
    """A worker process as it introduces itself."""

    id: WorkerId
    host: str
    pid: int
    version: str
    queues: tuple[str, ...]
    slots: dict[str, int]
    encoders: tuple[str, ...]
    about: dict[str, Json] = field(default_factory=dict)  # ffmpeg's version, sandbox layers, warnings


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """One task that a worker has now, and how far each output of it was at the last beat."""

    task_id: TaskId
    job_id: JobId
    job_uuid: UUID
    label: str
    tenant_id: TenantId
    name: str
    kind: str
    queue: str
    attempt: int
    stage: str | None
    since: datetime
    beat_at: datetime
    live: Mapping[OutputId, Live]


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A task that was taken from a worker that fell silent. `state`: how it stood then; `waiting`: it runs again."""

    job_id: JobId
    tenant_id: TenantId
    kind: str
    state: TaskState
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerRow:
    """`lost`: not seen for so long that it is not alive, or its tasks were taken since; it may still come back.

    `machine`: what it tells now and then of load, memory and scratch; None of an older release.
    """

    info: WorkerInfo
    started_at: datetime
    seen_at: datetime
    draining: bool
    lost: bool = False
    running: tuple[Running, ...] = ()
    taken: tuple[Taken, ...] = ()
    machine: dict[str, Json] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueDepth:
    """One queue as gauges and the autoscaler see it; counts stop at 10,000."""

    queue: str
    waiting: int
    ready: int
    scheduled: int
    running: int
    oldest_seconds: float | None  # age of the oldest task that waits or is ready
    paused_at: datetime | None
    paused_because: str | None
    paused_by: str | None = None  # the name of the key that did


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveWorker:
    """One that was seen lately. `slots`: by queue."""

    version: str
    slots: Mapping[str, int]
    draining: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Signs:
    """How the whole platform is, as metrics tell it: counts stop at 10,000.

    `wanted`: slots, by queue; `tenant_ages`: by queue, of the 20 tenants that wait longest, and of all `other`.
    `oldest_transaction_s`, `dead_rows`: of PostgreSQL alone. `removed`: by sweeps, by what, since there is a database.
    """

    depths: tuple[QueueDepth, ...]
    wanted: Mapping[str, int]
    tenant_ages: Mapping[str, Mapping[str, float]]
    workers: tuple[LiveWorker, ...]
    leases_expired: int
    schema_version: int
    webhooks_pending: int
    webhook_oldest_s: float  # 0 without any
    oldest_transaction_s: float | None
    dead_rows: Mapping[str, int]
    swept_at: float  # seconds since 1970, when a sweep ended well last; 0: never
    sweep_blocked: int
    sweep_overdue: int
    secrets_overdue: int
    removed: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """What a tenant has before a queue. `used`: weights in line and running; `cap`: at most so many, None: no limit."""

    tenant_id: TenantId
    waiting: int
    used: int
    cap: int | None
    share: int


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuePace:
    """How work comes to a queue and leaves it, of late.

    `arrivals_per_minute`: of all its tasks; `waits_s`: how long each that began had waited; `tenants`: who waits.
    """

    queue: str
    arrivals_per_minute: float
    waits_s: tuple[float, ...]
    tenants: tuple[Waiting, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Failing:
    """What receivers were not told though it was tried. `since`: the oldest of it happened then."""

    deliveries: int
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedBy:
    """So many jobs ended alike. `step`: how long they had waited for their first start, on a scale of eight steps to
    each doubling, of which 0 is one second; None: they never started, or ran again."""

    state: JobState
    code: str | None  # of a failure
    step: int | None
    jobs: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UsedBy:
    """What outputs of a tenant and a preset, None for those of none, have used: as `Used`."""

    tenant_id: TenantId
    preset: str | None
    outputs: int
    output_seconds: float
    cpu_seconds: float
    delivered_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """What ended in a time. `cut`: more ended then than were looked at."""

    ended: tuple[EndedBy, ...]
    used: tuple[UsedBy, ...]
    cut: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """How much of a queue a tenant may have: `cap`, weights in line and running, None without limit; `share`, of what
    is given out, beside the shares of others."""

    tenant_id: TenantId
    queue: str
    cap: int | None
    share: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkup:
    """What an operator should know of a database. `at`: its clock; `oldest_s`: of the oldest transaction, None: untold.

    The truth is `tasks`. `stray`: places in line and leases that no task of that state stands behind; `missing`: ready
    and running tasks of open jobs that have none.
    """

    at: datetime
    oldest_s: float | None
    stray: int
    missing: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """What outputs of a preset, None for those of none, have used: those that stand at their place.

    `cpu_seconds`: of ffmpeg's, in their encodes.
    """

    preset: str | None
    outputs: int
    output_seconds: float  # of what has a duration
    cpu_seconds: float
    delivered_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What so many jobs have delivered, by the presets of their outputs in the order of names."""

    jobs: int
    by_preset: tuple[Used, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stats:
    jobs: dict[JobState, int]
    queues: tuple[QueueDepth, ...]
