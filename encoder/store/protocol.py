"""What a store does. One transaction per verb; every implementation passes `tests/contracts/store_suite.py`.

All times are the database's. Every method raises `errors.StoreUnavailable` when the database is away or too slow;
whether the verb happened is then unknown. Methods that take a `Claim` raise `errors.LeaseLost` when its
`(task_id, epoch)` is no longer held: nothing was written.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from encoder.model.base import Json
from encoder.model.event import Event
from encoder.model.ids import DeliveryId, JobId, KeyId, OutputId, SweepId, TaskId, TenantId, WorkerId
from encoder.model.media import Media
from encoder.model.policy import Policy
from encoder.model.state import JobState, TaskState, UploadEnd
from encoder.store.dead import DeadFilter, DeadGroup, DeadPage
from encoder.store.fleet import (
    Checkup,
    Failing,
    QueueDepth,
    QueuePace,
    Quota,
    Signs,
    Span,
    Stats,
    Usage,
    WorkerInfo,
    WorkerRow,
)
from encoder.store.kept import (
    Ingested,
    KeyRow,
    NewKey,
    NewPipeline,
    NewPreset,
    NewRule,
    NewUpload,
    PipelineRow,
    PresetRow,
    RuleRow,
    SealedRow,
    Seen,
    Spent,
    SpentUploads,
    UploadRow,
)
from encoder.store.receivers import (
    DeliveryFilter,
    DeliveryLook,
    DeliveryPage,
    EndpointRow,
    NewEndpoint,
    TestTelling,
)
from encoder.store.rows import (
    Accepted,
    Beat,
    Claim,
    DeliveryRow,
    DeliveryTry,
    Ended,
    Expired,
    JobFilter,
    JobRow,
    Live,
    Moment,
    NewJob,
    OutputChange,
    Owned,
    Part,
    Pulse,
    Settled,
    Settlement,
    Sight,
    UnderWay,
)
from encoder.store.sweeps import DueJobs, Freed, Looked, OutputPlaces, SweepEnd, SweepRow


class Jobs(Protocol):
    """What callers do with jobs."""

    async def enqueue(self, job: NewJob) -> Accepted:
        """Store a job whole, to be claimed (G1) from its queue, one that is known. An upload of its tenant learns which
        job uses it.

        Raises:
            errors.Rejected: `idempotency_mismatch`, the key was used for another body.
        """

    async def enqueued(self, tenant_id: TenantId, key: str | None, body_hash: bytes | None) -> Accepted | None:
        """The job that was stored under an idempotency key, as `enqueue` tells it again. Raises as that does."""

    async def open_jobs(self, tenant_id: TenantId, *, most: int) -> int:
        """How many jobs of a tenant have not ended, counted to `most`."""

    async def job(self, tenant_id: TenantId, ref: str) -> JobRow | None:
        """A job by its number or uuid, with outputs, holder and live progress; None if absent or deleted."""

    async def jobs(self, wanted: JobFilter) -> Sequence[JobRow]:
        """A page of jobs, newest first, with outputs (state, live progress and problem; no plan, no proof).

        Raises:
            errors.Rejected: `too_much_to_search`, a text, a preset or a code was not found in two seconds.
        """

    async def find_jobs(self, wanted: JobFilter) -> Sequence[JobId]:
        """As `jobs`, their numbers alone. Raises as it."""

    async def counts(self, tenant_id: TenantId | None) -> Mapping[JobState, int]:
        """Jobs by state, each counted to 10,000."""

    async def events(self, job_id: JobId, *, after: int = 0, limit: int = 500) -> Sequence[Event]:
        """Events with `seq > after`, in order."""

    async def log(self, job_id: JobId, output: OutputId) -> str | None:
        """ffmpeg's log of the output's last attempt."""

    async def under_way(self, job_id: JobId) -> UnderWay:
        """The attempts at a job that are under way, parts of it too, and the database's time."""

    async def cancel(self, job_id: JobId) -> JobState:
        """Ask for the end of a job (G11); the state after: `cancelled` when nothing was running.

        Raises:
            errors.Rejected: `job_ended`.
        """

    async def retry(self, job_id: JobId, *, max_attempts: int) -> int:
        """A new run of what failed or was cancelled; its number.

        Raises:
            errors.Rejected: `nothing_to_retry` (not ended, or completed), `secrets_erased`.
        """

    async def delete(self, job_id: JobId) -> None:
        """Cancel, and hide from every read from now on. Rows go when no task is live."""

    async def erase_secrets(self, *, ended_for: timedelta, look: int, after: Looked | None = None) -> Freed | None:
        """Erase the secrets of the next `look` jobs behind `after` that ended so long ago; not of one that is held just
        now. None: there are no more such jobs.
        """

    async def stats(self, tenant_id: TenantId | None) -> Stats:
        """`counts`, and queues by depth and age."""

    async def usage(self, tenant_id: TenantId, *, since: datetime, until: datetime, most: int) -> Usage | None:
        """What a tenant's jobs that were submitted from `since` until before `until` have delivered by now, deleted or
        not; of those that retention removed by whole days (UTC), which begin in that time. None where more than `most`
        of them are still there."""


