"""What a receiver is told: an event with the job as it stood then, in less than 20 kB, without secrets.

The text is made once, in the transaction of the event, by one of the `formats`, and kept: every try sends and signs the
same bytes.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

import msgspec

from encoder.model.base import Json, Record
from encoder.model.ids import JobId, OutputId
from encoder.model.job import JobSpec
from encoder.model.result import Delivered, Problem
from encoder.model.state import JobState, OutputState

MOST_BYTES = 20_000
MOST_OF_A_MESSAGE = 500  # characters of a problem's


class ToldOutput(Record):
    id: OutputId
    state: OutputState
    delivered: Delivered | None = None
    problem: Problem | None = None


class ToldJob(Record):
    """A job as it stands at the event. `spec`: as it was asked for, without its secrets."""

    id: JobId
    uuid: UUID
    created_at: datetime
    state: JobState
    spec: JobSpec
    problem: Problem | None
    outputs: tuple[ToldOutput, ...]


def webhook_id(job: UUID, seq: int) -> str:
    """The name of an event for receivers: the same on every try, so that they can drop what they have seen."""
    return f"evt_{job.hex}_{seq}"


def shortest_needed(forms: Iterable[Json]) -> str:
    """The text of the first form that is short enough, else of the last: begin with the fullest."""
    text = b""
    for form in forms:
        text = msgspec.json.encode(form)
        if len(text) < MOST_BYTES:
            break
    return text.decode()
