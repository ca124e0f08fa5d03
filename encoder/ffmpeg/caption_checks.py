"""Check `captions`: each track of subtitles says what it should, when it should. Pure."""

from __future__ import annotations

from encoder.ffmpeg import looks, markup
from encoder.ffmpeg.captions import Captions
from encoder.ffmpeg.evidence import Evidence
from encoder.ffmpeg.looks import Facts
from encoder.model.proof import Check

_CLOCK_MS = 10  # ASS counts in hundredths


def captions(seen: Evidence) -> Check | None:
    """As many captions as were written, each at its time, with its letters; none after the end."""
    if not seen.plan.subtitles:
        return None
    expected: Facts = {}
    measured: Facts = {}
    faults: list[str] = []
    for place, (wanted, found) in enumerate(seen.captions):
        expected |= looks.numbered(_told(wanted), place)
        measured |= looks.numbered(_told(found), place)
        fault = _fault(wanted, found, seen.plan.duration_seconds)
        faults += [*looks.numbered({fault: None}, place)] if fault else []
    if len(seen.captions) != len(seen.plan.subtitles):
        faults = ["captions"]
    return Check(
        name="captions",
        passed=not faults,
        expected=expected,
        measured=measured,
        limit={"milliseconds": _CLOCK_MS},
        fault=next(iter(faults), None),
    )


def _told(track: Captions) -> Facts:
    return {
        "captions": len(track.listed),
        "startMilliseconds": min((each.start_ms for each in track.listed), default=None),
        "endMilliseconds": max((each.end_ms for each in track.listed), default=None),
    }


def _fault(wanted: Captions, found: Captions, duration_seconds: float | None) -> str | None:
    if len(wanted.listed) != len(found.listed):
        return "captions"
    pairs = list(zip(wanted.listed, found.listed, strict=True))
    if not all(_near(one.start_ms, other.start_ms) and _near(one.end_ms, other.end_ms) for one, other in pairs):
        return "times"
    last = max((each.end_ms for each in found.listed), default=0)
    if duration_seconds is not None and last > duration_seconds * 1000 + _CLOCK_MS:
        return "end"
    return None if markup.letters(wanted) == markup.letters(found) else "text"


def _near(one: int, other: int) -> bool:
    return abs(one - other) <= _CLOCK_MS