class Watching(Protocol):
    """What a process asks that watches jobs for many: much at once. It is told of all tenants, and keeps them apart."""

    async def glances(self, jobs: Sequence[JobId]) -> Mapping[JobId, Hashable]:
        """For each of these jobs what is another once anything of it has changed that `sights` shows, but for what
        holds it up. Those that were deleted are missing."""

    async def sights(self, seen: Mapping[JobId, int]) -> Sequence[Sight]:
        """These jobs, but for deleted ones, with their events behind a number. In no order."""

    async def moment(self) -> Moment:
        """Now."""

    async def stirred(self, tenants: Sequence[TenantId], since: Moment, *, limit: int) -> Mapping[JobId, TenantId]:
        """Jobs of these tenants that run now, or were stored, tried again, ended or deleted since; of each kind so many
        at most, the newest."""


class DeadLetters(Protocol):
    """Jobs that stand `failed`, so that what failed alike can run again at once, by `retry`."""

    async def dead_groups(
        self, tenant_id: TenantId, *, failed_after: datetime | None = None, failed_before: datetime | None = None
    ) -> Sequence[DeadGroup]:
        """By code and class, the most frequent first; of the newest 10,000 failed jobs, those that failed in a time."""

    async def dead_jobs(self, wanted: DeadFilter) -> DeadPage:
        """One look at failed jobs, the oldest first. Reads `look` of them at most, whatever matches."""


class Tasks(Protocol):
    """What workers do with tasks: the verbs of the queue."""

    async def claim(
        self, queue: str, worker_id: WorkerId, *, limit: int, ahead: int = 0, lease: timedelta, deadline: timedelta
    ) -> Sequence[Claim]:
        """Take up to `limit` tasks that stand in line, under leases. Never waits for another claimer (G17).

        Where the line is too short, tasks that wait are admitted to it first, in fair order and below the caps of their
        tenants: what lacks, and `ahead` of that for the next claims (G13, G14).
        """

    async def claim_job(
        self, job_id: JobId, worker_id: WorkerId, *, lease: timedelta, deadline: timedelta
    ) -> Claim | None:
        """Take the task of one job that waits, whatever its turn, its tenant's cap and its delay; None: there is none,
        somebody has it, or its queue is paused."""

    async def load(self, claim: Claim) -> JobRow:
        """The job of a claimed task, with outputs."""

    async def mark(self, claim: Claim, changes: Sequence[OutputChange] = (), *, media: Media | None = None) -> None:
        """Write progress that must not be lost, under the fence. The first one makes the job `processing`."""

    async def tell_progress(self, claim: Claim, stage: str | None, live: Mapping[OutputId, Live]) -> bool:
        """Tell those who asked for samples how far the job is, under the fence; False where nobody did.

        Of all who make chunks of it the first one tells, and how far all of them are; the others only hear who asked.
        """

    async def set_deadline(self, claim: Claim, deadline: timedelta) -> None:
        """Replace the hard deadline, counted from now."""

    async def settle(self, claim: Claim, settlement: Settlement) -> Settled:
        """Close a claim: task, outputs, job end, events and deliveries in one transaction (G3).

        Repeating one whose answer was lost is safe: a task that stands `done` at this epoch is our own success.
        """

    async def parts(self, claim: Claim) -> Sequence[Part]:
        """What parts of the job have made that are done, in this run and in those before it, in their order."""

    async def note_chunks(self, claim: Claim) -> None:
        """Note, under the fence, that chunks of the job may lie in the storage from now on: retention looks there."""

    async def expired(self, *, limit: int = 100) -> Sequence[Expired]:
        """Leases past their time, without locking them."""

    async def held(self, task_id: TaskId, epoch: int) -> Owned | None:
        """The claim under this lease, and whose it is; None when it is gone. For those who know its owner dead."""

    async def rescue(self, claim: Claim, settlement: Settlement) -> Settled | None:
        """Settle for a dead owner; None when it lives, was renewed, or another rescuer has the job."""

    async def due(self, *, limit: int = 500) -> Sequence[str]:
        """Let scheduled tasks wait whose time has come; the queues that got some."""

    async def next_due(self) -> float | None:
        """Seconds until the nearest scheduled task; None when there is none."""

    async def uptime_seconds(self) -> float:
        """How long the database server itself has been up."""


