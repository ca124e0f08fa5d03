"""Which members of an output go together: all that can be told without having seen the source."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from encoder.errors import Fault
from encoder.ffmpeg import (
    codecs,
    containers,
    ladder,
    loudness,
    rules_images,
    rules_package,
    rules_quality,
    rules_subtitles,
    tracks,
)
from encoder.ffmpeg.codecs import AudioEncoder, VideoEncoder
from encoder.ffmpeg.containers import Container
from encoder.model.base import replace
from encoder.model.job import OutputSpec

MAX_PIXELS = 8192 * 4320
MAX_SIDE_PX = 8192
MAX_FPS = 120
MAX_PIXELS_PER_SECOND = MAX_PIXELS * 60
SIDES_PX = range(16, MAX_SIDE_PX + 1)
FITS = ("contain", "cover", "stretch", "pad")
ROTATIONS = (0, 90, 180, 270)
_TOGGLING = ("mp4", "mov")
CHANNELS = (1, 2, 6, 8)

_PICTURE_MEMBERS = {
    "crf": "crf",
    "targetQuality": "target_quality",
    "twoPass": "two_pass",
    "videoBitrate": "video_bitrate",
    "maxBitrate": "max_bitrate",
    "encoderPreset": "encoder_preset",
    "tune": "tune",
    "profile": "profile",
    "level": "level",
    "pixelFormat": "pixel_format",
    "width": "width",
    "height": "height",
    "fps": "fps",
    "keyframeInterval": "keyframe_interval",
    "rotate": "rotate",
    "deinterlace": "deinterlace",
    "watermark": "watermark",
    "chunked": "chunked",
}
_SOUND_MEMBERS = {
    "audioBitrate": "audio_bitrate",
    "audioChannels": "audio_channels",
    "audioSampleRate": "audio_sample_rate",
    "loudness": "loudness",
}


def check(spec: OutputSpec) -> list[Fault]:
    """Every fault of an output, each at the JSON Pointer of its member inside the output."""
    container = containers.CONTAINERS.get(spec.container)
    if container is None:
        return [_fault("container", f"one of {', '.join(containers.CONTAINERS)}", code="invalid_value")]
    if container.images:
        return [fault for rule in (rules_images.check, _picture, _clip) for fault in rule(spec, container)]
    if container.captions:
        return [fault for rule in (rules_subtitles.alone, _clip) for fault in rule(spec, container)]
    if spec.video_codec == codecs.TOGGLE:
        return _toggled(spec)
    rules: tuple[Callable[[OutputSpec, Container], Iterator[Fault]], ...] = (
        _streams, _video_codec, _video_encoder, _rate_control, _picture, _audio_codec, _audio_tracks, _clip,
        rules_subtitles.check, rules_quality.check, rules_package.check, _renditions, rules_images.elsewhere,
    )  # fmt: skip
    return [fault for rule in rules for fault in rule(spec, container)]


def _toggled(spec: OutputSpec) -> list[Fault]:
    """What does not go with one of the two codecs that it may become."""
    if spec.container not in _TOGGLING:
        return [_fault("videoCodec", f"{codecs.TOGGLE} goes into {', '.join(_TOGGLING)}, not {spec.container}")]
    found = [fault for codec in codecs.TWO for fault in check(replace(spec, video_codec=codec))]
    return list({fault.path: fault for fault in found}.values())


def video_codec(spec: OutputSpec) -> str:
    """The `videoCodec` that an output means: its own, or its container's first."""
    if spec.video_codec is not None:
        return spec.video_codec
    return next(iter(containers.CONTAINERS[spec.container].video), codecs.NONE)


def audio_codec(spec: OutputSpec) -> str:
    """The `audioCodec` that an output means: its own, or its container's first."""
    if spec.audio_codec is not None:
        return spec.audio_codec
    return next(iter(containers.CONTAINERS[spec.container].audio), codecs.NONE)


def _fault(member: str, message: str, *, code: str = "unsupported_combination") -> Fault:
    return Fault(path=f"/{member}", code=code, message=message)


def _streams(spec: OutputSpec, _: Container) -> Iterator[Fault]:
    if video_codec(spec) == audio_codec(spec) == codecs.NONE:
        yield _fault("audioCodec", "an output without picture and sound is empty")


def _given(spec: OutputSpec, members: dict[str, str]) -> Iterator[str]:
    return (member for member, field in members.items() if getattr(spec, field) is not None)


