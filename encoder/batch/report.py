"""The one line that a container leaves on its standard output."""

from __future__ import annotations

from encoder.batch.conversion import Outcome
from encoder.batch.ending import Exit
from encoder.batch.order import Asked
from encoder.batch.status import COMPLETED, FAILED, PROCESSING
from encoder.model.base import Json

_STATUS = {Exit.DONE: COMPLETED, Exit.GIVEN_BACK: PROCESSING, Exit.STATUS_AWAY: None}  # of all others: FAILED


def members(asked: Asked, outcome: Outcome) -> dict[str, Json]:
    """What is to be told of a job's end, flat. `status`: as the table has it; None where it could not be told."""
    told: dict[str, Json] = {
        "job_id": asked.job_id,
        "status": _STATUS.get(outcome.exit, FAILED),
        "exit_code": int(outcome.exit),
        "retry": outcome.exit.again,
    }
    if asked.order is not None:
        told |= {"codec": asked.order.codec, "bucket": asked.order.bucket}
    if outcome.result is not None:
        result = outcome.result
        told |= {"key": result.key, "size": result.size_bytes, "sha256": result.sha256, "seconds": result.seconds}
    if outcome.ending is not None:
        told |= {"code": outcome.ending.code, "message": outcome.ending.short}
    return told
