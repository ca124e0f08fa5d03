"""Frame rates: which one a source really has, which one its output gets, and where its keyframes lie."""

from __future__ import annotations

from fractions import Fraction

from encoder.model.media import VideoStream

FAMILY = tuple(Fraction(rate) for rate in ("24000/1001", "24", "25", "30000/1001", "30", "50", "60000/1001", "60"))
HIGHEST = FAMILY[-1]
GOP_SECONDS = 2  # docs/encoding.md, "Ladder and grid"
# FLV, Matroska and WebM count in milliseconds: 33 ms is 30.3 frames a second and means 30
_CLOCK_ERROR = Fraction(2, 100)


def source_rate(stream: VideoStream) -> Fraction | None:
    """Frames a second as recorded.

    The average is exact where the frames are even and agree with it; a container may state any number as its average
    (a Matroska of 30 frames a second said 1000), so the median of the intervals has the last word.
    """
    average, median = _fraction(stream.average_rate), _fraction(stream.median_rate)
    if median is None or average is None:
        return median or average
    agree = abs(average - median) <= median * _CLOCK_ERROR
    return average if agree and not stream.variable_rate else median


def output_rate(recorded: Fraction, *, even: bool) -> Fraction:
    """The constant rate of an output: the family's nearest, not above the source's and not above 60.

    `even`: the frames come at one distance. Their rate is kept when it is of no family (15, 12.5, 48), or halved until
    it is at most 60, so that no frame is shown twice and none is lost at random.
    """
    rate = recorded
    while even and rate > HIGHEST * (1 + _CLOCK_ERROR):
        rate /= 2
    nearest = min(FAMILY, key=lambda member: abs(member - rate))
    if abs(nearest - rate) <= rate * _CLOCK_ERROR:
        return nearest
    if even:
        return rate.limit_denominator(1001)
    below = [member for member in FAMILY if member <= rate]
    return below[-1] if below else Fraction(max(1, round(rate)))


def asked_rate(fps: float) -> Fraction:
    """The exact rate that a caller means: 29.97 is 30000/1001."""
    nearest = min(FAMILY, key=lambda member: abs(member - Fraction(fps)))
    if abs(nearest - Fraction(fps)) < Fraction(1, 200):
        return nearest
    return Fraction(fps).limit_denominator(1001)


def gop_frames(rate: Fraction) -> int:
    """Whole frames of one GOP: 48, 50, 60, 100 or 120 in the families, about two seconds elsewhere."""
    return max(1, round(GOP_SECONDS * round(rate) if rate.denominator == 1001 else GOP_SECONDS * rate))  # noqa: PLR2004  # the NTSC denominator


def _fraction(text: str | None) -> Fraction | None:
    if text is None:
        return None
    try:
        rate = Fraction(text)
    except (ValueError, ZeroDivisionError):
        return None
    return rate if rate > 0 else None