def _video_codec(spec: OutputSpec, container: Container) -> Iterator[Fault]:
    wanted = video_codec(spec)
    if wanted not in codecs.video_codecs():
        yield _fault("videoCodec", f"one of {', '.join(codecs.video_codecs())}", code="invalid_value")
    elif wanted in (codecs.COPY, codecs.NONE):
        if wanted == codecs.COPY and not container.video:
            yield _fault("videoCodec", f"{container.name} holds no picture")
        for member in _given(spec, _PICTURE_MEMBERS):
            yield _fault(member, f"does not go with videoCodec {wanted}")
    elif codecs.video_encoders(wanted)[0].codec not in container.video:
        held = ", ".join(container.video) or "no picture"
        yield _fault("videoCodec", f"{container.name} holds {held}, not {wanted}")


def _video_encoder(spec: OutputSpec, _: Container) -> Iterator[Fault]:
    encoders = codecs.video_encoders(video_codec(spec))
    if not encoders:
        return
    for member, value, allowed in _enumerated(spec, encoders):
        if value is not None and value not in allowed:
            wanted = ", ".join(dict.fromkeys(allowed)) or "nothing"
            yield _fault(member, f"{encoders[0].name} takes {wanted}, not {value}")
    if spec.profile in encoders[0].profiles and spec.pixel_format is not None:
        deep = spec.profile in encoders[0].ten_bit_profiles
        if deep != (spec.pixel_format in codecs.TEN_BIT) and encoders[0].ten_bit_profiles:
            yield _fault("profile", f"profile {spec.profile} does not hold {spec.pixel_format}")


def _enumerated(
    spec: OutputSpec, encoders: tuple[VideoEncoder, ...]
) -> Iterator[tuple[str, str | None, tuple[str, ...]]]:
    best = encoders[0]
    yield "encoderPreset", spec.encoder_preset, best.presets
    yield "tune", spec.tune, best.tunes
    yield "profile", spec.profile, tuple(best.profiles)
    yield "level", spec.level, best.levels
    yield "pixelFormat", spec.pixel_format, best.pixel_formats


def _rate_control(spec: OutputSpec, _: Container) -> Iterator[Fault]:
    encoders = codecs.video_encoders(video_codec(spec))
    if not encoders:
        return
    best = encoders[0]
    if spec.crf is not None:
        if not best.crf_min <= spec.crf <= best.crf_max:
            yield _fault("crf", f"{best.crf_min} to {best.crf_max} with {best.name}", code="out_of_range")
        elif best.whole_crf and spec.crf != int(spec.crf):
            yield _fault("crf", f"a whole number with {best.name}", code="invalid_value")
        if spec.video_bitrate is not None:
            yield _fault("crf", "either a quality or a bitrate, not both")
    if spec.max_bitrate is not None and spec.video_bitrate is None and not best.caps_quality:
        yield _fault("maxBitrate", f"{best.name} caps no quality: give videoBitrate")
    if spec.two_pass and not best.two_passes:
        able = ", ".join(encoder.name for encoder in codecs.VIDEO_ENCODERS.values() if encoder.two_passes)
        yield _fault("twoPass", f"{best.name} makes one pass only; two take {able}")
    elif spec.two_pass and not _rated(spec):
        yield _fault("twoPass", "needs videoBitrate: a quality is met in one pass")
    if spec.max_bitrate is not None and spec.max_bitrate < (spec.video_bitrate or 0):
        yield _fault("maxBitrate", "not below videoBitrate")


def _rated(spec: OutputSpec) -> bool:
    """Whether each of its pictures has a bitrate."""
    if not spec.renditions:
        return spec.video_bitrate is not None
    return all(rendition.video_bitrate is not None for rendition in spec.renditions)


def _picture(spec: OutputSpec, _: Container) -> Iterator[Fault]:
    for member, side in (("width", spec.width), ("height", spec.height)):
        if side is not None and side not in SIDES_PX:
            yield _fault(member, f"{SIDES_PX[0]} to {SIDES_PX[-1]}", code="out_of_range")
    if spec.fit not in FITS:
        yield _fault("fit", f"one of {', '.join(FITS)}", code="invalid_value")
    elif spec.fit != "contain" and not spec.renditions and (spec.width is None or spec.height is None):
        yield _fault("fit", f"{spec.fit} needs width and height")
    if spec.rotate is not None and spec.rotate not in ROTATIONS:
        yield _fault("rotate", "one of 0, 90, 180, 270", code="invalid_value")
    if spec.fps is not None and not 1 <= spec.fps <= MAX_FPS:
        yield _fault("fps", f"1 to {MAX_FPS}", code="out_of_range")
    if spec.keyframe_interval is not None and not 0 < spec.keyframe_interval <= 60:  # noqa: PLR2004  # seconds
        yield _fault("keyframeInterval", "up to 60 seconds", code="out_of_range")
    yield from _budget(spec)


