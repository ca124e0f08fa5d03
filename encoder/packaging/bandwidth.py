"""Peak and average bit rates as RFC 8216 has them (4.1, 4.3.4.2)."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

_SHORTEST, _LONGEST = Fraction(1, 2), Fraction(3, 2)  # of the target duration, for a stretch of segments that counts


class Span(NamedTuple):
    """What is fetched for some time of the presentation."""

    size_bytes: int
    seconds: Fraction


class Rates(NamedTuple):
    """Bits per second, rounded up: a promise that is kept."""

    peak_bps: int
    average_bps: int

    def plus(self, other: Rates | None) -> Rates:
        return self if other is None else Rates(self.peak_bps + other.peak_bps, self.average_bps + other.average_bps)


def rates(spans: Sequence[Span]) -> Rates:
    """Peak: of each stretch of segments that lasts 0.5 to 1.5 times the target duration; average: of all."""
    target = target_seconds(spans)
    stretches = [stretch for first in range(len(spans)) for stretch in _stretches(spans[first:], target)]
    average = _rate(sum(span.size_bytes for span in spans), sum((span.seconds for span in spans), Fraction(0)))
    return Rates(peak_bps=max([*stretches, average]), average_bps=average)


def target_seconds(spans: Sequence[Span]) -> int:
    """EXT-X-TARGETDURATION: no segment, rounded to the nearest second, is longer."""
    return max((int(span.seconds + Fraction(1, 2)) for span in spans), default=0) or 1


def _stretches(spans: Sequence[Span], target: int) -> list[int]:
    found, size, seconds = [], 0, Fraction(0)
    for span in spans:
        size, seconds = size + span.size_bytes, seconds + span.seconds
        if seconds > _LONGEST * target:
            break
        if seconds >= _SHORTEST * target:
            found.append(_rate(size, seconds))
    return found


def _rate(size: int, seconds: Fraction) -> int:
    return -(-size * 8 // seconds) if seconds > 0 else 0
