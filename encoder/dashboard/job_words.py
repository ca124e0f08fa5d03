"""What is said of a job in words: how it stands, what it waits for, what failed, whose fault it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from encoder.api.answers import JobAnswer, OutputAnswer
from encoder.api.answers_timeline import AttemptAnswer, RunAnswer, TimelineAnswer
from encoder.blame import Blame
from encoder.dashboard.facts import about, short
from encoder.dashboard.look import in_bytes, percent, span
from encoder.errors import CATALOGUE
from encoder.model.result import Problem
from encoder.model.state import JOB_ENDED, JobState, OutputState
from encoder.store.rows import Outcome

LEAST_ETA_SHARE = 0.02  # of the way: before, an estimate is a guess
_NEVER_MADE = (OutputState.FAILED, OutputState.CANCELLED)
_TRIED = (None, Outcome.DONE, Outcome.RETRIED, Outcome.FAILED, Outcome.TIMED_OUT)

_WAITS = {
    "slot": "Waits for a free slot",
    "cap": "Waits: so many of this tenant's tasks run as may",
    "paused": "Waits: the queue is paused",
    "scratch": "Waits for scratch space",
    "memory": "Waits for memory",
    "backoff": "Waits before its next attempt",
    "worker": "Waits for its worker, which is silent",
    "chunks": "Waits for its chunks",
}

OUTCOMES = {
    Outcome.DONE: ("completed", "done"),
    Outcome.RETRIED: ("failed", "failed, tried again"),
    Outcome.FAILED: ("failed", "failed"),
    Outcome.RELEASED: ("cancelled", "given back"),
    Outcome.LOST: ("failed", "worker lost"),
    Outcome.CANCELLED: ("cancelled", "cancelled"),
    Outcome.TIMED_OUT: ("failed", "took too long"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """What failed, on top of the page. `waits`: it is not the end, another attempt comes. `outputs`: which it ended."""

    problem: Problem
    title: str
    about: str | None
    fault: str | None
    to_do: str | None
    tried: int
    outputs: tuple[OutputAnswer, ...]
    waits: bool = False


def name_of(output: OutputAnswer) -> str:
    """What people call an output: its place in the job, and what was asked."""
    asked = output.spec.get("preset") or output.spec.get("container") or "output"
    return f"{output.id} · {asked}"


def standing(job: JobAnswer) -> str:
    """How many outputs there are."""
    made = sum(output.status is OutputState.UPLOADED for output in job.outputs)
    all_of_them = len(job.outputs)
    if made == all_of_them:
        return {1: "The output stands", 2: "Both outputs stand"}.get(made, f"All {made} outputs stand")
    if not made:
        return "No output stands"
    return f"{made} of {all_of_them} outputs {'stands' if made == 1 else 'stand'}"


def sentence(job: JobAnswer) -> str:
    """The answer in the first line: how the job stands."""
    if job.status in JOB_ENDED:
        return f"{standing(job)}.{_took(job)}"
    if job.cancel_requested:
        return "Cancelling: the worker has not confirmed yet."
    in_chunks = job.waiting_for is not None and job.waiting_for.reason == "chunks"
    if job.waiting_for is not None and not in_chunks:
        return f"{waiting(job)}."
    if job.status is JobState.QUEUED:
        return "A worker begins."
    eta = time_left(job.outputs)
    share = f"{percent(job.progress)} done{f', about {eta} left' if eta else ''}" if job.progress else "Under way"
    return f"{share}: {job.waiting_for.detail}." if job.waiting_for is not None else f"{share}."


def _took(job: JobAnswer) -> str:
    if job.finished_at is None or job.started_at is None:
        return ""
    return f" Took {span((job.finished_at - job.started_at).total_seconds())}."


def waiting(job: JobAnswer) -> str:
    """What a job waits for; empty where it waits for nothing."""
    if job.waiting_for is None:
        return ""
    return f"{_WAITS.get(job.waiting_for.reason, 'Waits')}: {job.waiting_for.detail}".replace("Waits: ", "Waits, ", 1)


def time_left(outputs: Sequence[OutputAnswer]) -> str | None:
    """Until the last output is there, where that is known of those that are under way."""
    known = [
        output.eta_seconds
        for output in outputs
        if output.eta_seconds is not None and (output.progress or 0) >= LEAST_ETA_SHARE
    ]
    return about(max(known)) if known else None


def pace(output: OutputAnswer) -> str:
    """How fast an output is made, and how long that will take."""
    words = []
    if output.fps:
        words.append(f"{short(output.fps):g}\u202ffps")
    if output.speed:
        words.append(f"{short(output.speed):g}×")
    if output.transferred_bytes:
        of = f" of {in_bytes(output.total_bytes)}" if output.total_bytes else ""
        words.append(f"{in_bytes(output.transferred_bytes)}{of}")
    if output.bytes_per_second:
        words.append(f"{in_bytes(output.bytes_per_second)}/s")
    if output.eta_seconds is not None and (output.progress or 0) >= LEAST_ETA_SHARE:
        words.append(f"~{about(output.eta_seconds)} left")
    return " · ".join(words)


def life(attempt: AttemptAnswer | None, at: datetime) -> str | None:
    """The last sign of life of whoever has the job, and how long silence is allowed."""
    if attempt is None or attempt.last_beat_at is None or attempt.expires_at is None:
        return None
    silent, allowed = ((end - attempt.last_beat_at).total_seconds() for end in (at, attempt.expires_at))
    if silent * 3 < allowed:
        return f"last sign of life {span(silent)} ago"
    return f"silent for {span(silent)} of {span(allowed)} allowed"


def run_of(timeline: TimelineAnswer, number: int) -> RunAnswer | None:
    return next((run for run in timeline.runs if run.run == number), None)


def under_way(run: RunAnswer | None) -> AttemptAnswer | None:
    """The attempt that runs now."""
    return next((each for each in reversed(run.attempts if run else ()) if each.outcome is None), None)


def cards(job: JobAnswer, run: RunAnswer | None) -> tuple[Card, ...]:
    """What failed in the last run: the same failure of several outputs once."""
    found: dict[tuple[str, str], list[OutputAnswer]] = {}
    problems: dict[tuple[str, str], Problem] = {}
    for problem, output in _problems(job):
        key = problem.code, problem.message
        problems[key] = problem
        found.setdefault(key, [])
        if output is not None:
            found[key].append(output)
    tried = sum(each.outcome in _TRIED for each in (run.attempts if run else ()))
    cards = [_card(problem, found[key], tried=tried) for key, problem in problems.items()]
    waits = job.waiting_for.error if job.waiting_for is not None else None
    return (*cards, *((_card(waits, [], tried=tried, waits=True),) if waits else ()))


def _problems(job: JobAnswer) -> Iterator[tuple[Problem, OutputAnswer | None]]:
    for output in job.outputs:
        if output.error is not None and output.status is OutputState.FAILED:
            yield output.error, output
    if job.error is not None and job.status is JobState.FAILED:
        yield job.error, None


def _card(problem: Problem, outputs: Sequence[OutputAnswer], *, tried: int, waits: bool = False) -> Card:
    entry = CATALOGUE.get(problem.code)  # a plug-in may have codes of its own
    return Card(
        problem=problem,
        title=entry.title if entry else problem.code,
        about=entry.about if entry else None,
        fault=_fault(entry.blame, outputs) if entry and entry.blame else None,
        to_do=entry.to_do if entry else None,
        tried=tried,
        outputs=tuple(outputs),
        waits=waits,
    )


def _fault(blame: Blame, outputs: Sequence[OutputAnswer]) -> str:
    """Whose: of a place, the destination's once something was made for it."""
    if blame is not Blame.PLACE:
        return str(blame)
    made = any(output.proof is not None and output.proof.passed for output in outputs)
    return str(Blame.DESTINATION if made else Blame.SOURCE)


def again(job: JobAnswer) -> tuple[OutputAnswer, ...]:
    """What a retry would make."""
    return tuple(output for output in job.outputs if output.status in _NEVER_MADE) if job.status in JOB_ENDED else ()


def retry_words(job: JobAnswer) -> str:
    """What a retry would do."""
    wanted = again(job)
    names = ", ".join(name_of(output) for output in wanted[:5]) + (" …" if len(wanted) > 5 else "")  # noqa: PLR2004
    left = len(job.outputs) - len(wanted)
    stays = f" {left} that {'stands stays' if left == 1 else 'stand stay'} as {'it is' if left == 1 else 'they are'}."
    return f"A new run makes {names}.{stays if left else ''}"