class Queues(Protocol):
    """What operators do to queues. A pause and a quota take back what stands in line; what runs goes on."""

    async def known_queues(self) -> Sequence[str]:
        """Their names, in order: `encode`, `io`, and those that a worker named in its `hello`. None is forgotten."""

    async def pause(self, queue: str, because: str, by: str | None = None) -> bool:
        """Start nothing of a queue until `resume`; False when there is no such queue.

        `because`: why; "" leaves what was said before. `by`: the name of the key that asks for it.
        """

    async def resume(self, queue: str) -> bool:
        """End a pause; False when there is no such queue."""

    async def set_quota(self, quota: Quota) -> bool:
        """Replace a tenant's quota of a queue; False when there is no such queue."""

    async def quotas(self) -> Sequence[Quota]:
        """All that were set."""


class Heart(Protocol):
    """Beats on a connection of its own, outside the pool."""

    async def beat(self, worker_id: WorkerId, beats: Sequence[Beat], *, lease: timedelta) -> Sequence[Pulse]:
        """Renew the leases, bring progress up and cancels down. Also tells that the worker lives."""

    async def close(self) -> None: ...


class Deliveries(Protocol):
    """What receivers are told."""

    async def delivery(self, claim: Claim) -> DeliveryRow | None:
        """The delivery of a claimed `notify` task; None when its job is deleted or its receiver said 410."""

    async def settle_delivery(self, claim: Claim, result: DeliveryTry, settlement: Settlement) -> None:
        """Close a `notify` claim together with its delivery; touches nothing else of the job.

        State `gone` also ends this job's other open deliveries to the same receiver.
        """

    async def look_at_deliveries(self, wanted: DeliveryFilter) -> DeliveryLook:
        """One look at deliveries, newest first. Reads `look` of them at most, whatever matches."""

    async def deliveries(self, wanted: DeliveryFilter, *, limit: int) -> DeliveryPage:
        """What a few looks find, newest first."""

    async def replay(self, tenant_id: TenantId, delivery_id: DeliveryId) -> bool:
        """Tell it again under the same `webhook-id`; False when there is no such delivery."""


