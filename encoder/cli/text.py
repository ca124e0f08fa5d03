"""Numbers and foreign text as a person reads them on a terminal."""

from __future__ import annotations

import re

# C0 and C1 controls, the marks that turn the direction of text or hide in it, and halves of characters, which no
# terminal can be sent: they can rewrite what stands there, or end us.
_HOSTILE = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)
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


def ago(seconds: float) -> str:
    """`12 s`, `6 min`, `3 h`, `2 d`: an age in a list. The clocks of two machines may differ: never below zero."""
    seconds = max(0.0, seconds)
    for most, unit_s, unit in ((60, 1, "s"), (3600, 60, "min"), (86400, 3600, "h")):
        if seconds < most:
            return f"{int(seconds // unit_s)} {unit}"
    return f"{int(seconds // 86400)} d"


def rate(bits_per_second: float | None) -> str:
    return "–" if bits_per_second is None else size(bits_per_second).removesuffix("B") + "bit/s"


def percent(share: float | None) -> str:
    return "–" if share is None else f"{share:.0%}"


def left(seconds: float) -> str:
    """How long it may still take, which nobody knows to a tenth: `21 s left`, `3:07 left`."""
    return f"{duration(max(1, round(seconds)))} left"


def frames(per_second: float) -> str:
    """`0.57 fps`, `23.9 fps`, `1250 fps`."""
    return f"{per_second:.3g} fps" if per_second < 1000 else f"{per_second:.0f} fps"  # noqa: PLR2004  # beyond, 1e+03


def times(speed: float) -> str:
    """How much faster than it plays: `4.1×`, `0.02×`."""
    return f"{speed:.1f}×" if speed >= 0.1 else f"{speed:.1g}×"  # noqa: PLR2004  # below, there is no digit left


def count(number: int, noun: str) -> str:
    """`1 check`, `31 checks`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
