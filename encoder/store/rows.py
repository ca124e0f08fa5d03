"""What goes into the store and what comes out of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from encoder.model.base import Json
from encoder.model.event import Event
from encoder.model.ids import DeliveryId, JobId, KeyId, OutputId, TaskId, TenantId, WorkerId
from encoder.model.job import JobSpec, OutputSpec
from encoder.model.key import Scope
from encoder.model.media import Media
from encoder.model.plan import Note, OutputPlan
from encoder.model.proof import Proof
from encoder.model.result import Delivered, Intent, Problem, Timings
from encoder.model.state import JobState, OutputState, TaskState, UploadEnd, UploadProtocol, UploadState

FIRST_LOOK = timedelta(seconds=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewJob:
    """A job to be stored whole: job, outputs, root task, its place in line, event, deliveries."""

    tenant_id: TenantId
    uuid: UUID
    spec: JobSpec
    label: str  # the source's name as people know it, for lists and search
    sealed: bytes | None = None
    idempotency_key: str | None = None
    body_hash: bytes | None = None
    max_attempts: int = 3
    upload_id: UUID | None = None  # the upload that is its source


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """`replayed`: the key was known and the body the same, so this is the first answer again."""

    id: JobId
    uuid: UUID
    state: JobState
    replayed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Lack:
    """Room that work waits for on its worker. `what`: scratch or memory."""

    what: str
    needed_bytes: int
    free_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """One output while a worker has it. `progress`: 0 … 1; None: unknown, which is never guessed.

    Of a transfer: the bytes that have gone, out of how many, and how many per second of late.
    """

    stage: str
    progress: float | None = None
    fps: float | None = None
    speed: float | None = None  # media seconds per second
    eta_seconds: float | None = None
    transferred_bytes: int | None = None
    total_bytes: int | None = None
    bytes_per_second: float | None = None
    lack: Lack | None = None  # of stage `waiting`


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputRow:
    id: OutputId
    spec: OutputSpec
    state: OutputState
    attempts: int = 0
    plan: OutputPlan | None = None
    command: tuple[str, ...] = ()
    intent: Intent | None = None
    delivered: Delivered | None = None
    proof: Proof | None = None
    problem: Problem | None = None
    warnings: tuple[Note, ...] = ()
    timings: Timings = field(default_factory=Timings)
    live: Live | None = None
    updated_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Who has the job's task now. `silent`: the lease has run out, and nobody else has the task yet."""

    worker_id: WorkerId
    host: str
    beat_at: datetime
    silent: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Holdup:
    """What else than a busy fleet may keep a tenant's tasks waiting in a queue: a pause of it, the tenant's cap, or no
    live worker that takes from it."""

    paused_at: datetime | None
    paused_because: str | None
    cap: int | None
    running: int | None  # of the tenant, where it has a cap
    taken: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRow:
    """A job with its outputs (without them in lists). `spec` is without secrets; `sealed` holds those."""

    id: JobId
    uuid: UUID
    tenant_id: TenantId
    state: JobState
    run: int
    spec: JobSpec
    label: str
    sealed: bytes | None
    cancel_requested: bool
    media: Media | None
    problem: Problem | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    outputs: tuple[OutputRow, ...] = ()
    holder: Holder | None = None
    task_queue: str | None = None
    task_state: TaskState | None = None  # of the run's root task; with `run_at` it tells what the job waits for
    run_at: datetime | None = None
    task_problem: Problem | None = None  # why that task's last attempt did not end well
    holdup: Holdup | None = None  # where it waits or stands in line
    seq: int = 0  # of its last event


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """A job as lists tell it, and what happened to it lately. The events may be newer than the job, never older."""

    job: JobRow
    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """By the database's clock, and by the number of the newest task."""

    task: TaskId
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFilter:
    """A page of jobs, newest first: those with an id below `before`."""

    tenant_id: TenantId
    states: tuple[JobState, ...] = ()
    tag: str | None = None
    text: str | None = None  # in label, uuid or tags
    created_after: datetime | None = None
    created_before: datetime | None = None
    before: JobId | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A task in our hands. Every write for it carries `(task_id, epoch)`."""

    task_id: TaskId
    epoch: int
    job_id: JobId
    tenant_id: TenantId
    kind: str  # transcode, notify
    queue: str
    name: str
    attempt: int
    lost: int
    released: int
    max_attempts: int
    args: dict[str, Json]
    waited_seconds: float  # from runnable to claimed, by the database's clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Beat:
    """What one task says of itself with a heartbeat."""

    task_id: TaskId
    epoch: int
    stage: str | None = None
    live: dict[OutputId, Live] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulse:
    """The answer for one lease that is still ours; a lease without an answer is lost."""

    task_id: TaskId
    epoch: int
    cancel: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputChange:
    """What a mark or a settle writes to one output; None leaves a member as it is."""

    id: OutputId
    state: OutputState | None = None
    plan: OutputPlan | None = None
    command: tuple[str, ...] | None = None
    intent: Intent | None = None
    delivered: Delivered | None = None
    proof: Proof | None = None
    problem: Problem | None = None
    warnings: tuple[Note, ...] | None = None
    timings: Timings | None = None
    log: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTask:
    """A task that another one makes. `args` may name the positions of its `outputs`; without them it has all."""

    name: str
    kind: str
    queue: str
    weight: int = 1
    args: dict[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class FanOut:
    """Work in parts, at least one. `then` opens when the last of them is done."""

    parts: tuple[NewTask, ...]
    then: NewTask


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What a part of a task has made; None before it is done."""

    name: str
    args: dict[str, Json]
    result: dict[str, Json] | None