class Endpoints(Protocol):
    """Whom a tenant wants told of all its jobs, each by a name."""

    async def put_endpoint(self, endpoint: NewEndpoint) -> EndpointRow | None:
        """A new endpoint, or another address, wish and form for one that is there: its secrets stay.

        None where one of that name is there under another uuid, for which nothing of this is sealed.
        """

    async def endpoint(self, tenant_id: TenantId, name: str) -> EndpointRow | None: ...

    async def endpoints(self, tenant_id: TenantId) -> Sequence[EndpointRow]:
        """By name."""

    async def rotate_endpoint(
        self, tenant_id: TenantId, name: str, *, uuid: UUID, secret: bytes, keep: timedelta
    ) -> EndpointRow | None:
        """A new secret; the one before signs beside it for `keep`. None when there is no such endpoint."""

    async def remove_endpoint(self, tenant_id: TenantId, name: str) -> bool:
        """False when there is no such endpoint. What waits for it ends `exhausted`."""

    async def test_endpoint(
        self, tenant_id: TenantId, name: str, tell: Callable[[EndpointRow, int, datetime], TestTelling]
    ) -> DeliveryId | None:
        """Tell it something of no job, which `tell` makes of the endpoint, the number of the test and the time.

        None when there is no such endpoint.
        """


class Uploads(Protocol):
    """Files that callers bring into the platform's storage."""

    async def add_upload(self, upload: NewUpload) -> UploadRow:
        """Keep in mind that somebody is invited, and the job that is to be made of what comes."""

    async def upload(self, tenant_id: TenantId | None, upload_id: UUID) -> UploadRow | None:
        """An upload, of any tenant when none is given; None if absent."""

    async def upload_arrived(self, upload_id: UUID, *, size_bytes: int, start: bool = True) -> UploadRow | None:
        """Note that the file stands in the storage, and how it stands from now on; the first note counts.

        With `start`, the job that waits for it is stored in the same transaction: once, however many say so. One that
        has ended stays so.
        """

    async def end_upload(
        self, upload_id: UUID, end: UploadEnd, *, problem: str | None, late: timedelta | None = None
    ) -> bool:
        """It ends without its file, and so does the job that waits for it; False if it has arrived or ended already.

        `late`: only if its invitation is over for so long, and nobody writes a piece of it.
        """

    async def hold_upload(self, upload_id: UUID, holder: UUID, *, lease: timedelta) -> UploadRow | None:
        """Let `holder` write the next piece; None while another does, and when nothing more is to come."""

    async def move_upload(
        self,
        upload_id: UUID,
        holder: UUID,
        *,
        offset_bytes: int,
        multipart: str | None,
        lease: timedelta,
        good_for: timedelta,
    ) -> bool:
        """Note how much lies in the storage for good: the holder may go on, and for `good_for` more may come.

        False when it is another's turn by now, or nothing more is to come: nothing was noted.
        """

    async def free_upload(self, upload_id: UUID, holder: UUID) -> None:
        """The holder has ended."""

    async def look_uploads(self, *, limit: int) -> Sequence[UploadRow]:
        """Uploads for which it is time to ask the storage, each given to one of those who look at the same time.

        They come again, each after a tenth of its age, 5 s to 5 min.
        """

    async def spent_uploads(
        self, *, spent_for: timedelta, unused_for: timedelta | None, look: int, after: Spent | None = None
    ) -> SpentUploads:
        """For retention: of the next `look` uploads behind `after`, the oldest first, those that are spent.

        They never came, or ended, `spent_for` ago; or arrived `unused_for` ago (None: these stay), and the job that was
        made of them last is gone, or there never was one; or they are marked. What lies below their key in the storage
        goes after the mark, and then their rows.
        """

    async def mark_uploads(self, ids: Sequence[UUID]) -> Sequence[UUID]:
        """Hide spent uploads; which they are. One of which a job was made meanwhile is none of them."""

    async def remove_uploads(self, ids: Sequence[UUID]) -> int:
        """Remove the rows of these uploads; of how many it did."""


class Keys(Protocol):
    """Keys of the API, found by what `model.key.digest` makes of them."""

    async def add_key(self, key: NewKey) -> KeyRow:
        """Let whoever has this key in."""

    async def key(self, digest: bytes) -> KeyRow | None:
        """A key, also one that is revoked or expired; None if there was never one."""

    async def keys(self) -> Sequence[KeyRow]:
        """All that were ever made, the oldest first."""

    async def key_used(self, key_id: KeyId) -> None:
        """Note that it was used, once a minute at most."""

    async def revoke_key(self, key_id: KeyId) -> bool:
        """Let it in no more; False when there is no such key."""


