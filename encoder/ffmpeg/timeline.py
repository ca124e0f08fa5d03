"""Which part of the source an output shows, in times that count from the source's first moment."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

from encoder import errors
from encoder.model.job import Clip
from encoder.model.media import Media

# formats that can be entered in the middle; the others (MPEG-TS with one keyframe gave no frame at all) are read whole
_INDEXED = ("mov", "mp4", "matroska", "webm")
# formats that keep frames in decoding order and their times of presentation to themselves
_UNTIMED = ("avi", "mpeg", "h264", "hevc", "mpegvideo", "m4v")
_LEAD_SECONDS = 2
_LEAD_SECONDS_UNEVEN = 10  # more than the longest gap between frames, or the frame on show at the cut is missed

_BEYOND_SECONDS = 1  # what a caller who read a rounded duration may be off


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """From `start` to `end` seconds of the presented source; decoding begins at `seek`."""

    origin: float  # the file's own first time stamp, which ffmpeg subtracts
    clipped: bool = False
    start: Fraction = Fraction(0)
    end: Fraction | None = None  # None: to the end
    seek: Fraction = Fraction(0)

    def start_of(self, stream_start: float) -> float:
        """When a stream that begins at `stream_start` (as stored) begins in the output."""
        return max(0.0, stream_start - self.origin - float(self.start))

    def length_of(self, stream_start: float, duration: float | None) -> float | None:
        """How much of such a stream the output holds."""
        begin = max(float(self.start), stream_start - self.origin)
        ends = [float(self.end)] if self.end is not None else []
        if duration is not None:
            ends.append(stream_start - self.origin + duration)
        return max(0.0, min(ends) - begin) if ends else None


def span(media: Media, clip: Clip | None, rate: Fraction | None, *, lead_seconds: int = 0) -> Span:
    """The span of an output, its ends on frames of the output's `rate`. `lead_seconds`: how much of the source before
    it must be read at least.

    Raises:
        errors.Permanent: `invalid_range`, the clip begins after the source's end or holds no frame.
    """
    if clip is None:
        return Span(origin=media.start_seconds)
    length = media.duration_seconds
    if length is not None and clip.start >= length:
        raise errors.Permanent("invalid_range", f"The clip begins at {clip.start:g} s, the source ends at {length:g}.")
    start = _snapped(clip.start, rate)
    if length is not None and clip.end is not None and clip.end > length + _BEYOND_SECONDS:
        raise errors.Permanent("invalid_range", f"The clip ends at {clip.end:g} s, the source at {length:g} s.")
    end = None if clip.end is None or (length is not None and clip.end >= length) else _snapped(clip.end, rate)
    if end is not None and end <= start:
        raise errors.Permanent("invalid_range", "The clip is shorter than one frame.")
    return Span(
        origin=media.start_seconds, clipped=True, start=start, end=end, seek=seek(media, start, rate, lead_seconds)
    )


def entered_at_start(whole: Span) -> Span:
    """For a copy: ffmpeg goes to the keyframe before by itself, and tells the edit list what not to show."""
    return replace(whole, seek=whole.start)


def has_index(media: Media) -> bool:
    """Whether the source can be entered in its middle."""
    return any(name in _INDEXED for name in media.format.split(","))


def states_times(media: Media) -> bool:
    """Whether the source says when each of its frames is shown."""
    return media.format not in _UNTIMED


def _snapped(seconds: float, rate: Fraction | None) -> Fraction:
    grain = rate or Fraction(1000)
    return round(Fraction(seconds) * grain) / grain


def seek(media: Media, start: Fraction, rate: Fraction | None, lead_seconds: int = 0) -> Fraction:
    """Where decoding begins for what is shown from `start` on."""
    if not has_index(media):
        return Fraction(0)
    uneven = any(stream.variable_rate for stream in media.video)
    lead = _LEAD_SECONDS_UNEVEN if uneven else _LEAD_SECONDS
    return max(Fraction(0), start - _snapped(max(lead, lead_seconds), rate))
