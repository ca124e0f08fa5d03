"""How a call to the API may end without an answer that can be used."""

from __future__ import annotations

from typing import TypeAlias

from encoder import __version__, errors
from encoder.model.base import Json

Object: TypeAlias = dict[str, Json]

NOT_DONE = frozenset({429, 503})  # the server says that it did nothing
BUSY = NOT_DONE | {408, 502, 504}


class Unreachable(errors.EncoderError):
    """No answer from the server, also after several tries."""

    def __init__(self, url: str) -> None:
        super().__init__(f"{url} does not answer")
        self.url = url


class Refused(errors.EncoderError):
    """The server answered with a problem (RFC 9457). `problem` is its whole body."""

    def __init__(self, status: int, problem: Object, *, retry_after_s: float | None = None) -> None:
        super().__init__(str(problem.get("detail") or problem.get("title") or f"HTTP {status}"))
        self.status = status
        self.problem = problem
        self.retry_after_s = retry_after_s

    @property
    def code(self) -> str:
        return str(self.problem.get("code", ""))


class Foreign(errors.EncoderError):
    """Something answers that does not speak as this API does: another service, a proxy's page, another release."""

    def __init__(self, url: str, why: str = "") -> None:
        super().__init__(f"what answers at {url} is not the API of Encoder {__version__}" + (f": {why}" if why else ""))
        self.url = url
