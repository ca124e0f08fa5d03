"""What a source is in plain words, in a line or fact by fact: as it is shown, and stored where that differs."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from encoder.dashboard.look import in_bytes, span
from encoder.model.media import AudioStream, Media, VideoStream

_CODECS = {
    "h264": "H.264", "hevc": "HEVC", "vp8": "VP8", "vp9": "VP9", "av1": "AV1", "mpeg2video": "MPEG-2",
    "prores": "ProRes",
    "aac": "AAC", "opus": "Opus", "mp3": "MP3", "ac3": "AC-3", "eac3": "E-AC-3", "flac": "FLAC",
}  # fmt: skip
_LIGHT = {"smpte2084": "HDR (PQ)", "arib-std-b67": "HDR (HLG)", "smpte428": "linear light"}
_LAYOUTS = {1: "mono", 2: "stereo"}
_GAMUTS = {
    "bt2020": "BT.2020",
    "smpte432": "Display P3",
    "smpte431": "DCI P3",
    "bt470bg": "BT.601",
    "smpte170m": "BT.601",
}
_USUAL_BITS = 8


def line(media: Media) -> str:
    """Its picture, its sound, how long and how large it is, between middle dots."""
    pictures = [stream for stream in media.video if not stream.attached_picture]
    facts = [", ".join(_at_a_glance(stream)) for stream in pictures[:1]]
    facts += (f"{_codec(sound)} {_layout(sound)}" for sound in media.audio[:1])
    if len(media.audio) > 1:
        facts.append(f"{len(media.audio)} tracks of sound")
    if media.subtitles:
        facts.append(f"{len(media.subtitles)} of subtitles")
    return " · ".join([*facts, span(media.duration_seconds), in_bytes(media.size_bytes)])


def _at_a_glance(stream: VideoStream) -> Iterator[str]:
    yield f"{stream.display_width_px}×{stream.display_height_px}"
    if stream.rotation_deg:
        yield f"turned {stream.rotation_deg}°"
    yield _codec(stream)
    yield from _light(stream)
    yield from _motion(stream)


def facts(media: Media) -> tuple[tuple[str, str], ...]:
    """Terms with what is to be said of each."""
    return tuple(_facts(media))


def _facts(media: Media) -> Iterator[tuple[str, str]]:
    yield "File", ", ".join(_file(media))
    pictures = [stream for stream in media.video if not stream.attached_picture]
    for number, stream in enumerate(pictures, 1):
        yield f"Picture {number}" if len(pictures) > 1 else "Picture", ", ".join(_picture(stream))
    for number, sound in enumerate(media.audio, 1):
        yield f"Sound {number}" if len(media.audio) > 1 else "Sound", ", ".join(_sound(sound))
    if not pictures:
        yield "Picture", "none"
    if not media.audio:
        yield "Sound", "none"
    if media.subtitles:
        told = (
            f"{each.codec or 'unknown'}{f' ({each.language})' if each.language else ''}" for each in media.subtitles
        )
        yield "Subtitles", ", ".join(told)


def _file(media: Media) -> Iterator[str]:
    yield media.format.split(",")[0]
    yield in_bytes(media.size_bytes)
    if media.duration_seconds is not None:
        yield span(media.duration_seconds)
    if media.bitrate_bps:
        yield _rate(media.bitrate_bps)
    if media.cut_short:
        yield "shorter than it says of itself"


def _picture(stream: VideoStream) -> Iterator[str]:
    shown = f"{stream.display_width_px}×{stream.display_height_px}"
    yield f"shown {shown}{_stored(stream)}" if _stored(stream) else shown
    profile = f" {stream.profile}" if stream.profile else ""
    yield f"{_codec(stream)}{profile}"
    yield from _light(stream)
    if stream.dolby_vision_profile is not None:
        yield f"Dolby Vision profile {stream.dolby_vision_profile}"
    if stream.color_primaries in _GAMUTS:
        yield f"colours of {_GAMUTS[stream.color_primaries]}"
    yield from _motion(stream)
    if stream.telecined or stream.pulled_down:
        yield "film on video"
    if stream.lead_frames:
        yield f"begins inside a group of pictures, {stream.lead_frames} frames lost"
    if stream.bitrate_bps:
        yield _rate(stream.bitrate_bps)


def _codec(stream: VideoStream | AudioStream) -> str:
    return _CODECS.get(stream.codec, stream.codec)


def _light(stream: VideoStream) -> Iterator[str]:
    if stream.bit_depth > _USUAL_BITS:
        yield f"{stream.bit_depth} bit"
    if stream.color_transfer in _LIGHT:
        yield _LIGHT[stream.color_transfer]


def _motion(stream: VideoStream) -> Iterator[str]:
    if rate := stream.median_rate or stream.average_rate:
        yield f"{_frames(rate)} fps{', variable' if stream.variable_rate else ''}"
    if stream.interlaced:
        yield "interlaced"


def _stored(stream: VideoStream) -> str:
    """How it lies in the file, where that is not as it is shown."""
    odd = []
    if (stream.coded_width, stream.coded_height) != (stream.display_width_px, stream.display_height_px):
        odd.append(f"stored {stream.coded_width}×{stream.coded_height}")
    if stream.rotation_deg:
        odd.append(f"turned {stream.rotation_deg}°")
    if stream.mirrored:
        odd.append("mirrored")
    if Fraction(stream.sample_aspect_ratio) != 1:
        odd.append(f"pixels {stream.sample_aspect_ratio.replace('/', ':')}")
    return f" ({', '.join(odd)})" if odd else ""


def _sound(sound: AudioStream) -> Iterator[str]:
    yield _codec(sound)
    yield _layout(sound)
    yield f"{sound.sample_rate_hz / 1000:g}\u202fkHz"
    if sound.language:
        yield sound.language
    if sound.bitrate_bps:
        yield _rate(sound.bitrate_bps)
    if not sound.decodable:
        yield "cannot be decoded"


def _layout(sound: AudioStream) -> str:
    return _LAYOUTS.get(sound.channels) or sound.layout or f"{sound.channels} channels"


def _frames(rate: str) -> str:
    return f"{float(Fraction(rate)):.2f}".rstrip("0").rstrip(".")


def _rate(bits: int) -> str:
    return f"{bits / 1e6:.3g}\u202fMbit/s" if bits >= 1_000_000 else f"{bits / 1e3:.3g}\u202fkbit/s"  # noqa: PLR2004
