"""ffmpeg's log as lines, of which the first that tells of an error is marked."""

from __future__ import annotations

import re
from dataclasses import dataclass

MOST_LINES = 2_000
_ERROR = re.compile(
    r"\b(error|errors|invalid|failed|cannot|could not|unable|no such|corrupt|denied|not found|killed)\b", re.IGNORECASE
)
_NO_ERROR = re.compile(r"\b0 (decode )?errors\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """`before`, `after`: text around the line `error`, empty where none tells of one. `cut`: lines left out."""

    before: str
    error: str = ""
    after: str = ""
    cut: int = 0


def read(text: str) -> Log:
    """The last lines of a log."""
    lines = text.splitlines(keepends=True)
    kept = lines[-MOST_LINES:]
    cut = len(lines) - len(kept)
    at = next((number for number, line in enumerate(kept) if _tells_error(line)), None)
    if at is None:
        return Log(before="".join(kept), cut=cut)
    return Log(before="".join(kept[:at]), error=kept[at], after="".join(kept[at + 1 :]), cut=cut)


def _tells_error(line: str) -> bool:
    return _ERROR.search(line) is not None and _NO_ERROR.search(line) is None
