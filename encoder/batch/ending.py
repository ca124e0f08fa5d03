"""How a container ends: the exit codes, and which one a failure gets (docs/operate/batch.md)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from encoder import errors
from encoder.blame import MEANINGS, Blame
from encoder.errors import FailureClass
from encoder.model.result import Problem

_MOST_MESSAGE_BYTES = 1024
_NOT_FETCHED = {  # the source is absent, or kept from us
    "source_not_found": "source_not_found",
    "source_gone": "source_not_found",
    "source_auth_failed": "source_denied",
    "source_refused": "source_denied",
    "credentials_required": "source_denied",
}


class Exit(IntEnum):
    """As sysexits.h has them: below 125, where those of container runtimes and of signals begin."""

    DONE = 0
    USAGE = 64
    UNUSABLE_SOURCE = 65
    NO_SOURCE = 66
    ENCODE_FAILED = 70
    STATUS_AWAY = 71
    UPLOAD_FAILED = 74
    GIVEN_BACK = 75

    @property
    def again(self) -> bool:
        """Whether it helps to run the container again."""
        return self not in (Exit.DONE, Exit.USAGE, Exit.UNUSABLE_SOURCE, Exit.NO_SOURCE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """Of a job that is not done. `code`: one of the catalogue's, or of docs/operate/batch.md."""

    exit: Exit
    code: str
    message: str

    @property
    def short(self) -> str:
        """The message, in at most 1 kB."""
        return self.message.encode()[:_MOST_MESSAGE_BYTES].decode(errors="ignore")


INTERRUPTED = Ending(
    exit=Exit.GIVEN_BACK, code="interrupted", message="The container was stopped before its work was done."
)
OVERTAKEN = Ending(
    exit=Exit.GIVEN_BACK, code="overtaken", message="Another copy has done the job, and its output does not stand."
)
DEFECT = Ending(
    exit=Exit.ENCODE_FAILED,
    code="internal_error",
    message="Something went wrong inside the platform; the container's log has the details.",
)


def unusable(faults: str) -> Ending:
    """The environment cannot be carried out."""
    return Ending(exit=Exit.USAGE, code="invalid_environment", message=faults)


def away(why: str) -> Ending:
    """What keeps the status cannot be reached, or refuses us."""
    return Ending(exit=Exit.STATUS_AWAY, code="status_unavailable", message=why)


def of_failure(failure: errors.Failure, *, uploading: bool) -> Ending:
    """`uploading`: the output was proven, and on its way."""
    if isinstance(failure, errors.Throttled):
        return Ending(exit=Exit.GIVEN_BACK, code=failure.code, message=failure.message)
    return of_problem(Problem.of(failure), uploading=uploading)


def of_problem(problem: Problem, *, uploading: bool) -> Ending:
    """As `of_failure`, of what was written down of it."""
    found, code = _exit_of(problem, uploading=uploading)
    return Ending(exit=found, code=code, message=problem.message)


def _exit_of(problem: Problem, *, uploading: bool) -> tuple[Exit, str]:
    code, blame = problem.code, MEANINGS[problem.code].blame if problem.code in MEANINGS else Blame.PLATFORM
    if problem.kind is FailureClass.RESOURCE:
        return Exit.GIVEN_BACK, code
    if uploading or blame is Blame.DESTINATION:
        return Exit.UPLOAD_FAILED, "upload_failed"
    if problem.kind is FailureClass.TRANSIENT:  # of the source: it may come yet
        return Exit.GIVEN_BACK, code
    if code in _NOT_FETCHED:
        return Exit.NO_SOURCE, _NOT_FETCHED[code]
    if blame in (Blame.SOURCE, Blame.PLACE):
        return Exit.UNUSABLE_SOURCE, code
    return Exit.ENCODE_FAILED, code
