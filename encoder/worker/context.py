"""What a run knows. Each stage takes it and adds one fact; the stages do not know each other."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

from encoder import errors, tracing
from encoder.ffmpeg.joint import Parts
from encoder.log import get_logger
from encoder.metrics.worker import checks_failed, code_of, output_errors
from encoder.model.chunk import ChunkMade
from encoder.model.ids import OutputId
from encoder.model.job import JobSpec
from encoder.model.media import Media, Opened
from encoder.model.plan import Note, OutputPlan, Plan
from encoder.model.proof import Proof
from encoder.model.result import Problem
from encoder.model.state import OutputState
from encoder.store.rows import JobRow, OutputChange, OutputRow
from encoder.worker.budget import Share
from encoder.worker.held import Held
from encoder.worker.ledger import Book
from encoder.worker.package import Package

log = get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One attempt at a job's open outputs. `spec` holds the caller's secrets: it is never stored or logged."""

    held: Held
    ledger: Book
    job: JobRow
    spec: JobSpec
    folder: Path
    share: Share  # of the machine
    outputs: tuple[OutputRow, ...]  # those that are still open
    token: str  # `<task>-<epoch>`: names what this attempt leaves half-written
    retry: list[errors.Failure] = field(default_factory=list)  # failures that another attempt may cure
    encoded: list[OutputId] = field(default_factory=list)  # outputs whose encode ran
    looking: asyncio.Lock = field(default_factory=asyncio.Lock)  # one output at a time has its evidence made
    unseen: list[OutputId] = field(default_factory=list)  # outputs of which none could be kept


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """The source on the local disk. `validator`: names its version; None: nobody does.

    `first_byte_at`: when it began to arrive, by the worker's clock.
    """

    path: Path
    size_bytes: int
    seconds: float
    validator: str | None = None
    first_byte_at: float | None = None
    holed: bool = False  # only what is needed of it is there


@dataclass(frozen=True, slots=True, kw_only=True)
class Ahead:
    """Chunks that were made while the source arrived, by which plan. `why`: why none were, where that is worth telling.

    `first_frame_at`: when the first frame of them was there, by the worker's clock.
    """

    media: Media | None = None
    plan: Plan | None = None
    made: tuple[ChunkMade, ...] = ()
    first_frame_at: float | None = None
    why: str = ""


NOTHING_AHEAD = Ahead()


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """The source on the disk, what it is, what becomes of it, and what of that was made while it arrived."""

    fetched: Fetched
    media: Media
    plan: Plan
    ahead: Ahead = NOTHING_AHEAD


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """An output as ffmpeg left it, not yet proven."""

    plan: OutputPlan
    path: Path
    command: tuple[str, ...]
    log: str
    seconds: float
    cpu_seconds: float  # its share of what the encode took
    first_frame_at: float | None = None  # when the first frame of its picture was encoded, by the worker's clock
    notes: tuple[Note, ...] = ()  # warnings that the encode adds to the plan's
    parts: Parts | None = None  # of the chunks of which it was joined

    @property
    def output(self) -> OutputId:
        return OutputId(self.plan.output)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proven:
    """An output that passed its proof and may be delivered.

    `streams`: what was found of each of its plan's streams, of images none.
    """

    made: Made
    proof: Proof
    package: Package
    seconds: float
    opened: Opened
    streams: tuple[Opened, ...] = ()


class NotJoined(errors.Permanent):
    """An output that was joined of chunks failed its proof: it is to be made once more, in one piece."""


async def write_off(run: Run, output: OutputId, failure: errors.Failure, *, proof: Proof | None = None) -> None:
    """Fail one output for good, or leave it open for another attempt, and let the others go on."""
    run.held.tell(output, None)
    log.warning("output.failed", output=output, code=failure.code, retryable=failure.retryable)
    tracing.failed(failure.code)
    output_errors.of(code_of(failure), failure.kind).inc()
    for check in proof.failed if proof else ():
        checks_failed.of(check.name).inc()
    if failure.retryable:
        run.retry.append(failure)
    else:
        change = OutputChange(id=output, state=OutputState.FAILED, problem=Problem.of(failure), proof=proof)
        await run.ledger.mark(change)