class Presets(Protocol):
    """Presets of tenants' own."""

    async def preset(self, tenant_id: TenantId, name: str) -> PresetRow | None:
        """A tenant's preset; None if it has none of that name."""

    async def presets(self, tenant_id: TenantId) -> Sequence[PresetRow]:
        """A tenant's presets, by their names."""

    async def put_preset(self, preset: NewPreset, *, most: int) -> PresetRow | None:
        """Keep a preset, in place of the one that has its name: a version more, unless it says the same.

        None where it would be a new one, and its tenant has `most` already; those that come at once may be more.
        """

    async def remove_preset(self, tenant_id: TenantId, name: str) -> bool:
        """Forget a preset; False when there is none of that name."""


class Sealed(Protocol):
    """What is sealed, wherever it is kept: for whoever exchanges the operator's keys."""

    async def sealed_jobs(self, *, after: JobId, limit: int) -> tuple[Sequence[SealedRow], JobId | None]:
        """What is sealed of the next `limit` jobs behind this one, and the last of those; None when there are none."""

    async def sealed_elsewhere(self) -> Sequence[SealedRow]:
        """What is sealed of all else."""

    async def rewrap(self, row: SealedRow, sealed: bytes) -> None:
        """Keep it so in place of what it was, unless it was erased or changed meanwhile."""


class Pipelines(Protocol):
    """Pipelines of tenants, for jobs in Elastic Transcoder's words."""

    async def pipeline(self, tenant_id: TenantId, name: str) -> PipelineRow | None:
        """A tenant's pipeline; None if it has none of that name."""

    async def pipelines(self, tenant_id: TenantId) -> Sequence[PipelineRow]:
        """A tenant's pipelines, by their names."""

    async def put_pipeline(self, pipeline: NewPipeline, *, most: int) -> PipelineRow | None:
        """Keep a pipeline, in place of the one that has its name.

        None where it would be a new one, and its tenant has `most` already; those that come at once may be more.
        """

    async def remove_pipeline(self, tenant_id: TenantId, name: str) -> bool:
        """Forget a pipeline; False when there is none of that name."""


class Ingest(Protocol):
    """Objects that appear in buckets, and the rules by which they become jobs."""

    async def ingest(self, job: NewJob, seen: Seen) -> Ingested:
        """Store a job, which has no key, as `enqueue` does, and in the same transaction that its object was seen.

        An object that was seen before makes none: the answer is the job that was made of it, which may be gone.
        """

    async def ingested(self, tenant_id: TenantId, digest: bytes) -> JobId | None:
        """The job that was made of an object; None when it was not seen yet."""

    async def forget_objects(self, *, seen_for: timedelta, limit: int) -> int:
        """Forget up to `limit` objects that were seen so long ago; how many it did."""

    async def rules(self, tenant_id: TenantId) -> Sequence[RuleRow]:
        """A tenant's rules, by their names."""

    async def rule(self, tenant_id: TenantId, name: str) -> RuleRow | None:
        """A tenant's rule; None if it has none of that name."""

    async def put_rule(self, rule: NewRule, *, most: int) -> RuleRow | None:
        """Keep a rule, in place of the one that has its name; a version more each time.

        None where it would be a new one, and its tenant has `most` already; those that come at once may be more.
        """

    async def remove_rule(self, tenant_id: TenantId, name: str) -> bool:
        """Forget what a rule says; False when there is none of that name."""


