"""What a walk over packets tells over time, in a bounded number of values."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

MOST_BINS = 2048
MOST_KEYS = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """Times of a file from its first moment on, told in bins of `bin_seconds`, of which `count` reach its end."""

    origin_seconds: float
    bin_seconds: float
    count: int

    @classmethod
    def over(cls, origin_seconds: float, end_seconds: float) -> Clock:
        """Bins of a second, or of two, four, … where those would be too many."""
        seconds, width = max(0.0, end_seconds - origin_seconds), 1.0
        while seconds / width > MOST_BINS:
            width *= 2
        return cls(origin_seconds=origin_seconds, bin_seconds=width, count=max(1, -int(-seconds // width)))


def bins(stamps: array[int], sizes: array[int], time_base: Fraction, clock: Clock) -> tuple[int, ...]:
    """The bytes of packets in each bin, by their times of presentation; those outside count in the first and last."""
    found = [0] * clock.count
    tick, last = float(time_base), clock.count - 1
    for stamp, size in zip(stamps, sizes, strict=True):
        place = int((stamp * tick - clock.origin_seconds) / clock.bin_seconds)
        found[min(max(place, 0), last)] += size
    return tuple(found)


def thinned(keys: Sequence[float]) -> tuple[float, ...]:
    """Every key, or every second, fourth, … where they would be too many; the first one always."""
    step = 1
    while len(keys) > MOST_KEYS * step:
        step *= 2
    return tuple(keys[::step])
