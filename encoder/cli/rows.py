"""A job as one row of a list: pure text, cleaned of all that a terminal would obey."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from encoder.cli.text import ago, clean, duration, frames, left, percent, size, times
from encoder.cli.views import Job, Live
from encoder.errors import CATALOGUE

HEAD = ("JOB", "STATE", "DONE", "NOW", "QUEUE", "PRIORITY", "AGE", "SOURCE")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """`status`: the job's, which says how it is coloured; `share`: how far it is, from 0 to 1."""

    job: str
    state: str
    done: str
    now: str
    queue: str
    priority: str
    age: str
    source: str
    status: str
    share: float | None

    @property
    def cells(self) -> tuple[str, ...]:
        """In the order of `HEAD`."""
        return (self.job, self.state, self.done, self.now, self.queue, self.priority, self.age, self.source)


def row(job: Job, at: datetime) -> Row:
    """`at`: what the time is."""
    return Row(
        job=str(job.id),
        state=state(job),
        done=percent(job.progress),
        now=now(job),
        queue=clean(job.queue),
        priority=str(job.priority),
        age=ago((at - job.created_at).total_seconds()),
        source=clean(job.name),
        status=clean(job.status),
        share=job.progress,
    )


def state(job: Job) -> str:
    """One word: what is being done just now, or how it ended."""
    if job.ended:
        return clean(job.status)
    if job.cancel_requested:
        return "cancelling"
    slowest = job.slowest
    return clean(slowest.stage if slowest and slowest.stage else job.status)


def now(job: Job) -> str:
    """Why it stands, how fast it goes, or what became of it."""
    if job.error:
        entry = CATALOGUE.get(job.error.code)
        return clean(f"{job.error.code}: {entry.title if entry else job.error.message}")
    if job.waiting_for and not job.waiting_for.goes_on:
        return clean(job.waiting_for.words)
    if job.ended:
        return f"took {duration(job.took_seconds)}"
    pace = speed(job.slowest, beside="") if job.slowest else ""
    return "  ".join(filter(None, (pace, clean(job.waiting_for.words) if job.waiting_for else "")))


def speed(output: Live, *, beside: str = " real time") -> str:
    """`118 fps  3.9× real time  4:00 left`, as far as it is known. `beside`: what it is so many times."""
    facts = (
        frames(output.fps) if output.fps else "",
        f"{times(output.speed)}{beside}" if output.speed else "",
        f"{size(output.bytes_per_second)}/s" if output.bytes_per_second else "",
        left(output.eta_seconds) if output.eta_seconds is not None else "",
    )
    return "  ".join(fact for fact in facts if fact)


def aligned(rows: Iterable[Row]) -> list[str]:
    """Rows under their heads, for where there is no terminal whose width would be known."""
    table: list[Sequence[str]] = [HEAD, *(each.cells for each in rows)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip() for cells in table]
