"""What the time stamps of a stream say of its rate. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Iterable
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Cadence:
    """How the frames of a stream follow each other. None: too few to tell."""

    rate: Fraction | None = None  # of the ordinary interval
    step_seconds: Fraction | None = None  # the ordinary interval
    variable: bool = False


def cadence(stamps: Iterable[int], time_base: Fraction) -> Cadence:
    """From presentation times in any order; equal ones count once.

    The rate is the mean of all intervals that are like the median: that levels out what a coarse time base rounded
    (33, 33, 34 ms). A variable rate has more than three in a hundred that are not.
    """
    steps = [later - earlier for earlier, later in pairwise(sorted(set(stamps)))]
    if not steps:
        return Cadence()
    median = statistics.median_low(steps)
    slack = max(_EVEN_SECONDS / time_base, median * _EVEN_SHARE)
    ordinary = [step for step in steps if abs(step - median) <= slack]
    return Cadence(
        rate=_snapped(len(ordinary) / (sum(ordinary) * time_base)),
        step_seconds=median * time_base,
        variable=len(steps) - len(ordinary) > len(steps) * _UNEVEN_SHARE,
    )


def _snapped(rate: Fraction) -> Fraction:
    nearest = min(_FAMILY, key=lambda known: abs(known - rate))
    near = abs(nearest - rate) <= nearest * _SNAP
    return nearest if near else rate.limit_denominator(_LARGEST_DENOMINATOR)
