"""States and the only tables of how they may change. SQL, API and dashboard follow this module."""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum


class JobState(StrEnum):
    QUEUED = "queued"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


class OutputState(StrEnum):
    QUEUED = "queued"
    ENCODING = "encoding"
    VERIFYING = "verifying"
    UPLOADING = "uploading"
    UPLOADED = "uploaded"
    FAILED = "failed"
    CANCELLED = "cancelled"


class UploadState(StrEnum):
    PENDING = "pending"
    UPLOADED = "uploaded"


class UploadEnd(StrEnum):
    """How an upload ends whose file never came to stand in the storage."""

    FAILED = "failed"
    CANCELLED = "cancelled"


class UploadProtocol(StrEnum):
    """How a file is brought: by one request of either kind, or by tus, in pieces."""

    PUT = "put"
    POST = "post"
    TUS = "tus"


class TaskState(StrEnum):
    BLOCKED = "blocked"
    WAITING = "waiting"
    READY = "ready"
    RUNNING = "running"
    SCHEDULED = "scheduled"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


JOB_ENDED = frozenset({JobState.COMPLETED, JobState.FAILED, JobState.CANCELLED})
OUTPUT_ENDED = frozenset({OutputState.UPLOADED, OutputState.FAILED, OutputState.CANCELLED})
TASK_ENDED = frozenset({TaskState.DONE, TaskState.FAILED, TaskState.CANCELLED})

JOB_MOVES: dict[JobState, frozenset[JobState]] = {
    JobState.QUEUED: frozenset({JobState.PROCESSING, *JOB_ENDED}),
    JobState.PROCESSING: JOB_ENDED,
    JobState.COMPLETED: frozenset(),
    JobState.FAILED: frozenset({JobState.QUEUED}),  # an explicit retry: the next run
    JobState.CANCELLED: frozenset({JobState.QUEUED}),
}

_OPEN_OUTPUT = frozenset({OutputState.FAILED, OutputState.CANCELLED, OutputState.QUEUED})
OUTPUT_MOVES: dict[OutputState, frozenset[OutputState]] = {
    # straight to `uploaded` when an earlier attempt had published the very object that it intended
    OutputState.QUEUED: frozenset(
        {OutputState.ENCODING, OutputState.UPLOADED, OutputState.FAILED, OutputState.CANCELLED}
    ),
    # back to `encoding` when a shared pass failed and the output is encoded once more by itself
    OutputState.ENCODING: _OPEN_OUTPUT | {OutputState.VERIFYING},
    OutputState.VERIFYING: _OPEN_OUTPUT | {OutputState.ENCODING, OutputState.UPLOADING},
    OutputState.UPLOADING: _OPEN_OUTPUT | {OutputState.UPLOADED},
    OutputState.UPLOADED: frozenset(),
    OutputState.FAILED: frozenset({OutputState.QUEUED}),
    OutputState.CANCELLED: frozenset({OutputState.QUEUED}),
}

TASK_MOVES: dict[TaskState, frozenset[TaskState]] = {
    TaskState.BLOCKED: frozenset({TaskState.WAITING, TaskState.CANCELLED}),
    TaskState.WAITING: frozenset({TaskState.READY, TaskState.CANCELLED}),
    TaskState.READY: frozenset({TaskState.RUNNING, TaskState.WAITING, TaskState.CANCELLED}),  # back where it is paused
    TaskState.RUNNING: frozenset({TaskState.WAITING, TaskState.SCHEDULED, *TASK_ENDED}),
    TaskState.SCHEDULED: frozenset({TaskState.WAITING, TaskState.CANCELLED}),
    TaskState.DONE: frozenset(),
    TaskState.FAILED: frozenset(),
    TaskState.CANCELLED: frozenset(),
}


def job_end(outputs: Collection[OutputState], *, cancel_requested: bool) -> JobState | None:
    """The terminal state of a job whose outputs stand as given; None while one is still open."""
    if any(state not in OUTPUT_ENDED for state in outputs):
        return None
    if all(state is OutputState.UPLOADED for state in outputs):
        return JobState.COMPLETED
    if cancel_requested:
        return JobState.CANCELLED
    if OutputState.FAILED in outputs:
        return JobState.FAILED
    return JobState.CANCELLED
