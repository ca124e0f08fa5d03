"""A stream as a record: what the container says, corrected by what was walked and looked at."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

from av.audio.stream import AudioStream
from av.stream import Disposition, Stream
from av.video.stream import VideoStream

from encoder.ffmpeg.prober import names
from encoder.ffmpeg.prober.look import AudioLook, VideoLook
from encoder.ffmpeg.prober.walk import Track
from encoder.model.media import AudioStream as AudioFacts
from encoder.model.media import OtherStream
from encoder.model.media import SubtitleStream as SubtitleFacts
from encoder.model.media import VideoStream as VideoFacts

_SAME_AS_SQUARE = Fraction(1, 500)
_WIDEST_PIXEL = 10
_FILM_ON_VIDEO = Fraction(30000, 1001)  # the rate to which 2:3 pulldown brings a film
_VPX = ("vp8", "vp9")
_NO_LEVEL = -99
_NO_LANGUAGE = "und"
_LANGUAGE = re.compile(r"[A-Za-z0-9]{1,8}(-[A-Za-z0-9]{1,8}){0,4}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What is presented of a stream. Frames of video only."""

    start_seconds: float
    duration_seconds: float | None
    lost_seconds: float = 0.0  # of that, what a file that was cut short has not
    frames: int | None = None
    lead_frames: int = 0


def video(stream: VideoStream, track: Track, look: VideoLook, shown: Shown, dolby_vision: int | None) -> VideoFacts:
    context, first = stream.codec_context, look.first
    form = (first.format if first else None) or context.format
    rate = track.cadence.rate
    # of what has no times (raw H.264, one frame) the codec's own word counts: a raw demuxer calls all 25
    average = stream.average_rate if rate else context.framerate or stream.average_rate
    telecined = look.telecined and rate == _FILM_ON_VIDEO and not track.cadence.variable
    interlaced = look.interlaced and not telecined
    return VideoFacts(
        index=stream.index,
        default=_is_default(stream),
        language=_language(stream),
        codec=codec_name(stream),
        profile=context.profile,
        level=None if context.level == _NO_LEVEL else context.level,
        codec_tag=_tag(context.codec_tag),
        pixel_format=form.name if form else "unknown",
        bit_depth=form.components[0].bits if form else 8,
        coded_width=context.width,
        coded_height=context.height,
        sample_aspect_ratio=sane_aspect(stream.sample_aspect_ratio),
        rotation_deg=look.turn_deg,
        mirrored=look.mirrored,
        average_rate=_ratio(average) if average else None,
        median_rate=_ratio(rate) if rate else None,
        variable_rate=track.cadence.variable,
        interlaced=interlaced,
        telecined=telecined,
        pulled_down=track.cadence.pulled_down,
        field_order=look.field_order if interlaced or telecined else None,
        color_range=_named(names.RANGES, first.color_range if first else None, context.color_range),
        color_primaries=_named(names.PRIMARIES, first.color_primaries if first else None, context.color_primaries),
        color_transfer=_named(names.TRANSFERS, first.color_trc if first else None, context.color_trc),
        color_matrix=_named(names.MATRICES, first.colorspace if first else None, context.colorspace),
        alpha_beside=_has_alpha_beside(stream),
        hdr_side_data=look.hdr_side_data,
        hdr_peak_nits=look.hdr_peak_nits,
        dolby_vision_profile=dolby_vision,
        lead_frames=shown.lead_frames,
        start_seconds=shown.start_seconds,
        duration_seconds=shown.duration_seconds,
        lost_seconds=shown.lost_seconds,
        frames=shown.frames,
        bitrate_bps=_bitrate(stream.bit_rate, track, shown),
        attached_picture=is_attached(stream),
    )


def audio(stream: AudioStream, track: Track, look: AudioLook | None, shown: Shown) -> AudioFacts:
    context = stream.codec_context if look else None
    return AudioFacts(
        index=stream.index,
        default=_is_default(stream),
        language=_language(stream),
        codec=codec_name(stream),
        profile=context.profile if context else None,
        channels=context.channels if context else 0,
        layout=context.layout.name if context else None,
        sample_rate_hz=context.sample_rate if context else 0,
        start_seconds=shown.start_seconds,
        duration_seconds=shown.duration_seconds,
        lost_seconds=shown.lost_seconds,
        bitrate_bps=_bitrate(context.bit_rate if context else None, track, shown),
        decodable=look is not None and look.start_seconds is not None,
        begins_damaged=look is not None and look.begins_damaged,
    )


def subtitles(stream: Stream) -> SubtitleFacts:
    return SubtitleFacts(
        index=stream.index,
        codec=codec_name(stream) or None,
        default=_is_default(stream),
        forced=bool(stream.disposition & Disposition.forced),
        language=_language(stream),
    )


def other(stream: Stream) -> OtherStream:
    return OtherStream(
        index=stream.index, type=stream.type, codec=codec_name(stream) or None, language=_language(stream)
    )


def codec_name(stream: Stream) -> str:
    """ffmpeg's name of the codec, whichever decoder reads it; empty if none does."""
    context = getattr(stream, "codec_context", None)
    return context.codec.canonical_name if context else ""


def is_attached(stream: Stream) -> bool:
    return bool(stream.disposition & Disposition.attached_pic)


def sane_aspect(ratio: Fraction | None) -> str:
    """`ratio` as text; 1/1 if it is absent, absurd, or a rounding error away from square."""
    if not ratio or not Fraction(1, _WIDEST_PIXEL) <= ratio <= _WIDEST_PIXEL or abs(ratio - 1) < _SAME_AS_SQUARE:
        return "1/1"
    return _ratio(ratio)


def _has_alpha_beside(stream: VideoStream) -> bool:
    """As Matroska's AlphaMode says; ffmpeg's own files say it in a tag too, in capitals."""
    told = {name.lower(): value for name, value in stream.metadata.items()}
    return codec_name(stream) in _VPX and told.get("alpha_mode") == "1"


def _is_default(stream: Stream) -> bool:
    return bool(stream.disposition & Disposition.default)


def _language(stream: Stream) -> str | None:
    """A language tag; the file may say anything there."""
    language = stream.language or ""
    known = _LANGUAGE.fullmatch(language) and language != _NO_LANGUAGE
    return language if known else None


def _tag(text: str) -> str | None:
    """Four characters; formats without tags have zeros or numbers there."""
    return text if len(text) == len("avc1") and text.isascii() and text.isprintable() else None


def _named(table: dict[int, str], *candidates: int | None) -> str | None:
    """The first that has a name: what the frame says before what the container says."""
    return next((table[number] for number in candidates if number in table), None)


def _ratio(value: Fraction) -> str:
    return f"{value.numerator}/{value.denominator}"


def _bitrate(declared: int | None, track: Track, shown: Shown) -> int | None:
    if declared or not shown.duration_seconds:
        return declared or None
    return round(track.size_bytes * 8 / shown.duration_seconds)
