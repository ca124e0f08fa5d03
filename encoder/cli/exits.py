"""What a command's exit code tells a script."""

from __future__ import annotations

from collections.abc import Iterable
from typing import IO, Any

import click

DONE = 0  # done and proven
FAILED = 1  # a job or a check failed, or its state did not allow what was asked
USAGE = 2  # the command or the job is wrong: correct it, then try again
DENIED = 3  # no key, or one that may not
LEFT_OVER = 3  # of `retention`: its time was up before all was done
UNAVAILABLE = 4  # not reachable, broken or too busy, also after retries
TIMED_OUT = 5  # --timeout has passed; the job goes on
CANCELLED = 6
INTERRUPTED = 130
TERMINATED = 143

_BY_STATUS = {401: DENIED, 403: DENIED, 408: UNAVAILABLE, 409: FAILED, 429: UNAVAILABLE}
_BY_JOB = {"completed": DONE, "failed": FAILED, "cancelled": CANCELLED}


class Wrong(click.UsageError):
    """Nothing can be done like this, and a sentence says why; how the command is written is not what is wrong."""

    def show(self, file: IO[Any] | None = None) -> None:
        click.echo(f"error: {self.message}", file=file, err=True)


class Left(click.ClickException):
    """Ctrl-C ended the looking, and what goes on has been said."""

    exit_code = INTERRUPTED

    def __init__(self) -> None:
        super().__init__("interrupted")

    def show(self, file: IO[Any] | None = None) -> None:
        pass


def of_status(status: int) -> int:
    """The code for a request that the server refused with an HTTP status."""
    return UNAVAILABLE if status >= 500 else _BY_STATUS.get(status, USAGE)  # noqa: PLR2004  # HTTP's own border


def of_job(status: str) -> int:
    """The code for a job that ended."""
    return _BY_JOB[status]


def of_jobs(statuses: Iterable[str]) -> int:
    """The code for several jobs: of those that went wrong, one that failed weighs more than one that was cancelled."""
    codes = {of_job(status) for status in statuses}
    return next((code for code in (FAILED, CANCELLED) if code in codes), DONE)
