"""What an output is made into, in a sentence: from what was asked alone, before anybody has seen a source."""

from __future__ import annotations

from collections.abc import Iterator

from encoder.ffmpeg import codecs, containers
from encoder.ffmpeg.presets import Members, merge, whole
from encoder.model.job import OutputSpec, Rendition, Thumbnails

_MEGA = 1_000_000
_CODECS = {
    "h264": "H.264", "hevc": "HEVC", "vp9": "VP9", "av1": "AV1", "aac": "AAC", "opus": "Opus", "mp3": "MP3",
    "flac": "FLAC", "vorbis": "Vorbis", "ac3": "AC-3", "eac3": "E-AC-3", "alac": "ALAC",
    codecs.TOGGLE: "HEVC of H.264, H.264 of any other",
}  # fmt: skip  # as people write them; others by their names
_CONTAINERS = {
    "mov": "QuickTime", "webm": "WebM", "mkv": "Matroska", "mpegts": "MPEG-TS", "dash": "MPEG-DASH",
    "cmaf": "HLS and MPEG-DASH of one set of files", "ogg": "Ogg", "opus": "Ogg Opus", "jpg": "JPEG", "webp": "WebP",
}  # fmt: skip  # others in capitals


def of_preset(members: Members) -> str:
    """What a preset makes by itself: "MP4: H.264 by libx264, CRF 23, preset medium; AAC at 128 kbit/s"."""
    return of(merge({}, whole(members)))


def of(asked: OutputSpec) -> str:
    """What an output is made into."""
    if containers.CONTAINERS[asked.container].images:
        told = ", ".join([*_moments(asked.thumbnails), *_shape(asked)])
    else:
        told = "; ".join(filter(None, (_picture(asked), _sound(asked))))
    name = _CONTAINERS.get(asked.container, asked.container.upper())
    return f"{name}: {told}" if told else name


def _picture(asked: OutputSpec) -> str:
    if asked.video_codec == codecs.NONE:
        return "no picture"
    rungs = f"in {' · '.join(map(_rung, asked.renditions))}" if asked.renditions else ""
    return ", ".join(filter(None, (_video(asked.video_codec), *_bits(asked), *_shape(asked), rungs)))


def _video(codec: str | None) -> str:
    encoder = codecs.VIDEO_ENCODERS.get(codec or "")
    if codec == codecs.COPY:
        return "the picture as it is"
    return f"{_CODECS[encoder.codec]} by {encoder.name}" if encoder else _CODECS.get(codec or "", codec or "")


def _bits(asked: OutputSpec) -> Iterator[str]:
    if asked.target_quality is not None:
        yield f"VMAF {asked.target_quality:g}"
    if asked.crf is not None:
        yield f"CRF {asked.crf:g}"
    if asked.video_bitrate is not None:
        yield _rate(asked.video_bitrate)
    if asked.max_bitrate is not None:
        yield f"at most {_rate(asked.max_bitrate)}"
    if asked.two_pass:
        yield "two passes"
    if asked.encoder_preset is not None:
        yield f"preset {asked.encoder_preset}"


def _shape(asked: OutputSpec) -> Iterator[str]:
    if asked.width and asked.height:
        yield f"in {asked.width} × {asked.height}"
    elif asked.width or asked.height:
        yield f"{asked.width} wide" if asked.width else f"{asked.height} high"
    if asked.fps is not None:
        yield f"{asked.fps:g} frames a second"


def _rung(rung: Rendition) -> str:
    sides = " × ".join(str(side) for side in (rung.width, rung.height) if side)
    rate = _rate(rung.video_bitrate) if rung.video_bitrate else ""
    return f"{rung.resolution or sides} {rate}".strip()


def _sound(asked: OutputSpec) -> str:
    if asked.audio_codec == codecs.NONE:
        return "no sound"
    if asked.audio_codec == codecs.COPY:
        return "the sound as it is"
    encoder = codecs.AUDIO_ENCODERS.get(asked.audio_codec or "")
    name = encoder.codec if encoder else asked.audio_codec or ""
    rate = f"{'at ' if name else 'sound at '}{_rate(asked.audio_bitrate)}" if asked.audio_bitrate else ""
    coded = " ".join(filter(None, (_CODECS.get(name, name), rate)))
    return ", ".join(filter(None, (coded, "" if asked.loudness is None else f"{asked.loudness:g} LUFS")))


def _moments(pictures: Thumbnails | None) -> Iterator[str]:
    if pictures is None:
        return
    if pictures.every is not None:
        yield f"one every {pictures.every:g} s"
    if pictures.count is not None:
        yield f"{pictures.count} of them"
    if pictures.at:
        yield f"at {' · '.join(f'{at:g}' for at in pictures.at)} s"
    if pictures.width is not None:
        yield f"{pictures.width} wide"
    if pictures.sprite:
        yield "on sheets"
    if pictures.vtt:
        yield "with a WebVTT file for players"


def _rate(rate_bps: int) -> str:
    return f"{rate_bps / _MEGA:g} Mbit/s" if rate_bps >= _MEGA else f"{rate_bps / 1000:g} kbit/s"
