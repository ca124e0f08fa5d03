"""What comes out of the store of the whole: who works, what waits, what was used."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from encoder.model.base import Json
from encoder.model.ids import JobId, TaskId, TenantId, WorkerId
from encoder.model.state import JobState


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
    """One task that a worker has now."""

    task_id: TaskId
    job_id: JobId
    job_uuid: UUID
    kind: str
    stage: str | None
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerRow:
    info: WorkerInfo
    started_at: datetime
    seen_at: datetime
    draining: bool
    running: tuple[Running, ...] = ()


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
