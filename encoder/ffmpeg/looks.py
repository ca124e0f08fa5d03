"""What a stream should be and what it is, in the same words, so that a proof can lay one beside the other."""

from __future__ import annotations

from encoder.ffmpeg import codecs, sound
from encoder.ffmpeg.containers import Container
from encoder.model.base import Json
from encoder.model.media import AudioStream, SubtitleStream, VideoStream
from encoder.model.plan import AudioPlan, SubtitlePlan, VideoPlan

Facts = dict[str, Json]

# each can be played by whatever plays the ones after it
_H264_PROFILES = ("Constrained Baseline", "Baseline", "Main", "High")
_LEVEL_STEPS = {"h264": 10, "hevc": 30}  # "4.1" is stored as 41 and as 123


def planned_video(plan: VideoPlan, container: Container) -> Facts:
    """Codec and sample format of a picture, as far as the plan fixes them; that players take it, if it can say so."""
    facts: Facts = {"videoCodec": plan.codec, "pixelFormat": plan.pixel_format}
    if plan.codec_tag is not None:
        facts["codecTag"] = plan.codec_tag
    if plan.profile is not None:
        facts["profile"] = plan.profile
    if plan.level is not None and plan.codec in _LEVEL_STEPS:
        facts["level"] = round(float(plan.level) * _LEVEL_STEPS[plan.codec])
    if container.flags_default:
        facts["videoDefault"] = True
    return facts


def measured_video(stream: VideoStream) -> Facts:
    return {
        "videoCodec": stream.codec,
        "pixelFormat": stream.pixel_format,
        "codecTag": stream.codec_tag,
        "profile": stream.profile,
        "level": stream.level,
        "videoDefault": stream.default,
    }


def planned_audio(plan: AudioPlan) -> Facts:
    facts: Facts = {"audioCodec": plan.codec, "channels": plan.channels, "sampleRate": plan.sample_rate_hz}
    if plan.encoder != codecs.COPY:
        facts["layout"] = plan.layout
    if plan.language is not None:
        facts["language"] = plan.language
    if plan.default is not None:
        facts["default"] = plan.default
    return facts


def measured_audio(stream: AudioStream) -> Facts:
    return {
        "audioCodec": stream.codec,
        "channels": stream.channels,
        "sampleRate": stream.sample_rate_hz,
        "layout": sound.layout_of(stream),
        "language": stream.language,
        "default": stream.default,
    }


def planned_subtitles(plan: SubtitlePlan, container: Container) -> Facts:
    facts: Facts = {"subtitleCodec": plan.codec}
    if not container.languages:
        return facts
    # of MP4's tracks of one kind the first is marked where none is
    default: Facts = {"subtitleDefault": plan.default} if plan.default or not container.boxes else {}
    return {**facts, "subtitleLanguage": plan.language, "subtitleForced": plan.forced, **default}


def measured_subtitles(stream: SubtitleStream) -> Facts:
    return {
        "subtitleCodec": stream.codec,
        "subtitleLanguage": stream.language,
        "subtitleDefault": stream.default,
        "subtitleForced": stream.forced,
    }


def numbered(facts: Facts, place: int) -> Facts:
    """Facts of one of several tracks; those of the first have no number."""
    return facts if place == 0 else {f"{name}{place + 1}": value for name, value in facts.items()}


def planned_picture(plan: VideoPlan, source: VideoStream | None) -> Facts:
    """How a picture is presented. A copy looks as its source does."""
    if plan.encoder == codecs.COPY and source is not None:
        # some containers say "tv", others leave it out: it is the same
        return {name: fact for name, fact in measured_picture(source).items() if (name, fact) != ("range", "tv")}
    facts: Facts = {
        "width": plan.width_px,
        "height": plan.height_px,
        "sampleAspectRatio": "1/1",
        "rotation": 0,
        "mirrored": False,
        "range": plan.color_range,
        "primaries": plan.color_primaries,
        "transfer": plan.color_transfer,
        "matrix": plan.color_matrix,
    }
    if plan.color_transfer == "bt709":
        facts["hdrSideData"] = False
    elif source is not None and source.hdr_peak_nits is not None:  # data that tells nothing may go
        facts["hdrSideData"] = not plan.strip_hdr
    if plan.deinterlace is not None or plan.telecine is not None:
        facts["interlaced"] = facts["telecined"] = False
    return facts


def measured_picture(stream: VideoStream) -> Facts:
    return {
        "width": stream.coded_width,
        "height": stream.coded_height,
        "sampleAspectRatio": stream.sample_aspect_ratio,
        "rotation": stream.rotation_deg,
        "mirrored": stream.mirrored,
        "range": stream.color_range,
        "primaries": stream.color_primaries,
        "transfer": stream.color_transfer,
        "matrix": stream.color_matrix,
        "hdrSideData": stream.hdr_side_data,
        "alphaBeside": stream.alpha_beside,
        "interlaced": stream.interlaced,
        "telecined": stream.telecined,
    }


def fault(planned: Facts, measured: Facts) -> str | None:
    """The first member that is not as planned. A profile may come out simpler than asked: speed presets do that."""
    return next((name for name, value in planned.items() if not _agree(name, value, measured.get(name))), None)


def _agree(name: str, planned: Json, measured: Json) -> bool:
    if name == "profile" and planned in _H264_PROFILES and measured in _H264_PROFILES:
        return _H264_PROFILES.index(str(measured)) <= _H264_PROFILES.index(str(planned))
    return planned == measured
