"""The members of the API's answers that people are shown. What else an answer holds is passed over."""

from __future__ import annotations

from datetime import datetime

from encoder.model.base import Json, Record
from encoder.model.media import Media
from encoder.model.plan import Estimate, Note
from encoder.model.proof import Proof
from encoder.model.result import Delivered, Problem, Timings

ENDED = frozenset({"completed", "failed", "cancelled"})


class Output(Record):
    id: int
    status: str
    preset: str | None = None
    container: str | None = None
    width: int | None = None
    height: int | None = None
    stage: str | None = None
    progress: float | None = None
    speed: float | None = None
    eta_seconds: float | None = None
    attempts: int = 0
    result: Delivered | None = None
    proof: Proof | None = None
    timings: Timings = Timings()
    warnings: tuple[Note, ...] = ()
    error: Problem | None = None

    @property
    def name(self) -> str:
        """What a person knows it by: its preset, or the container and height that were asked for."""
        if self.preset:
            return self.preset
        return " ".join(str(part) for part in (self.container, self.height and f"{self.height}p") if part)


class Waiting(Record):
    reason: str
    detail: str | None = None


class Job(Record):
    id: int
    uuid: str
    status: str
    run: int = 1
    label: str | None = None
    progress: float | None = None
    cancel_requested: bool = False
    waiting_for: Waiting | None = None
    error: Problem | None = None
    created_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    outputs: tuple[Output, ...] = ()

    @property
    def ended(self) -> bool:
        return self.status in ENDED

    @property
    def took_seconds(self) -> float | None:
        return (self.finished_at - self.created_at).total_seconds() if self.finished_at else None


class PlannedOutput(Record):
    """One output of a dry run. `plan` is shown as it is with --json only."""

    reasons: tuple[Note, ...] = ()
    commands: tuple[tuple[str, ...] | str, ...] = ()
    estimate: Estimate | None = None
    plan: Json = None


class Preview(Record):
    media: Media
    warnings: tuple[Note, ...] = ()
    outputs: tuple[PlannedOutput, ...] = ()
