"""What a source is, in a line: as it is shown, not as it is stored."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from encoder.dashboard.look import in_bytes, span
from encoder.model.media import AudioStream, Media, VideoStream

_NAMES = {"h264": "H.264", "hevc": "HEVC", "vp9": "VP9", "av1": "AV1", "aac": "AAC", "opus": "Opus", "mp3": "MP3"}
_HDR = {"smpte2084": "HDR (PQ)", "arib-std-b67": "HDR (HLG)"}
_LAYOUTS = {1: "mono", 2: "stereo"}


def line(media: Media) -> str:
    """Its picture, its sound, how long and how large it is, between middle dots."""
    pictures = [stream for stream in media.video if not stream.attached_picture]
    facts = [*(_video(stream) for stream in pictures[:1]), *(_audio(stream) for stream in media.audio[:1])]
    if len(media.audio) > 1:
        facts.append(f"{len(media.audio)} tracks of sound")
    if media.subtitles:
        facts.append(f"{len(media.subtitles)} of subtitles")
    return " · ".join([*facts, span(media.duration_seconds), in_bytes(media.size_bytes)])


def _video(stream: VideoStream) -> str:
    return ", ".join(_picture(stream))


def _picture(stream: VideoStream) -> Iterator[str]:
    yield f"{stream.display_width_px}×{stream.display_height_px}"
    if stream.rotation_deg:
        yield f"turned {stream.rotation_deg}°"
    yield _NAMES.get(stream.codec, stream.codec)
    if stream.bit_depth > 8:  # noqa: PLR2004  # what is usual
        yield f"{stream.bit_depth} bit"
    if stream.color_transfer in _HDR:
        yield _HDR[stream.color_transfer]
    if stream.median_rate:
        yield f"{float(Fraction(stream.median_rate)):.4g} fps{', variable' if stream.variable_rate else ''}"
    if stream.interlaced:
        yield "interlaced"


def _audio(stream: AudioStream) -> str:
    return (
        f"{_NAMES.get(stream.codec, stream.codec)} {_LAYOUTS.get(stream.channels) or stream.layout or stream.channels}"
    )
