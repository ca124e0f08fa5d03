"""How an attempt is to be closed: pure decisions. `store.settle` carries them out."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import assert_never

from encoder import errors
from encoder.errors import FailureClass
from encoder.model.base import Json
from encoder.model.chunk_work import ASSEMBLE, CHUNK
from encoder.model.result import Problem
from encoder.model.state import TaskState
from encoder.queue.backoff import Uniform, attempt_delay_s
from encoder.store.line import NOTIFY
from encoder.store.rows import Claim, FanOut, Outcome, OutputChange, Settlement

MOST_LOST = 3  # lost leases, beside the attempts
MOST_LOST_IN_PARTS = 8  # of a chunk, and of what joins them: where machines are taken away, of many one is lost often
MOST_RELEASED = 20  # releases, after which giving back counts as a failure
MOST_OUT_OF_MEMORY = 2  # attempts that may end for want of memory


def done(changes: tuple[OutputChange, ...] = ()) -> Settlement:
    return Settlement(outcome=Outcome.DONE, state=TaskState.DONE, changes=changes)


def made(result: dict[str, Json]) -> Settlement:
    """A part is done."""
    return replace(done(), result=result)


def handed_out(work: FanOut) -> Settlement:
    """The rest is done in parts."""
    return replace(done(), fan_out=work)


def cancelled() -> Settlement:
    return Settlement(outcome=Outcome.CANCELLED, state=TaskState.CANCELLED)


def failed(problem: Problem) -> Settlement:
    return Settlement(outcome=Outcome.FAILED, state=TaskState.FAILED, problem=problem)


def released(claim: Claim, *, uniform: Uniform) -> Settlement:
    """Give back what we cannot finish; nothing is charged (G10), up to a bound.

    A telling has none: it ends within seconds, and was given back for each time that its receiver was busy.
    """
    if claim.released >= MOST_RELEASED and claim.kind != NOTIFY:
        reason = errors.Transient("timeout", "The task was given back too often: workers stop before they can end it.")
        return _again(claim, reason, uniform=uniform)
    return Settlement(outcome=Outcome.RELEASED, state=TaskState.WAITING)


def left_to_others(*, after_s: float) -> Settlement:
    """Not for this worker, or not now: nothing is charged, and others have time to take it."""
    return Settlement(outcome=Outcome.RELEASED, state=TaskState.SCHEDULED, delay=timedelta(seconds=after_s))


def most_lost(kind: str) -> int:
    """How many losses of its worker end a task."""
    return MOST_LOST_IN_PARTS if kind in (CHUNK, ASSEMBLE) else MOST_LOST


def lost(claim: Claim) -> Settlement:
    """The owner is silent. A loss leaves the failure budget alone; the third one ends the task, the eighth one of
    a job in chunks (G9)."""
    most = most_lost(claim.kind)
    message = f"The worker was lost while it had this task, loss {claim.lost + 1} of at most {most}."
    problem = Problem.of(errors.Crash("worker_lost", message))
    if claim.lost + 1 >= most:
        return replace(failed(problem), outcome=Outcome.LOST)
    return Settlement(outcome=Outcome.LOST, state=TaskState.WAITING, problem=problem)


def timed_out() -> Settlement:
    """The task ran past its own deadline; it would again."""
    problem = Problem.of(errors.Permanent("deadline_exceeded", "The task took longer than its deadline allows."))
    return replace(failed(problem), outcome=Outcome.TIMED_OUT)


def after_failure(claim: Claim, failure: errors.Failure, *, encoded: bool, uniform: Uniform) -> Settlement:
    """What follows from a failure of the attempt. `encoded`: an encode ran, so giving back would repeat it for ever."""
    match failure.kind:
        case FailureClass.PERMANENT:
            return failed(Problem.of(failure))
        case FailureClass.RESOURCE if not encoded:
            return replace(released(claim, uniform=uniform), problem=Problem.of(failure))
        case FailureClass.TRANSIENT | FailureClass.RESOURCE | FailureClass.CRASH:
            return _again(claim, failure, uniform=uniform)
        case _:
            assert_never(failure.kind)


def _again(claim: Claim, failure: errors.Failure, *, uniform: Uniform) -> Settlement:
    tried = claim.attempt - claim.lost
    allowed = claim.max_attempts
    if failure.code == "encoder_oom":
        allowed = min(allowed, MOST_OUT_OF_MEMORY)
    if tried >= allowed:
        return failed(Problem.of(failure))
    delay_s = attempt_delay_s(tried, retry_after_s=failure.retry_after_s, uniform=uniform)
    return Settlement(
        outcome=Outcome.RETRIED,
        state=TaskState.SCHEDULED,
        delay=timedelta(seconds=delay_s),
        problem=Problem.of(failure),
    )