class Retention(Protocol):
    """Takes away what has had its time. What jobs left in the storage goes first, under their uuid; then their rows.

    So whoever is interrupted in between finds the job again. A batch that failed need not hold up those behind it:
    `after` is the last one of it.
    """

    async def due_jobs(self, policy: Policy, *, look: int, after: Ended | None = None) -> DueJobs:
        """Of the next `look` jobs behind `after` that ended, the oldest end first, those whose time is over.

        What has a live task, and be it a delivery, is not over, and what is marked is not told again.
        """

    async def deleted_jobs(self, *, limit: int, after: Ended | None = None) -> Sequence[Ended]:
        """Jobs that their callers deleted, once nothing of them is live; what is marked is not told again."""

    async def marked_jobs(
        self, *, limit: int, after: Ended | None = None, marked_for: timedelta = timedelta(0)
    ) -> Sequence[Ended]:
        """Jobs that were marked so long ago, and are there still; the oldest mark first."""

    async def mark_jobs(self, ids: Sequence[JobId], *, ended_by: datetime | None = None) -> Sequence[JobId]:
        """Mark jobs as over: nobody runs them again, nothing of them is handed out; which jobs are marked now.

        One that runs or is locked just now is not, nor one that ended later than `ended_by`, unless it was deleted or
        marked before.
        """

    async def is_purging(self, uuid: UUID) -> bool:
        """Whether a job is marked."""

    async def places_of(self, ids: Sequence[JobId]) -> Sequence[OutputPlaces]:
        """Where the outputs of these jobs stand, or were to stand."""

    async def remove_jobs(self, ids: Sequence[JobId]) -> Sequence[JobId]:
        """Remove all rows of these jobs; of which it did. One that runs again, or is locked just now, stays."""

    async def chunked_jobs(self, *, limit: int, after: Ended | None = None) -> Sequence[Ended]:
        """Jobs behind `after` that may have chunks in the storage, and need none: completed, cancelled, deleted.
        Those of a failed job are there for its next run."""

    async def have_chunks(self, ids: Sequence[JobId]) -> frozenset[JobId]:
        """Of which of these jobs chunks may lie in the storage."""

    async def forget_chunks(self, ids: Sequence[JobId], *, ended_by: datetime) -> None:
        """They have none there any more; one that ran again and ended later, or runs, may."""

    async def jobs_there(self, uuids: Sequence[UUID]) -> Mapping[UUID, bool]:
        """Which of these jobs there are, and whether something of each is live."""

    async def uploads_there(self, ids: Sequence[UUID]) -> Mapping[UUID, bool]:
        """Which of these uploads there are, and whether each may still come."""

    async def free_keys(self, *, used_for: timedelta, look: int, after: Looked | None = None) -> Freed | None:
        """Free the idempotency keys of the next `look` jobs behind `after` that were submitted so long ago.

        None: there are no more such jobs.
        """

    async def forget_workers(self, *, unseen_for: timedelta) -> int:
        """Forget workers that were not seen for so long; how many."""


class Sweeps(Protocol):
    """What becomes of each sweep of retention."""

    async def begin_sweep(self, *, host: str, version: str, policy: Policy) -> SweepId: ...

    async def note_sweep(
        self, sweep: SweepId, removed: Mapping[str, int], *, more: Mapping[str, int], blocked: int
    ) -> None:
        """Note what it has `removed` so far, by what; `more`: of that since the last time."""

    async def end_sweep(self, sweep: SweepId, outcome: SweepEnd, *, overdue: int, problem: str | None) -> None: ...

    async def sweeps(self, *, limit: int) -> Sequence[SweepRow]:
        """The newest first."""

    async def swept(self) -> Mapping[str, int]:
        """What all sweeps have removed that there ever were, by what."""

    async def forget_sweeps(self, *, begun_for: timedelta) -> int:
        """Forget sweeps that began so long ago; how many."""

    async def sweep_place(self, name: str) -> str | None:
        """How far sweeps have come with something; None: they begin."""

    async def put_sweep_place(self, name: str, place: str) -> None: ...

    async def keep_sweep_place(self, name: str, place: str) -> str:
        """What is told of something; `place`, from now on and for whoever asks, where nothing is."""


