"""The trail of an attempt: which stage began when, for the timeline, and what ffmpeg says meanwhile."""

from __future__ import annotations

from datetime import datetime

from encoder.model.base import Record
from encoder.model.ids import OutputId


class Step(Record):
    """A stage begins, `at` seconds after the claim. `output`: None where it is one of all outputs together."""

    stage: str
    at: float
    output: OutputId | None = None


class Trail(Record):
    """What is known of an attempt at its end. `last_beat_at`: of one whose worker fell silent."""

    worker: str | None = None
    steps: tuple[Step, ...] = ()
    last_beat_at: datetime | None = None


class LogTail(Record):
    """The end of what one run of ffmpeg says, for the outputs that it makes.

    `at`: how many characters came before it. `left_s`: for how long it is still told unless somebody asks again.
    """

    outputs: tuple[OutputId, ...]
    at: int
    text: str
    left_s: float
