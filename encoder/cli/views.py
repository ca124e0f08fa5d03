"""The members of the API's answers that people are shown. What else an answer holds is passed over."""

from __future__ import annotations

from datetime import datetime

from encoder.model.base import Json, Record
from encoder.model.job import Place
from encoder.model.media import Media
from encoder.model.plan import Estimate, Note
from encoder.model.proof import Proof
from encoder.model.result import Problem, Timings

ENDED = frozenset({"completed", "failed", "cancelled"})


class Spec(Record):
    """What was asked of an output, as far as it names one."""

    preset: str | None = None
    container: str | None = None
    height: int | None = None
    destination: Place | None = None


class Rung(Record):
    """One rendition of a package."""

    name: str = ""
    video: dict[str, Json] | None = None


class Plan(Record):
    renditions: tuple[Rung, ...] = ()


class Live(Record):
    """What of an output changes while it is made."""

    id: int
    status: str
    stage: str | None = None
    progress: float | None = None
    fps: float | None = None
    speed: float | None = None
    eta_seconds: float | None = None
    bytes_per_second: float | None = None
    worker: str | None = None
    last_beat_at: datetime | None = None


class Output(Live):
    spec: Spec = Spec()
    plan: Plan | None = None
    command: tuple[str, ...] = ()
    attempts: int = 0
    uri: str | None = None
    url: str | None = None
    size_bytes: int | None = None
    duration_seconds: float | None = None
    width: int | None = None
    height: int | None = None
    sha256: str | None = None
    proof: Proof | None = None
    timings: Timings = Timings()
    warnings: tuple[Note, ...] = ()
    error: Problem | None = None

    @property
    def name(self) -> str:
        """What a person knows it by: its preset, or the container and height that were asked for."""
        asked = self.spec
        if asked.preset:
            return asked.preset
        return " ".join(str(part) for part in (asked.container, asked.height and f"{asked.height}p") if part)

    @property
    def rungs(self) -> str:
        """`1080p 720p`: the pictures that a package is made of, once it is planned."""
        return " ".join(rung.name for rung in self.plan.renditions if rung.video) if self.plan else ""


class Waiting(Record):
    reason: str
    detail: str | None = None

    @property
    def goes_on(self) -> bool:
        """It waits for chunks of its own, which are being made: that is no standing still."""
        return self.reason == "chunks"

    @property
    def words(self) -> str:
        """`slot – a free slot of a worker`; of what goes on the detail alone."""
        return " – ".join(part for part in ("" if self.goes_on else self.reason, self.detail) if part)


class Job(Record):
    id: int
    uuid: str
    status: str
    run: int = 1
    name: str = ""
    source: Place = {}
    priority: int = 0
    queue: str = ""
    progress: float | None = None
    cancel_requested: bool = False
    waiting_for: Waiting | None = None
    error: Problem | None = None
    created_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    warnings: tuple[Note, ...] = ()
    outputs: tuple[Output, ...] = ()

    @property
    def ended(self) -> bool:
        return self.status in ENDED

    @property
    def took_seconds(self) -> float | None:
        return (self.finished_at - self.created_at).total_seconds() if self.finished_at else None

    @property
    def eta_seconds(self) -> float | None:
        """Until its last output is encoded, as far as that is known."""
        return max((output.eta_seconds for output in self.outputs if output.eta_seconds is not None), default=None)

    @property
    def slowest(self) -> Output | None:
        """The output that the others will have waited for: of those that are being made, the one with most to go."""
        made = [output for output in self.outputs if output.stage]
        return max(made, key=lambda output: output.eta_seconds or 0.0, default=None)


class Change(Record):
    """A job that changed, as the live stream tells it."""

    id: int
    status: str
    run: int = 1
    progress: float | None = None
    cancel_requested: bool = False
    waiting_for: Waiting | None = None
    error: Problem | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    outputs: tuple[Live, ...] = ()


class PlannedOutput(Record):
    """One output of a dry run; `error` if it cannot be made."""

    reasons: tuple[Note, ...] = ()
    commands: tuple[tuple[str, ...], ...] = ()
    estimate: Estimate | None = None
    error: Note | None = None


class Preview(Record):
    media: Media
    warnings: tuple[Note, ...] = ()
    outputs: tuple[PlannedOutput, ...] = ()
