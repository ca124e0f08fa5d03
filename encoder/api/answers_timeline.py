"""What the API tells of the way that a job went. All times are the database's; `null`: not yet, or not known."""

from __future__ import annotations

from datetime import datetime

from encoder.api.answers_webhooks import DeliveryAnswer
from encoder.model.base import Record
from encoder.model.ids import OutputId
from encoder.model.result import Problem
from encoder.model.state import OutputState
from encoder.store.rows import Outcome


class SpanAnswer(Record):
    """A stage of an attempt. `output`: null where it is one of all outputs: fetching, probing, waiting.

    `outcome`: what became of the output with the end of this stage: uploaded, failed, cancelled.
    """

    output: OutputId | None
    stage: str
    started_at: datetime
    ended_at: datetime | None
    outcome: OutputState | None


class AttemptAnswer(Record):
    """One claim of a task. `queuedAt`: since when it was to be run; `runnableAt`: from when it could, after a pause
    between attempts. `outcome`: null while it is under way; then `expiresAt` is when its worker is given up unless it
    is heard of again.
    """

    task: str
    attempt: int
    worker: str | None
    queued_at: datetime
    runnable_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    outcome: Outcome | None
    error: Problem | None
    last_beat_at: datetime | None
    expires_at: datetime | None
    spans: tuple[SpanAnswer, ...]


class ChunksAnswer(Record):
    """The chunks of a picture as one. `first`, `last`: their numbers, from 1. `retried`: those that took more than one
    attempt; the attempts that failed or were lost stand among the others of the run. `slowestSeconds`, `meanSeconds`:
    of those that are made. `workers`: 20 at most. `endedAt`: null while one is being made.
    """

    first: int
    last: int
    made: int
    running: int
    retried: int
    given_back: int
    cancelled: int
    slowest_seconds: float | None
    mean_seconds: float | None
    workers: tuple[str, ...]
    queued_at: datetime
    started_at: datetime
    ended_at: datetime | None


class RunAnswer(Record):
    """One run of a job; a retry begins the next. `waitingSince`: null unless it waits now for its next attempt.

    `chunks`: of a job whose pictures are made in chunks, all attempts at those but the ones that came to nothing.
    """

    run: int
    started_at: datetime
    ended_at: datetime | None
    attempts: tuple[AttemptAnswer, ...]
    chunks: ChunksAnswer | None = None
    waiting_since: datetime | None


class TimelineAnswer(Record):
    """`at`: the time by which this is told. `complete`: false where there is more than is read of one job: 2,000
    events, 200 deliveries. `webhooks`: the oldest first.
    """

    at: datetime
    complete: bool
    runs: tuple[RunAnswer, ...]
    webhooks: tuple[DeliveryAnswer, ...]


class TailAnswer(Record):
    """The end of what ffmpeg says. `at`: how many characters came before it. `live`: it runs, and this will grow."""

    live: bool
    at: int
    text: str
