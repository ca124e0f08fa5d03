"""How an attempt is closed: the table of docs/why/flow.md, "When something fails"."""

from __future__ import annotations

from dataclasses import replace

import pytest

from encoder import errors
from encoder.model.state import TaskState
from encoder.queue import settle
from encoder.store.rows import Outcome
from tests.lab.claims import CLAIM


def longest(_low: float, high: float) -> float:
    return high


def test_a_permanent_failure_ends_the_task_at_its_first_attempt() -> None:
    settlement = settle.after_failure(
        CLAIM, errors.Permanent("source_not_found", "gone"), encoded=False, uniform=longest
    )
    assert (settlement.outcome, settlement.state) == (Outcome.FAILED, TaskState.FAILED)
    assert settlement.problem is not None
    assert settlement.problem.code == "source_not_found"


@pytest.mark.parametrize(
    ("attempt", "state"), [(1, TaskState.SCHEDULED), (2, TaskState.SCHEDULED), (3, TaskState.FAILED)]
)
def test_a_transient_failure_is_tried_again_until_the_attempts_are_used_up(attempt: int, state: TaskState) -> None:
    claim = replace(CLAIM, attempt=attempt)
    settlement = settle.after_failure(claim, errors.Transient("timeout", "slow"), encoded=True, uniform=longest)
    assert settlement.state is state


def test_lost_leases_do_not_use_up_attempts() -> None:
    claim = replace(CLAIM, attempt=4, lost=2)
    settlement = settle.after_failure(claim, errors.Transient("timeout", "slow"), encoded=True, uniform=longest)
    assert settlement.state is TaskState.SCHEDULED


def test_the_delay_doubles_is_jittered_and_honours_retry_after() -> None:
    def delay_s(attempt: int, retry_after_s: float | None) -> float:
        failure = errors.Transient("timeout", "slow", retry_after_s=retry_after_s)
        claim = replace(CLAIM, attempt=attempt, max_attempts=99)
        return settle.after_failure(claim, failure, encoded=True, uniform=longest).delay.total_seconds()

    assert [delay_s(attempt, None) for attempt in (1, 2, 3, 9)] == [20, 40, 80, 600]
    assert delay_s(1, 300) == 300
    assert delay_s(1, 1e9) == 600


def test_want_of_a_resource_gives_the_task_back_uncharged_unless_an_encode_ran() -> None:
    full = errors.Resource("disk_full", "no space")
    before = settle.after_failure(CLAIM, full, encoded=False, uniform=longest)
    after = settle.after_failure(CLAIM, full, encoded=True, uniform=longest)
    assert (before.outcome, before.state, before.released) == (Outcome.RELEASED, TaskState.WAITING, 1)
    assert (after.outcome, after.state, after.released) == (Outcome.RETRIED, TaskState.SCHEDULED, 0)


def test_the_twenty_first_release_counts_as_a_failure() -> None:
    claim = replace(CLAIM, released=settle.MOST_RELEASED)
    assert settle.released(claim, uniform=longest).outcome is Outcome.RETRIED
    telling = replace(claim, kind="notify")  # was put off as often as its receiver was busy, and never tried
    assert settle.released(telling, uniform=longest).outcome is Outcome.RELEASED


@pytest.mark.parametrize(
    ("kind", "most", "lost", "state"),
    [
        ("transcode", 3, 0, TaskState.WAITING),
        ("transcode", 3, 1, TaskState.WAITING),
        ("transcode", 3, 2, TaskState.FAILED),
        ("assemble", 8, 2, TaskState.WAITING),
        ("chunk", 8, 2, TaskState.WAITING),
        ("chunk", 8, 6, TaskState.WAITING),
        ("chunk", 8, 7, TaskState.FAILED),
    ],
)
def test_the_third_loss_ends_the_task_as_worker_lost_of_a_job_in_chunks_the_eighth(
    kind: str, most: int, lost: int, state: TaskState
) -> None:
    settlement = settle.lost(replace(CLAIM, kind=kind, lost=lost))
    assert (settlement.outcome, settlement.state, settlement.lost) == (Outcome.LOST, state, 1)
    assert settlement.problem is not None
    assert settlement.problem.code == "worker_lost"
    assert settlement.problem.message.endswith(f"loss {lost + 1} of at most {most}.")


def test_want_of_memory_gets_one_more_attempt_only() -> None:
    """L18"""
    killed = errors.Crash("encoder_oom", "killed")
    first = settle.after_failure(replace(CLAIM, attempt=1), killed, encoded=True, uniform=longest)
    second = settle.after_failure(replace(CLAIM, attempt=2), killed, encoded=True, uniform=longest)
    assert (first.state, second.state) == (TaskState.SCHEDULED, TaskState.FAILED)
