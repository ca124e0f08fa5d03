"""What the API tells. Every member is always there; `null`: not yet known."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from msgspec import field

from encoder.errors import FailureClass
from encoder.model.base import Json, Record
from encoder.model.event import Event
from encoder.model.ids import JobId, OutputId, TenantId
from encoder.model.media import Media
from encoder.model.plan import Estimate, Note, OutputPlan
from encoder.model.proof import Proof
from encoder.model.result import Problem, Timings
from encoder.model.state import JobState, OutputState


class AcceptedAnswer(Record):
    id: JobId
    uuid: UUID
    status: JobState


class WaitAnswer(Record):
    """What a job waits for. `reason`: slot, cap, paused, scratch, memory, backoff, worker, chunks. `error`: why
    its last attempt failed, if one did.
    """

    reason: str
    detail: str
    error: Problem | None = None


class OutputAnswer(Record):
    """One output: what was asked (`spec`), how far it is, what came of it."""

    id: OutputId
    status: OutputState
    spec: dict[str, Json]
    stage: str | None
    progress: float | None
    fps: float | None
    speed: float | None
    eta_seconds: float | None
    transferred_bytes: int | None
    total_bytes: int | None
    bytes_per_second: float | None
    worker: str | None
    last_beat_at: datetime | None
    attempts: int
    uri: str | None
    url: str | None
    files: tuple[str, ...]
    size_bytes: int | None
    duration_seconds: float | None
    width: int | None
    height: int | None
    video_codec: str | None
    audio_codec: str | None
    bitrate: int | None
    frames: int | None
    sha256: str | None
    proof: Proof | None
    plan: OutputPlan | None
    command: tuple[str, ...]
    timings: Timings
    warnings: tuple[Note, ...]
    error: Problem | None


class OutputProgress(Record):
    id: OutputId
    status: OutputState
    stage: str | None
    progress: float | None
    fps: float | None
    speed: float | None
    eta_seconds: float | None
    transferred_bytes: int | None
    total_bytes: int | None
    bytes_per_second: float | None
    worker: str | None
    last_beat_at: datetime | None


class JobProgress(Record):
    """How far a job is: what of it changes without an event."""

    status: JobState
    progress: float | None
    waiting_for: WaitAnswer | None
    outputs: tuple[OutputProgress, ...]


class JobLinks(Record):
    self: str
    events: str


class JobAnswer(Record):
    """A job with its outputs. Secrets are shown as `***`. `warnings`: the source's, and once each of the outputs'."""

    id: JobId
    uuid: UUID
    status: JobState
    run: int
    name: str
    source: dict[str, Json]
    notification_url: str | None
    priority: int
    queue: str
    metadata: dict[str, Json]
    tags: tuple[str, ...]
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    cancel_requested: bool
    progress: float | None
    waiting_for: WaitAnswer | None
    media: Media | None
    warnings: tuple[Note, ...]
    outputs: tuple[OutputAnswer, ...]
    error: Problem | None
    links: JobLinks


class JobsAnswer(Record):
    """A page, newest first. `nextCursor` is null on the last one."""

    jobs: tuple[JobAnswer, ...]
    next_cursor: str | None


class SecretAnswer(Record):
    """What is to be said again: where it stands in the body, and the variable that stands for it in the command."""

    path: str
    variable: str


class RequestAnswer(Record):
    """What makes the same job once more: as a body of `POST /jobs`, with `***` for each of `secrets`, which is refused
    until it is said again; and as a command for a shell.
    """

    body: dict[str, Json]
    secrets: tuple[SecretAnswer, ...]
    curl: str


class BulkAnswer(Record):
    """What one call did. `skipped`: by code, why not to others; `left`: still to be done, counted to 10,000, or at
    least so many where that takes too long to count; `cursor` goes on there, null when nothing is left.
    """

    done: int
    skipped: dict[str, int]
    left: int
    cursor: str | None


class EventsAnswer(Record):
    events: tuple[Event, ...]


class PlannedAnswer(Record):
    """What would be made of one output; `error` if it cannot be made. `commands`: of one in chunks, its first one's."""

    id: OutputId
    plan: OutputPlan | None
    reasons: tuple[Note, ...]
    warnings: tuple[Note, ...]
    commands: tuple[tuple[str, ...], ...]
    estimate: Estimate | None
    error: Note | None


class PreviewAnswer(Record):
    """`warnings`: the source's, and once each of the outputs'."""

    media: Media
    warnings: tuple[Note, ...]
    outputs: tuple[PlannedAnswer, ...]


class PresetAnswer(Record):
    """`members`: of an output; `preset` among them names the built-in one over which the others are laid.

    `makes`: what they come to, in a sentence. `warnings`: of what was put just now, in another service's words.
    """

    name: str
    about: str
    version: int
    makes: str
    members: dict[str, Json]
    warnings: tuple[Note, ...] = ()
    built_in: bool
    created_at: datetime | None
    updated_at: datetime | None


class PresetsAnswer(Record):
    presets: tuple[PresetAnswer, ...]


class QueueAnswer(Record):
    """Counts stop at 10,000."""

    queue: str
    waiting: int
    ready: int
    scheduled: int
    running: int
    oldest_seconds: float | None
    paused_since: datetime | None
    paused_because: str | None


class QuotaAnswer(Record):
    """`cap`: so many of the tenant's run at most, null without limit; `share`: beside those of the others."""

    tenant: TenantId
    queue: str
    cap: int | None
    share: int


class QuotasAnswer(Record):
    """Where there is none, a tenant has no cap and a share of 1."""

    quotas: tuple[QuotaAnswer, ...]


class UsedAnswer(Record):
    """What outputs of a preset, null for those of none, have used. `cpuSeconds`: of ffmpeg's, in their encodes."""

    preset: str | None
    outputs: int
    output_minutes: float
    cpu_seconds: float
    delivered_bytes: int


class UsageAnswer(Record):
    """What jobs that were submitted from `since` until before `until` have delivered by now, whatever became of them.

    `cpuSeconds`: of ffmpeg's, in the encodes that made it. `presets`: the same by presets, in the order of names.
    """

    since: datetime
    until: datetime
    jobs: int
    outputs: int
    output_minutes: float
    cpu_seconds: float
    delivered_bytes: int
    presets: tuple[UsedAnswer, ...]


class StatsAnswer(Record):
    """`usage`: where a time was named."""

    jobs: dict[JobState, int]
    queues: tuple[QueueAnswer, ...]
    usage: UsageAnswer | None


class DeadGroupAnswer(Record):
    """Jobs that failed alike. `advice`: what to do first; null for a code that is not in the catalogue."""

    code: str
    kind: FailureClass = field(name="class")
    jobs: int
    first_at: datetime
    last_at: datetime
    advice: str | None


class DeadAnswer(Record):
    """Groups of the newest 10,000 failed jobs, the most frequent first."""

    groups: tuple[DeadGroupAnswer, ...]


class RedriveAnswer(Record):
    """`skipped`: cannot run again (secrets erased), or did so, or was deleted, meanwhile; `left`: of the next 10,000
    failed jobs, those that match and can run again.
    """

    redriven: int
    skipped: int
    left: int


class HealthAnswer(Record):
    """`status`: ok, or the reasons why not."""

    status: str
    version: str
    reasons: tuple[Note, ...] = ()
