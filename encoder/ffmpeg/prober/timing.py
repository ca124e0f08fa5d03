"""What the time stamps of a stream say of its rate. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from encoder.ffmpeg.rates import PACE

_FAMILY = tuple(
    Fraction(rate)
    for rate in ("24000/1001", "24", "25", "30000/1001", "30", "48", "50", "60000/1001", "60", "100", "120")
)
_SNAP = Fraction(1, 200)  # further off a family's rate than this, a rate is its own
_LARGEST_DENOMINATOR = 1001

_EVEN_SECONDS = Fraction(2, 1000)  # time stamps in milliseconds are off by one each way
_EVEN_SHARE = Fraction(1, 10)
_UNEVEN_SHARE = Fraction(3, 100)  # a frame dropped here and there makes no variable rate

# the rate of video → of films that are brought to it so
_FILMS = {
    Fraction(30000, 1001): (Fraction(24000, 1001),),
    Fraction(30): (Fraction(24),),
    Fraction(25): (Fraction(24), Fraction(24000, 1001)),
}
_FEWEST_STEPS, _FEW_STEPS = 8, 2  # fewer tell no pattern
_JUMPS_SHARE = 0.01  # frames that are missing, or some video in a film


@dataclass(frozen=True, slots=True, kw_only=True)
class Cadence:
    """How the frames of a stream follow each other. None: too few to tell."""

    rate: Fraction | None = None  # of the ordinary interval; of a film that is pulled down its own
    step_seconds: Fraction | None = None  # the ordinary interval
    variable: bool = False
    pulled_down: bool = False  # a film whose frames are shown for two fields and for three, within a field of its time


def cadence(stamps: Iterable[int], time_base: Fraction) -> Cadence:
    """From presentation times in any order; equal ones count once.

    The rate is the mean of all intervals that are like the median: that levels out what a coarse time base rounded
    (33, 33, 34 ms). A variable rate has more than three in a hundred that are not.

    Frames of two and of three fields are a film that flags bring to the rate of video (soft telecine), where they keep
    pace with it. Else they are film and video in turn, and have the rate of the video.
    """
    shown = sorted(set(stamps))
    steps = [later - earlier for earlier, later in pairwise(shown)]
    if not steps:
        return Cadence()
    short = _two_fields(steps, time_base)
    if short is not None:
        video = _snapped(1 / (short * time_base))
        film = _film(shown, video, time_base)
        return Cadence(
            rate=film or video, step_seconds=short * time_base, variable=film is None, pulled_down=film is not None
        )
    median = statistics.median_low(steps)
    slack = max(_EVEN_SECONDS / time_base, median * _EVEN_SHARE)
    ordinary = [step for step in steps if abs(step - median) <= slack]
    return Cadence(
        rate=_snapped(len(ordinary) / (sum(ordinary) * time_base)),
        step_seconds=median * time_base,
        variable=len(steps) - len(ordinary) > max(1, int(len(steps) * _UNEVEN_SHARE)),
    )


def _snapped(rate: Fraction) -> Fraction:
    nearest = min(_FAMILY, key=lambda known: abs(known - rate))
    near = abs(nearest - rate) <= nearest * _SNAP
    return nearest if near else rate.limit_denominator(_LARGEST_DENOMINATOR)


def _two_fields(steps: Sequence[int], time_base: Fraction) -> Fraction | None:
    """How long two fields last, where nearly all frames last two or three; None: they do not."""
    median, slack = statistics.median_low(steps), _EVEN_SECONDS / time_base
    for two in (Fraction(median), Fraction(median * 2, 3)):
        short = [step for step in steps if abs(step - two) <= slack]
        longer = [step for step in steps if abs(step - two * 3 / 2) <= slack]
        told, few = len(short) + len(longer), max(_FEW_STEPS, int(len(steps) * _UNEVEN_SHARE))
        if told >= _FEWEST_STEPS and len(steps) - told <= few < min(len(short), len(longer)):
            # by all their fields: a coarse time base is levelled out
            return Fraction(2 * (sum(short) + sum(longer)), 2 * told + len(longer))
    return None


def _film(shown: Sequence[int], video: Fraction, time_base: Fraction) -> Fraction | None:
    """The rate of the film on such video, if its frames keep pace with it."""
    jumps = {rate: _jumps(shown, float(1 / (rate * time_base))) for rate in _FILMS.get(video, ())}
    return next((rate for rate, count in jumps.items() if count <= max(1.0, len(shown) * _JUMPS_SHARE)), None)


def _jumps(shown: Sequence[int], step: float) -> int:
    """How often frames that are a step apart lose pace with their times: just as they are evened (`graph`)."""
    count, even = 0, float(shown[0])
    for stamp in shown[1:]:
        even += step
        if abs(stamp - even) >= step * PACE:
            count, even = count + 1, float(stamp)
    return count
