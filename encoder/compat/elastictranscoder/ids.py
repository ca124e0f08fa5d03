"""Ids in the form that SDKs know: thirteen digits, a dash, six letters or digits."""

from __future__ import annotations

import re
import string
from datetime import UTC, datetime, timedelta

from encoder.model.ids import JobId

_DIGITS = string.digits + string.ascii_lowercase
_LENGTH = 6
_FORM = re.compile(r"([0-9]{13})-([0-9a-z]{6,12})")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def written(job_id: JobId, created_at: datetime) -> str:
    """When it was made, in milliseconds, and the job's number in base 36."""
    digits, left = "", int(job_id)
    while left:
        left, digit = divmod(left, len(_DIGITS))
        digits = _DIGITS[digit] + digits
    return f"{millis(created_at):013d}-{digits.rjust(_LENGTH, '0')}"


def read(text: str) -> JobId | None:
    """The job's number. Whether the time before it is that job's too, who has the job knows."""
    form = _FORM.fullmatch(text)
    return JobId(int(form[2], len(_DIGITS))) if form else None


def millis(at: datetime) -> int:
    return (at - _EPOCH) // timedelta(milliseconds=1)
