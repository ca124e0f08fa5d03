"""Which frames of a source an output shows, at which constant rate, and how many those are."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from encoder import errors
from encoder.ffmpeg import rates
from encoder.ffmpeg.timeline import Span
from encoder.model.job import OutputSpec
from encoder.model.media import VideoStream

_FIELDS_KEPT_LINES = 720
_FILM_SHARE = Fraction(4, 5)  # of the frames that 2:3 pulldown makes


@dataclass(frozen=True, slots=True, kw_only=True)
class Frames:
    """Which frames of the source an output shows, and at which rate."""

    stream: VideoStream
    span: Span
    rate: Fraction
    deinterlace: str | None = None  # bwdif's mode
    telecine: str | None = None  # field order of a film on video
    gop: int | None = None  # of a package: keyframes on a grid of so many frames from 0 on

    @property
    def start_seconds(self) -> float:
        """When the first frame is shown, in the output's time."""
        return 0.0 if self.gop else self.late_seconds

    @property
    def late_seconds(self) -> float:
        """How much later than the output's zero the picture of the source begins."""
        return self.span.start_of(self.stream.start_seconds)

    @property
    def end_frame(self) -> int | None:
        """The first frame after the picture, from the source's first moment on; None where its end is not known."""
        if self.stream.duration_seconds is None:
            return None
        end = self.stream.start_seconds - self.span.origin + self.stream.duration_seconds
        return round(Fraction(end) * self.rate)

    @property
    def slack_frames(self) -> int:
        """How many frames the picture may really have more or less."""
        if self.stream.duration_seconds is None:
            return 0
        return 1 if self.stream.frames is not None else _loose(self.stream.duration_seconds, self.rate)


def shown(frames: Frames) -> Frames:
    """These frames, of which there must be some.

    Raises:
        errors.Permanent: `invalid_range`, the clip has none of the picture.
    """
    stream, span = frames.stream, frames.span
    length = span.length_of(stream.start_seconds, stream.duration_seconds)
    if span.clipped and length is not None and round(Fraction(length) * frames.rate) < 1:
        begin = stream.start_seconds - span.origin
        until = "" if stream.duration_seconds is None else f" to {begin + stream.duration_seconds:.6g}"
        clip = f"{float(span.start):.6g} s {'on' if span.end is None else f'to {float(span.end):.6g}'}"
        told = f"The picture goes from {begin:.6g} s{until}: the clip, in whole frames from {clip}, shows none of it."
        raise errors.Permanent("invalid_range", told)
    return frames


def deinterlacing(stream: VideoStream, spec: OutputSpec, height_px: int) -> str | None:
    """bwdif's mode: one frame per field where the lines are kept high enough, else one per frame; None: as it is."""
    wanted = stream.interlaced if spec.deinterlace is None else spec.deinterlace
    if not wanted or telecine(stream, spec):
        return None
    if stream.pulled_down:
        return "send_frame"  # fields of different frames do not lie evenly
    return "send_field" if height_px >= _FIELDS_KEPT_LINES else "send_frame"


def telecine(stream: VideoStream, spec: OutputSpec) -> str | None:
    """The field order of a film on video, whose own frames are put together again; None: there is none, or it stays."""
    if not stream.telecined or spec.deinterlace is False:
        return None
    return "bff" if stream.field_order == "bb" else "tff"


def frame_rate(stream: VideoStream, spec: OutputSpec, deinterlace: str | None) -> Fraction:
    """The constant frame rate of the output.

    Raises:
        errors.Permanent: `unsupported_format`, the source has no frame rate at all.
    """
    if spec.fps is not None:
        return rates.asked_rate(spec.fps)
    recorded = rates.source_rate(stream)
    if recorded is None:
        raise errors.Permanent("unsupported_format", "The frames of the source have no times.")
    if telecine(stream, spec):
        recorded *= _FILM_SHARE
    fields = 2 if deinterlace == "send_field" else 1
    return rates.output_rate(recorded * fields, even=not stream.variable_rate)


def count(frames: Frames) -> tuple[int | None, int]:
    """How many frames the output will have, and how far a good result may be from that."""
    stream, span, rate = frames.stream, frames.span, frames.rate
    duration = span.length_of(stream.start_seconds, stream.duration_seconds)
    if duration is None:
        return None, 0
    made = round(Fraction(duration + frames.late_seconds - frames.start_seconds) * rate)
    if span.end is not None and made == (span.end - span.start) * rate:
        return made, 0  # cut out of the middle: nothing about it is a guess
    return made, 1 if stream.frames is not None else _loose(duration, rate)


def cut_count(frames: Frames) -> tuple[int | None, int]:
    """As `count`, of a copied clip: its frames lie where they were recorded, on no grid of ours."""
    duration = frames.span.length_of(frames.stream.start_seconds, frames.stream.duration_seconds)
    return (None, 0) if duration is None else (round(Fraction(duration) * frames.rate), 1)


def _loose(duration: float, rate: Fraction) -> int:
    """The slack of a source whose length is only estimated: what would still not count as truncated."""
    return int(max(1.0, duration / 100) * rate)