class Outcome(StrEnum):
    """How an attempt ended."""

    DONE = "done"
    RETRIED = "retried"
    FAILED = "failed"
    RELEASED = "released"
    LOST = "lost"
    CANCELLED = "cancelled"
    TIMED_OUT = "timed_out"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """How a claim is to be closed. `queue.settle` decides it, the store carries it out.

    `state`: DONE, FAILED, CANCELLED, SCHEDULED (after `delay`) or WAITING (at once). A set `cancel_requested` of
    the job turns SCHEDULED and WAITING into CANCELLED, and a DONE that fans out. `result`: of a part.
    """

    outcome: Outcome
    state: TaskState
    delay: timedelta = timedelta(0)
    problem: Problem | None = None
    changes: tuple[OutputChange, ...] = ()
    result: dict[str, Json] | None = None
    fan_out: FanOut | None = None

    @property
    def lost(self) -> int:
        """What it adds to the task's count of lost leases."""
        return 1 if self.outcome is Outcome.LOST else 0

    @property
    def released(self) -> int:
        """What it adds to the task's count of releases; as much is taken off its attempts."""
        return 1 if self.outcome is Outcome.RELEASED else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What a settle did. `job_state` is terminal when it ended the job."""

    task_state: TaskState
    job_state: JobState | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Expired:
    """A lease that nobody renewed (`by_deadline` false) or that ran past its task's deadline."""

    claim: Claim
    by_deadline: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A job that may be removed. `at`: when it ended, or was deleted; with `id` its place in the order."""

    id: JobId
    uuid: UUID
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryTry:
    """One attempt to tell a receiver."""

    state: str  # pending, delivered, exhausted, gone
    status: int | None
    error: str | None
    answer: str | None  # the first 1 KiB of what it said


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointSeal:
    """What is secret of an endpoint: its address, and up to two secrets that sign, the newest first."""

    uuid: UUID
    enabled: bool
    sealed_url: bytes
    secrets: tuple[bytes, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryRow:
    """`receiver`: the endpoint's name; empty: the job's own. A test of an endpoint belongs to no job."""

    id: DeliveryId
    job_id: JobId | None
    job_uuid: UUID | None
    tenant_id: TenantId
    webhook_id: str
    event_type: str
    url: str  # without secrets
    body: str  # the very text that is signed; the same on every try
    state: str
    tries: int
    status: int | None
    error: str | None
    answer: str | None
    created_at: datetime
    tried_at: datetime | None
    delivered_at: datetime | None
    receiver: str = ""
    sealed: bytes | None = None  # the job's secrets; the whole address is among them
    endpoint: EndpointSeal | None = None  # to be told by it; None where it was removed, and in lists


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