def _budget(spec: OutputSpec) -> Iterator[Fault]:
    if spec.width is None or spec.height is None:
        return
    pixels = spec.width * spec.height
    if pixels > MAX_PIXELS:
        yield _fault("width", "a picture has at most 8192×4320 pixels", code="out_of_range")
    elif pixels * (spec.fps or 0) > MAX_PIXELS_PER_SECOND:
        yield _fault("fps", "too many pixels a second: a smaller picture or fewer frames", code="job_too_large")


def _audio_codec(spec: OutputSpec, container: Container) -> Iterator[Fault]:
    wanted = audio_codec(spec)
    encoder = codecs.audio_encoder(wanted)
    if wanted not in codecs.audio_codecs():
        yield _fault("audioCodec", f"one of {', '.join(codecs.audio_codecs())}", code="invalid_value")
    elif encoder is None:
        for member in _given(spec, _SOUND_MEMBERS):
            yield _fault(member, f"does not go with audioCodec {wanted}")
    elif encoder.codec not in container.audio:
        yield _fault("audioCodec", f"{container.name} holds {', '.join(container.audio)}, not {wanted}")
    else:
        yield from _audio_encoder(spec, encoder)


def _audio_encoder(spec: OutputSpec, encoder: AudioEncoder) -> Iterator[Fault]:
    if spec.audio_channels is not None:
        if spec.audio_channels not in CHANNELS:
            yield _fault("audioChannels", "one of 1, 2, 6, 8", code="invalid_value")
        elif spec.audio_channels > encoder.max_channels:
            yield _fault("audioChannels", f"{encoder.name} takes at most {encoder.max_channels}")
    if spec.audio_sample_rate is not None and spec.audio_sample_rate not in encoder.sample_rates_hz:
        rates = ", ".join(str(rate) for rate in encoder.sample_rates_hz)
        yield _fault("audioSampleRate", f"{encoder.name} takes {rates}")
    if spec.loudness is not None and not loudness.LEAST_LUFS <= spec.loudness <= loudness.MOST_LUFS:
        yield _fault("loudness", f"{loudness.LEAST_LUFS:g} to {loudness.MOST_LUFS:g} LUFS", code="out_of_range")
    if spec.audio_bitrate is not None:
        lowest, highest = encoder.bitrate_bps
        if encoder.default_bps is None:
            yield _fault("audioBitrate", f"{encoder.name} is lossless: it takes no bitrate")
        elif not lowest <= spec.audio_bitrate <= highest:
            yield _fault("audioBitrate", f"{lowest} to {highest} with {encoder.name}", code="out_of_range")


def _renditions(spec: OutputSpec, _: Container) -> Iterator[Fault]:
    """What each picture of a package says for itself, by the rules of single files."""
    for place, rendition in enumerate(spec.renditions):
        rung = ladder.output_of(spec, rendition)
        container = containers.CONTAINERS[rung.container]
        for rule in (_rate_control, _picture):
            for fault in rule(rung, container):
                member = fault.path.removeprefix("/")
                if member in rules_package.said(rendition):
                    yield _fault(f"renditions/{place}/{member}", fault.message, code=fault.code)
                elif member == "fit" and fault.code == "unsupported_combination":
                    yield _fault(f"renditions/{place}", fault.message)


def _audio_tracks(spec: OutputSpec, container: Container) -> Iterator[Fault]:
    wanted = spec.audio_tracks
    if wanted is None:
        return
    if audio_codec(spec) == codecs.NONE:
        yield _fault("audioTracks", "does not go with audioCodec none")
    several = wanted == tracks.ALL or (isinstance(wanted, tuple) and len(wanted) > 1)
    if several and not container.several:
        yield _fault("audioTracks", f"{container.name} holds one track of sound")


def _clip(spec: OutputSpec, _: Container) -> Iterator[Fault]:
    if spec.clip is None:
        return
    if spec.clip.start < 0:
        yield _fault("clip/start", "not below 0", code="invalid_range")
    if spec.clip.end is not None and spec.clip.end <= spec.clip.start:
        yield _fault("clip", "starts before it ends", code="invalid_range")
