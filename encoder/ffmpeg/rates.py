"""Frame rates: which one a source really has, which one its output gets, and where its keyframes lie."""

from __future__ import annotations

from fractions import Fraction

from encoder.model.media import VideoStream

FAMILY = tuple(Fraction(rate) for rate in ("24000/1001", "24", "25", "30000/1001", "30", "50", "60000/1001", "60"))
LOWEST, HIGHEST = Fraction(1), FAMILY[-1]
GOP_SECONDS = 2  # docs/why/encoding.md, "Packages"
PACE = 0.6  # of a film's frame: how far one may be from its even time, more than the field that pulldown makes of it
# how far above its measured rate an uneven source may still be taken for a family
_SLACK = Fraction(2, 100)


def source_rate(stream: VideoStream) -> Fraction | None:
    """Frames a second as recorded: by the median of the intervals, for a container may state any average.

    A Matroska of 30 frames a second said 1000.
    """
    return _fraction(stream.median_rate) or _fraction(stream.average_rate)


def output_rate(recorded: Fraction, *, even: bool) -> Fraction:
    """The constant rate of an output, not above the source's and not above 60.

    An even source keeps its rate, or half of it until that is at most 60, so that no frame is shown twice and none is
    lost at random. An uneven one gets the family's nearest; one slower than any family, whole frames a second. Nothing
    is slower than one a second.
    """
    rate = max(recorded, LOWEST)
    if even:
        while rate > HIGHEST:
            rate /= 2
        return rate.limit_denominator(1001)
    within = [member for member in FAMILY if member <= rate * (1 + _SLACK)]
    return min(within, key=lambda member: abs(member - rate), default=Fraction(round(rate)))


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
