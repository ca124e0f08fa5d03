"""The transition tables and the end of a job."""

from __future__ import annotations

from itertools import product

import pytest

from encoder.model.state import (
    JOB_ENDED,
    JOB_MOVES,
    OUTPUT_MOVES,
    TASK_ENDED,
    TASK_MOVES,
    JobState,
    OutputState,
    TaskState,
    job_end,
)

UPLOADED, FAILED, CANCELLED, ENCODING = (
    OutputState.UPLOADED,
    OutputState.FAILED,
    OutputState.CANCELLED,
    OutputState.ENCODING,
)


def test_every_state_has_its_row() -> None:
    assert set(JOB_MOVES) == set(JobState)
    assert set(OUTPUT_MOVES) == set(OutputState)
    assert set(TASK_MOVES) == set(TaskState)


def test_a_terminal_task_never_changes_again() -> None:
    assert all(not TASK_MOVES[state] for state in TASK_ENDED)


def test_a_completed_job_never_changes_and_other_ended_ones_only_by_retry() -> None:
    assert not JOB_MOVES[JobState.COMPLETED]
    assert {move for state in JOB_ENDED for move in JOB_MOVES[state]} == {JobState.QUEUED}


@pytest.mark.parametrize(
    ("outputs", "cancel_requested", "end"),
    [
        ([UPLOADED, UPLOADED], False, JobState.COMPLETED),
        ([UPLOADED, UPLOADED], True, JobState.COMPLETED),  # the cancel came too late
        ([UPLOADED, FAILED], False, JobState.FAILED),
        ([UPLOADED, FAILED], True, JobState.CANCELLED),
        ([UPLOADED, CANCELLED], False, JobState.CANCELLED),
        ([FAILED, CANCELLED], False, JobState.FAILED),
        ([UPLOADED, ENCODING], False, None),
        ([UPLOADED, ENCODING], True, None),
    ],
)
def test_the_end_of_a_job_follows_from_its_outputs(
    outputs: list[OutputState], cancel_requested: bool, end: JobState | None
) -> None:
    assert job_end(outputs, cancel_requested=cancel_requested) is end


def test_a_job_ends_exactly_when_no_output_is_open() -> None:
    ended = {UPLOADED, FAILED, CANCELLED}
    for pair in product(OutputState, repeat=2):
        for cancel_requested in (False, True):
            assert (job_end(pair, cancel_requested=cancel_requested) is not None) == (set(pair) <= ended)
