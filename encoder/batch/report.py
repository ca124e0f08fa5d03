"""The one line that a container leaves on its standard output."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from encoder.batch.conversion import Outcome
from encoder.batch.ending import INTERRUPTED, Ending, Exit, of_problem, unusable
from encoder.batch.order import Asked
from encoder.batch.status import COMPLETED, FAILED, PROCESSING
from encoder.model.base import Json
from encoder.model.result import Problem
from encoder.model.state import JobState
from encoder.store.rows import JobRow

_STATUS = {Exit.DONE: COMPLETED, Exit.GIVEN_BACK: PROCESSING, Exit.STATUS_AWAY: None}  # of all others: FAILED

_STATES = {
    JobState.COMPLETED: COMPLETED,
    JobState.FAILED: FAILED,
    JobState.CANCELLED: "CANCELLED",
    JobState.QUEUED: PROCESSING,
    JobState.PROCESSING: PROCESSING,
}


def ended(ref: str, ending: Ending) -> dict[str, Json]:
    """Of a job of the database that could not be begun."""
    return _flat(ref, _STATUS.get(ending.exit, FAILED), ending)


def of_job(ref: str, job: JobRow | None) -> dict[str, Json]:
    """The same of a job of the database; None: there is none."""
    if job is None:
        return ended(ref, unusable(f"There is no job {ref}."))
    outputs: list[Json] = [
        {"uri": made.uri, "size": made.size_bytes, "sha256": made.sha256}
        for made in (output.delivered for output in job.outputs)
        if made is not None
    ]
    return {**_flat(str(job.id), _STATES[job.state], _ending_of(job)), "outputs": outputs}


def _ending_of(job: JobRow) -> Ending | None:
    match job.state:
        case JobState.COMPLETED:
            return None
        case JobState.CANCELLED:
            return Ending(exit=Exit.USAGE, code="cancelled", message="The job was cancelled.")
        case JobState.FAILED:
            return _over(_of_first([job.problem, *(output.problem for output in job.outputs)]))
        case _:
            return _of_first([job.task_problem])


def _of_first(problems: Sequence[Problem | None]) -> Ending:
    problem = next((each for each in problems if each is not None), None)
    return INTERRUPTED if problem is None else of_problem(problem, uploading=False)


def _over(ending: Ending) -> Ending:
    """Of a job that has ended: its attempts were had, and no container more would begin it."""
    return replace(ending, exit=Exit.USAGE) if ending.exit.again else ending


def _flat(job_id: str | None, status: str | None, ending: Ending | None) -> dict[str, Json]:
    found = Exit.DONE if ending is None else ending.exit
    told: dict[str, Json] = {"job_id": job_id, "status": status, "exit_code": int(found), "retry": found.again}
    return told if ending is None else {**told, "code": ending.code, "message": ending.short}


def members(asked: Asked, outcome: Outcome) -> dict[str, Json]:
    """What is to be told of a job's end, flat. `status`: as the table has it; None where it could not be told."""
    told = _flat(asked.job_id, _STATUS.get(outcome.exit, FAILED), outcome.ending)
    if asked.order is not None:
        told |= {"codec": asked.order.codec, "bucket": asked.order.bucket}
    if outcome.result is not None:
        result = outcome.result
        told |= {"key": result.key, "size": result.size_bytes, "sha256": result.sha256, "seconds": result.seconds}
    return told