class Workers(Protocol):
    """Who works: for people and for the size of the window, never to judge a lease."""

    async def hello(self, worker: WorkerInfo) -> None: ...

    async def draining(self, worker_id: WorkerId) -> None: ...

    async def bye(self, worker_id: WorkerId) -> None: ...

    async def tell_about(self, worker_id: WorkerId, about: Mapping[str, Json]) -> None:
        """Replace what a worker said of itself."""

    async def note_lost(self, worker_id: WorkerId, claim: Claim, state: TaskState) -> None:
        """Note with a silent worker that a task was taken from it, which stands in this state since."""

    async def workers(self, *, seen_within: timedelta) -> Sequence[WorkerRow]:
        """Workers that were seen lately with what each runs, oldest first."""


class Insights(Protocol):
    """How the whole does, for people: every answer reads no more than it says, whatever the backlog."""

    async def depths(self, tenant_id: TenantId | None) -> Sequence[QueueDepth]:
        """All queues in the order of their names, with what a tenant has there; None: with what all have."""

    async def wanted_slots(self, queue: str) -> int:
        """How many slots a queue wants: those that are busy, and those for what may start, to 1,000 of a tenant."""

    async def free_slots(self, queue: str, tenant_id: TenantId) -> int:
        """How many slots of a queue a tenant may have now, beside those that it has; 0: none, or it is paused."""

    async def signs(self, *, tenants: bool) -> Signs:
        """What metrics tell of the whole. `tenants`: the ages of what waits by tenant, too."""

    async def failing(self, tenant_id: TenantId) -> Failing | None:
        """What a tenant's receivers were not told lately, of the newest 1,000 of a state; None: nothing."""

    async def paces(
        self, queues: Sequence[str], *, came_within: timedelta, began_within: timedelta
    ) -> Sequence[QueuePace]:
        """How work came to these queues and left them, of late: of the newest 5,000 tasks, of what runs and of the 500
        jobs that ended last; and who waits, of the first 100,000 tasks that do."""

    async def span(self, tenant_id: TenantId | None, *, since: datetime, until: datetime, most: int) -> Span:
        """What became of the jobs that ended from `since` until before `until`, of a tenant or of all: of the first
        `most` that ended then, of whatever tenant. Deleted ones count, removed ones do not."""


class Clinic(Protocol):
    """What `encoder doctor` asks."""

    async def checkup(self) -> Checkup:
        """Where the hot tables have drifted from the tasks, the clock, the oldest transaction. Reads what is open."""


class Ear(Protocol):
    """Hears hints. The rows are the truth; a hint only saves the wait for the next poll."""

    async def listen(self, heard: Callable[[str], None]) -> None:
        """Call `heard` for each hint, for ever: `ready:<queue>`, `cancel:<job id>`,
        `log:<job id>` (somebody wants to read what ffmpeg says; `log:` where nobody could tell of which job), and
        `reconnected` after each (re)connection. Own connection, own pings; survives every outage."""

    @property
    def healthy(self) -> bool:
        """True while a round trip of notify passed lately, so that polling may be slow."""

    @property
    def idle_poll_s(self) -> float:
        """Seconds between two looks of a claimer of its own accord, while all is idle and the ear is healthy."""


class Store(
    Jobs,
    Watching,
    DeadLetters,
    Tasks,
    Queues,
    Deliveries,
    Endpoints,
    Uploads,
    Keys,
    Presets,
    Pipelines,
    Ingest,
    Sealed,
    Retention,
    Sweeps,
    Workers,
    Insights,
    Clinic,
    Protocol,
):
    """A database, opened."""

    @property
    def version(self) -> int:
        """Of the tables, as this program needs them."""

    async def hint(self, *payloads: str) -> None:
        """Send hints, after the commit, best effort: never raises."""

    def heart(self) -> Heart: ...

    def ear(self) -> Ear: ...

    def news_ear(self) -> Ear:
        """An ear that hears `job:<tenant>:<job>` when something of a job was committed, for as long as the hint
        `watched` is repeated, once a minute at least. Where it is not `healthy` it may miss what other processes do."""

    async def ping(self) -> None:
        """One round trip."""

    async def reach(self) -> None:
        """As `ping`, on a connection of its own: where this works and `ping` does not, our connections are at fault."""

    async def close(self) -> None: ...
