"""Numbers and foreign text as a person reads them on a terminal."""

from __future__ import annotations

import re

# C0 and C1 controls, and the marks that turn the direction of text: they can rewrite what stands on a terminal.
_HOSTILE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
_UNITS = ("B", "kB", "MB", "GB", "TB")


def clean(text: object) -> str:
    """`text` on one line, without anything that a terminal would obey. All that comes from outside passes here."""
    return _HOSTILE.sub("·", str(text))


def size(size_bytes: float | None) -> str:
    if size_bytes is None:
        return "–"
    for unit in _UNITS[:-1]:
        if size_bytes < 999.5:  # noqa: PLR2004  # rounds to four digits
            return f"{size_bytes:.3g} {unit}"
        size_bytes /= 1000
    return f"{size_bytes:.3g} {_UNITS[-1]}"


def duration(seconds: float | None) -> str:
    """`0.42 s`, `41.3 s`, `3:07`, `1:02:03`."""
    if seconds is None:
        return "–"
    if seconds < 60:  # noqa: PLR2004  # a minute
        return f"{seconds:.3g} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def rate(bits_per_second: float | None) -> str:
    return "–" if bits_per_second is None else size(bits_per_second).removesuffix("B") + "bit/s"


def percent(share: float | None) -> str:
    return "–" if share is None else f"{share:.0%}"


def count(number: int, noun: str) -> str:
    """`1 check`, `31 checks`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
