"""Things that happen to a job: the source of webhooks, live updates and the job's timeline."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from encoder.model.base import Json, Record


class EventType(StrEnum):
    JOB_SUBMITTED = "job.submitted"
    JOB_PROCESSING = "job.processing"
    JOB_PROGRESS = "job.progress"
    JOB_COMPLETED = "job.completed"
    JOB_FAILED = "job.failed"
    JOB_CANCELLED = "job.cancelled"
    JOB_RETRIED = "job.retried"
    JOB_CANCEL_REQUESTED = "job.cancel_requested"
    OUTPUT_UPLOADED = "output.uploaded"
    OUTPUT_FAILED = "output.failed"
    TASK_SETTLED = "task.settled"
    ENDPOINT_TEST = "endpoint.test"  # of no job


# Told to receivers that name no types; the others are for the timeline.
TOLD = frozenset(
    {
        EventType.JOB_SUBMITTED,
        EventType.JOB_PROCESSING,
        EventType.OUTPUT_UPLOADED,
        EventType.OUTPUT_FAILED,
        EventType.JOB_COMPLETED,
        EventType.JOB_FAILED,
        EventType.JOB_CANCELLED,
    }
)
TELLABLE = TOLD | {EventType.JOB_PROGRESS}  # told to those that ask for it

JOB_OVER = frozenset({EventType.JOB_COMPLETED, EventType.JOB_FAILED, EventType.JOB_CANCELLED})


class Event(Record):
    """`seq` counts the events of one job from 1, without gaps, in the order in which they happened."""

    seq: int
    type: EventType
    at: datetime
    run: int
    output: int | None = None
    data: dict[str, Json] = {}
