"""Jobs, claims and endings for tests of the store: whole values, each with what the test is about."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from itertools import zip_longest
from uuid import uuid4

from encoder.errors import FailureClass
from encoder.model.base import Json
from encoder.model.ids import DEFAULT_TENANT, JobId, OutputId, TenantId, WorkerId
from encoder.model.job import JobSpec, OutputSpec
from encoder.model.queue import ENCODE
from encoder.model.result import Delivered, Problem
from encoder.model.state import OutputState, TaskState
from encoder.store.fleet import WorkerInfo
from encoder.store.protocol import Store
from encoder.store.receivers import DeliveryFilter
from encoder.store.rows import Accepted, Claim, DeliveryRow, NewJob, Outcome, OutputChange, Settlement

LEASE = timedelta(seconds=60)
PAST = timedelta(0)  # a lease that has run out by the time anybody looks
HOOK = "https://receiver.example/hook"

LOST = Settlement(outcome=Outcome.LOST, state=TaskState.WAITING)
RELEASED = Settlement(outcome=Outcome.RELEASED, state=TaskState.WAITING)
CANCELLED = Settlement(outcome=Outcome.CANCELLED, state=TaskState.CANCELLED)
DONE = Settlement(outcome=Outcome.DONE, state=TaskState.DONE)


def new_job(  # noqa: PLR0913  # each is what some test is about
    *,
    outputs: int = 1,
    tenant: TenantId = DEFAULT_TENANT,
    hook: str | None = None,
    priority: int = 0,
    queue: str = ENCODE,
    tags: tuple[str, ...] = (),
    label: str = "in.mp4",
    key: str | None = None,
    body: bytes | None = None,
    sealed: bytes | None = None,
    presets: tuple[str, ...] = (),  # of the first outputs
    metadata: dict[str, Json] | None = None,
) -> NewJob:
    spec = JobSpec(
        source={"kind": "http", "url": "https://source.example/in.mp4"},
        outputs=tuple(
            OutputSpec(container="mp4", width=100 + 2 * number, preset=preset)
            for number, preset in zip_longest(range(outputs), presets)
        ),
        notification_url=hook,
        priority=priority,
        queue=queue,
        metadata={"z": 1, "a": [1.5, None, "ü"]} if metadata is None else metadata,
        tags=tags,
    )
    return NewJob(
        tenant_id=tenant, uuid=uuid4(), spec=spec, label=label, sealed=sealed, idempotency_key=key, body_hash=body
    )


def new_worker(host: str = "host", *, queues: tuple[str, ...] = ("encode", "io")) -> WorkerInfo:
    return WorkerInfo(
        id=WorkerId(uuid4()),
        host=host,
        pid=7,
        version="1.0",
        queues=queues,
        slots={queue: 4 if queue == "io" else 2 for queue in queues},
        encoders=("libx264", "aac"),
        about={"ffmpeg": "9.0.2"},
    )


async def enqueue(store: Store, **wanted: object) -> Accepted:
    return await store.enqueue(new_job(**wanted))  # type: ignore[arg-type]  # members of new_job


async def claim(
    store: Store,
    *,
    queue: str = "encode",
    limit: int = 1,
    ahead: int = 0,
    lease: timedelta = LEASE,
    deadline: timedelta = LEASE,
    worker: WorkerId | None = None,
) -> Sequence[Claim]:
    return await store.claim(
        queue, worker or WorkerId(uuid4()), limit=limit, ahead=ahead, lease=lease, deadline=deadline
    )


async def claim_one(store: Store, *, queue: str = "encode", lease: timedelta = LEASE) -> Claim:
    (claimed,) = await claim(store, queue=queue, lease=lease)
    return claimed


async def deliveries(
    store: Store, job: JobId | None = None, *, tenant: TenantId = DEFAULT_TENANT, limit: int = 50
) -> Sequence[DeliveryRow]:
    """What was told, newest first: of a tenant, or of one job."""
    return (await store.deliveries(DeliveryFilter(tenant_id=tenant, job_id=job), limit=limit)).rows


async def working(store: Store, **wanted: object) -> tuple[Accepted, Claim]:
    """A job and the claim on its task."""
    accepted = await enqueue(store, **wanted)
    return accepted, await claim_one(store)


async def lined_up(store: Store, **wanted: object) -> tuple[Sequence[Claim], Accepted]:
    """Two jobs that run, and one that stands in line behind them."""
    *_, last = [await enqueue(store, **wanted) for _ in range(3)]
    return await claim(store, limit=2, ahead=1), last


def change(output: int, state: OutputState, **members: object) -> OutputChange:
    return OutputChange(id=OutputId(output), state=state, **members)  # type: ignore[arg-type]  # its own members


def made(output: int) -> Delivered:
    return Delivered(uri=f"https://out.example/{output}.mp4", size_bytes=10 + output, sha256="ab" * 32, width=100)


def uploaded(output: int) -> tuple[OutputChange, ...]:
    """The way of an output whose bytes stand at their place."""
    return (change(output, OutputState.UPLOADED, delivered=made(output)),)


def problem(code: str = "source_truncated") -> Problem:
    return Problem(code=code, message="It ends early.", kind=FailureClass.PERMANENT, retryable=False)


def failing(why: Problem | None = None, *, outcome: Outcome = Outcome.FAILED) -> Settlement:
    return Settlement(outcome=outcome, state=TaskState.FAILED, problem=why or problem())


def retrying(delay: timedelta = LEASE) -> Settlement:
    return Settlement(outcome=Outcome.RETRIED, state=TaskState.SCHEDULED, delay=delay, problem=problem("timeout"))


def done(*outputs: int) -> Settlement:
    """The end of an attempt that uploaded these."""
    return Settlement(
        outcome=Outcome.DONE,
        state=TaskState.DONE,
        changes=tuple(each for output in outputs for each in uploaded(output)),
    )
