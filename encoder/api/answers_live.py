"""What live streams tell."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from encoder.api.answers import OutputProgress, WaitAnswer
from encoder.model.base import Record
from encoder.model.ids import JobId
from encoder.model.result import Problem
from encoder.model.state import JobState


class FeedAnswer(Record):
    """Nothing but that it was said."""


class ChangeAnswer(Record):
    """A job that changed, as it stands. `seq`: of its last event: while that stays, only its progress has changed."""

    id: JobId
    uuid: UUID
    status: JobState
    run: int
    seq: int
    name: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    cancel_requested: bool
    progress: float | None
    waiting_for: WaitAnswer | None
    outputs: tuple[OutputProgress, ...]
    error: Problem | None


class DeletedAnswer(Record):
    """A job that is gone."""

    id: JobId
