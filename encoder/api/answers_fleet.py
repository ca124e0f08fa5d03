"""What the API tells of the whole: who works, what waits for what, what was done over time, what is wrong now."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from encoder.model.base import Json, Record
from encoder.model.ids import JobId, OutputId, TaskId, TenantId, WorkerId
from encoder.model.state import JobState, TaskState


class RunningOutputAnswer(Record):
    """`waitsFor`: scratch or memory, while its worker has not enough of it."""

    id: OutputId
    stage: str
    progress: float | None
    fps: float | None
    speed: float | None
    eta_seconds: float | None
    waits_for: str | None


class RunningAnswer(Record):
    """`name`: of the job's source; null where it is another tenant's than the caller's. `task`: as in the job's
    timeline; of a chunk `t1/c0007`, of what joins them `t1/join`.
    """

    task_id: TaskId
    job_id: JobId
    job_uuid: UUID
    name: str | None
    tenant: TenantId
    task: str
    kind: str
    queue: str
    attempt: int
    stage: str | None
    progress: float | None
    since: datetime
    last_beat_at: datetime
    outputs: tuple[RunningOutputAnswer, ...]


class TakenAnswer(Record):
    """A task that was taken from a lost worker. `status`: how it stood then; `waiting`: it runs again."""

    job_id: JobId
    tenant: TenantId
    kind: str
    status: TaskState
    at: datetime


class MachineAnswer(Record):
    """`load`: of the whole machine over a minute; `memoryUsedBytes`: promised to work that runs."""

    load: float
    cores: int
    memory_bytes: int
    memory_used_bytes: int
    scratch_bytes: int
    scratch_used_bytes: int


class WorkerAnswer(Record):
    """`status`: live, draining or lost; `seenAt`: its last sign; `taken`: with what it was lost."""

    id: WorkerId
    host: str
    pid: int
    version: str
    status: str
    queues: tuple[str, ...]
    slots: dict[str, int]
    encoders: tuple[str, ...]
    about: dict[str, Json]
    machine: MachineAnswer | None
    started_at: datetime
    seen_at: datetime
    draining: bool
    running: tuple[RunningAnswer, ...]
    taken: tuple[TakenAnswer, ...]


class WorkersAnswer(Record):
    workers: tuple[WorkerAnswer, ...]


class ReasonAnswer(Record):
    """So many tasks wait for it. `reason`: slot, cap, paused, worker, backoff, scratch, memory."""

    reason: str
    tasks: int


class WaitingAnswer(Record):
    """A tenant that waits in a queue. `used`: what it has in line and running; `cap`: of that at most."""

    tenant: TenantId
    waiting: int
    used: int
    cap: int | None
    share: int


class FleetQueueAnswer(Record):
    """A queue with what all tenants have there.

    `arrivalsPerMinute` is of the last five minutes; the waits are of tasks that began within the last hour. Both are
    of a sample where there were many. `waits`: what those wait for that have not begun, and those that run but lack
    room on their machine. `tenants`: those with most that waits, fifty at most.
    """

    queue: str
    waiting: int
    ready: int
    scheduled: int
    running: int
    oldest_seconds: float | None
    paused_since: datetime | None
    paused_because: str | None
    paused_by: str | None
    workers: int
    slots: int
    arrivals_per_minute: float
    wait_p50_seconds: float | None
    wait_p95_seconds: float | None
    waits: tuple[ReasonAnswer, ...]
    tenants: tuple[WaitingAnswer, ...]


class QueuesAnswer(Record):
    """Counts stop at 10,000; those by reason at 100,000."""

    queues: tuple[FleetQueueAnswer, ...]


class BucketAnswer(Record):
    """What ended from `since` until before `until`. Null: not counted yet, ask again in a moment.

    `jobs`: by the state in which they ended. Waits: from the submission to the first start. `cut`: more ended than are
    counted, of the time's beginning.
    """

    since: datetime
    until: datetime
    jobs: dict[JobState, int] | None
    outputs: int | None
    output_minutes: float | None
    cpu_seconds: float | None
    delivered_bytes: int | None
    wait_p50_seconds: float | None
    wait_p95_seconds: float | None
    cut: bool


class FailuresAnswer(Record):
    """Jobs that failed with a code; `byBucket`: in the order of the buckets."""

    code: str
    jobs: int
    by_bucket: tuple[int, ...]


class TenantUsedAnswer(Record):
    """What outputs of a tenant's and a preset, null for those of none, have used. `cpuSeconds`: of ffmpeg's."""

    tenant: TenantId
    preset: str | None
    outputs: int
    output_minutes: float
    cpu_seconds: float
    delivered_bytes: int


class InsightsAnswer(Record):
    """What jobs that ended in a time came to, deleted ones too. `complete`: every bucket is counted, and whole.

    `failures`: by code, the most frequent first; `usage`: what took most first, two hundred at most.
    """

    range: str
    since: datetime
    until: datetime
    complete: bool
    jobs: dict[JobState, int]
    wait_p50_seconds: float | None
    wait_p95_seconds: float | None
    buckets: tuple[BucketAnswer, ...]
    failures: tuple[FailuresAnswer, ...]
    usage: tuple[TenantUsedAnswer, ...]


class TroubleAnswer(Record):
    """Something that is wrong now, of so many things, since then. `page`: where more is told of it."""

    code: str
    message: str
    count: int
    since: datetime | None
    page: str


class TroublesAnswer(Record):
    """Empty while all is well. `at`: when it was looked."""

    at: datetime
    troubles: tuple[TroubleAnswer, ...]
