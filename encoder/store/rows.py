"""What goes into the store and what comes out of it: jobs, their tasks, and who is told."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from encoder.model.base import Json
from encoder.model.event import Event
from encoder.model.ids import DeliveryId, JobId, OutputId, TaskId, TenantId, WorkerId
from encoder.model.job import JobSpec, OutputSpec
from encoder.model.media import Media
from encoder.model.plan import Note, OutputPlan
from encoder.model.proof import Proof
from encoder.model.result import Delivered, Intent, Problem, Timings
from encoder.model.state import JobState, OutputState, TaskState
from encoder.model.trail import LogTail, Step, Trail


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
    traceparent: str | None = None  # of the call that makes it

    @property
    def args(self) -> dict[str, Json]:
        """Of its root task."""
        return {} if self.traceparent is None else {"traceparent": self.traceparent}


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
class Aside:
    """What an attempt tells of itself beside how far its outputs are. `log`: only while somebody wants it."""

    steps: tuple[Step, ...] = ()
    log: LogTail | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """One output while a worker has it. `progress`: 0 … 1; None: unknown, which is never guessed.

    Of a transfer: the bytes that have gone, out of how many, and how many per second of late. `aside`: of the whole
    attempt; its first output carries it.
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
    aside: Aside | None = None


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
class ChunkCount:
    """How many chunks a job's pictures are made in, how many of them are made, and how many are being made.

    `first`: of the tasks that make some: who has it tells receivers how far all are.
    """

    chunks: int
    made: int
    running: int
    first: TaskId | None = field(default=None, compare=False)


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
    task_id: TaskId | None = None  # of the run's root, or of the task that joins its chunks
    task_queue: str | None = None
    task_state: TaskState | None = None  # of that task; with `run_at` it tells what the job waits for
    run_at: datetime | None = None
    task_problem: Problem | None = None  # why that task's last attempt did not end well
    holdup: Holdup | None = None  # where it waits or stands in line, or all of its chunks do
    chunks: ChunkCount | None = None  # while they are made
    seq: int = 0  # of its last event
    purging: bool = False  # its time is over: nothing of it is handed out, and soon it is gone

    @property
    def log_tail(self) -> LogTail | None:
        """What ffmpeg says in the attempt that is under way, if its worker tells it."""
        asides = (output.live.aside for output in self.outputs if output.live and output.live.aside)
        return next((aside.log for aside in asides), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """An attempt that is under way: `expires_at` is when its worker is given up unless it beats again."""

    task: str
    epoch: int
    attempt: int
    runnable_at: datetime
    started_at: datetime
    worker: str | None
    beat_at: datetime | None
    expires_at: datetime | None
    steps: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class UnderWay:
    """The attempts at a job that are under way, at a time of the database."""

    at: datetime
    attempts: tuple[Attempt, ...]


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
    text: str | None = None  # in label, uuid, tags, metadata or the problem's code
    preset: str | None = None  # of an output
    code: str | None = None  # of the job's problem, or of an output's
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
    kind: str  # transcode, chunk, assemble, notify
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
    """Work in parts. `then` opens when the last of them has ended, if an output is open still; at once without any."""

    parts: tuple[NewTask, ...]
    then: NewTask


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What a part has made."""

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
    the job turns SCHEDULED and WAITING into CANCELLED, and a DONE that fans out. `result`: of a part. `trail`: for the
    timeline.
    """

    outcome: Outcome
    state: TaskState
    delay: timedelta = timedelta(0)
    problem: Problem | None = None
    changes: tuple[OutputChange, ...] = ()
    result: dict[str, Json] | None = None
    fan_out: FanOut | None = None
    trail: Trail = field(default_factory=Trail)

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
    """What a settle did. `job_state` is terminal when it ended the job.

    `job_seconds`: from its submission to that end, of a first run; `failed_outputs`: those that failed with it.
    """

    task_state: TaskState
    job_state: JobState | None = None
    job_seconds: float | None = None
    failed_outputs: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Owned:
    """A claim, and whose it is."""

    worker_id: WorkerId
    claim: Claim


@dataclass(frozen=True, slots=True, kw_only=True)
class Expired:
    """A lease that nobody renewed (`by_deadline` false) or that ran past its task's deadline."""

    worker_id: WorkerId
    claim: Claim
    by_deadline: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A job that may be removed. `at`: when it ended, was deleted or marked; with `id` its place in that order.

    `rule`: the number, from 0, of the rule by which its time is over.
    """

    id: JobId
    uuid: UUID
    at: datetime
    rule: int = 0


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
    next_try_at: datetime | None = None  # in lists
    sealed: bytes | None = None  # the job's secrets; the whole address is among them
    endpoint: EndpointSeal | None = None  # to be told by it; None where it was removed, and in lists
    traceparent: str | None = None  # of the call that made the job; not in lists
