"""What the time stamps of a stream say of its rate. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import pairwise

_FAMILY = tuple(
    Fraction(rate)
    for rate in ("24000/1001", "24", "25", "30000/1001", "30", "48", "50", "60000/1001", "60", "100", "120")
)
_SNAP = Fraction(1, 200)  # further off a family's rate than this, a rate is its own
_LARGEST_DENOMINATOR = 1001

_EVEN_SECONDS = Fraction(2, 1000)  # time stamps in milliseconds are off by one each way
_EVEN_SHARE = Fraction(1, 10)
_UNEVEN_SHARE = Fraction(3, 100)  # a frame dropped here and there makes no variable rate


def intervals(stamps: Iterable[int], time_base: Fraction) -> list[Fraction]:
    """Seconds between neighbours in order of presentation; equal stamps make none."""
    return [(later - earlier) * time_base for earlier, later in pairwise(sorted(set(stamps)))]


def median_rate(steps: Sequence[Fraction]) -> Fraction | None:
    """Frames a second of the ordinary interval.

    The mean of all that are like the median: it levels out what a coarse time base rounded (33, 33, 34 ms).
    """
    if not steps:
        return None
    ordinary = _ordinary(steps)
    return _snapped(len(ordinary) / sum(ordinary, Fraction(0)))


def is_variable(steps: Sequence[Fraction]) -> bool:
    """Whether more than three intervals in a hundred are not like the median."""
    return bool(steps) and len(steps) - len(_ordinary(steps)) > len(steps) * _UNEVEN_SHARE


def _ordinary(steps: Sequence[Fraction]) -> list[Fraction]:
    median = statistics.median_low(steps)
    slack = max(_EVEN_SECONDS, median * _EVEN_SHARE)
    return [step for step in steps if abs(step - median) <= slack]


def _snapped(rate: Fraction) -> Fraction:
    nearest = min(_FAMILY, key=lambda known: abs(known - rate))
    near = abs(nearest - rate) <= nearest * _SNAP
    return nearest if near else rate.limit_denominator(_LARGEST_DENOMINATOR)
