"""What an encoder is told: quality or bitrate, speed, profile, keyframes. All words come from `codecs`."""

from __future__ import annotations

from collections.abc import Iterator

from encoder.ffmpeg.codecs import Options, VideoEncoder
from encoder.model.job import OutputSpec
from encoder.model.plan import VideoPlan

# without its own: Apple allows a peak of twice the average, we stay below
_PEAK = 1.5
_BUFFER = 2


def options(spec: OutputSpec, encoder: VideoEncoder, video: VideoPlan) -> Options:
    """The options of an encoder, in command order, without the number of threads."""
    return tuple(_options(spec, encoder, video))


def _options(spec: OutputSpec, encoder: VideoEncoder, video: VideoPlan) -> Iterator[tuple[str, str]]:
    yield from encoder.always
    if spec.encoder_preset in encoder.presets:
        yield encoder.preset_option, str(spec.encoder_preset)
    if spec.tune in encoder.tunes:
        yield "-tune", str(spec.tune)
    yield from _rate_control(spec, encoder)
    profile = next((asked for asked, named in encoder.profiles.items() if named == video.profile), None)
    if profile is not None and encoder.codec in ("h264", "hevc"):  # the others have it from the pixel format
        yield "-profile:v", profile
    if video.level is not None and encoder.params_option is None:
        yield "-level:v", video.level
    yield "-g", str(video.gop_frames)
    if video.grid:
        yield from gridded(encoder.grid, video)


def gridded(options: Options, video: VideoPlan) -> Options:
    """What an encoder needs to keep the grid, with the length of its GOPs written in."""
    return tuple((name, value.format(gop=video.gop_frames)) for name, value in options)


def quality(spec: OutputSpec, encoder: VideoEncoder) -> float | None:
    """The CRF in force: asked for, or the encoder's own when no bitrate is."""
    if spec.video_bitrate is not None:
        return None
    return encoder.default_crf if spec.crf is None else min(spec.crf, encoder.crf_max)


def _rate_control(spec: OutputSpec, encoder: VideoEncoder) -> Iterator[tuple[str, str]]:
    crf = quality(spec, encoder)
    if crf is not None:
        yield encoder.quality_option, f"{round(crf, 4):g}"  # never 1e-05
        yield from _capped_quality(spec.max_bitrate, encoder)
        return
    bitrate = spec.video_bitrate or 0
    yield "-b:v", str(bitrate)
    if encoder.caps_bitrate:
        yield "-maxrate", str(spec.max_bitrate or int(bitrate * _PEAK))
        yield "-bufsize", str(bitrate * _BUFFER)


def _capped_quality(max_bitrate: int | None, encoder: VideoEncoder) -> Iterator[tuple[str, str]]:
    if max_bitrate is None:
        yield from encoder.constant_quality
    elif encoder.constant_quality:  # libvpx and libaom: `-b:v` beside `-crf` is the cap
        yield "-b:v", str(max_bitrate)
    else:
        yield "-maxrate", str(max_bitrate)
        yield "-bufsize", str(max_bitrate * _BUFFER)
