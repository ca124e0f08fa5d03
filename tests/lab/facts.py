"""Facts of sources and outputs, made up: whole by default, so that a test names only what it is about."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from encoder.ffmpeg import codecs, presets, quality
from encoder.ffmpeg.plan import decide
from encoder.model.base import Json
from encoder.model.job import OutputSpec
from encoder.model.media import AudioStream, Media, VideoStream
from encoder.model.plan import AudioPlan, OutputPlan, Plan, Refusal, VideoPlan

MP4 = "mov,mp4,m4a,3gp,3g2,mj2"
MKV = "matroska,webm"


@dataclass(frozen=True, kw_only=True)
class Able:
    """An ffmpeg that can do all that we know of."""

    encoders: frozenset[str] = field(
        default=frozenset({*codecs.VIDEO_ENCODERS, *codecs.AUDIO_ENCODERS}) | codecs.image_encoders()
    )
    filters: frozenset[str] = frozenset(
        {"zscale", "tonemap", "bwdif", "ebur128", "alimiter", "ass", *quality.FILTERS.values()}
    )
    drops_packets: bool = True


ABLE = Able()


def video(**changes: object) -> VideoStream:
    """Ten seconds of 1080p25 H.264, tagged BT.709."""
    rate = changes.pop("rate", "25/1")
    facts: dict[str, Any] = {
        "index": 0,
        "codec": "h264",
        "pixel_format": "yuv420p",
        "bit_depth": 8,
        "coded_width": 1920,
        "coded_height": 1080,
        "average_rate": rate,
        "median_rate": rate,
        "color_range": "tv",
        "color_primaries": "bt709",
        "color_transfer": "bt709",
        "color_matrix": "bt709",
        "duration_seconds": 10.0,
        "frames": 250,
        "default": True,
    }
    return VideoStream(**{**facts, **changes})


def hdr(**changes: object) -> VideoStream:
    """The same in HDR10."""
    facts: dict[str, Any] = {
        "codec": "hevc",
        "pixel_format": "yuv420p10le",
        "bit_depth": 10,
        "color_primaries": "bt2020",
        "color_transfer": "smpte2084",
        "color_matrix": "bt2020nc",
        "hdr_side_data": True,
    }
    return video(**{**facts, **changes})


def audio(**changes: object) -> AudioStream:
    """Ten seconds of stereo AAC."""
    facts: dict[str, Any] = {
        "index": 1,
        "codec": "aac",
        "channels": 2,
        "layout": "stereo",
        "sample_rate_hz": 48000,
        "duration_seconds": 10.0,
        "default": True,
    }
    return AudioStream(**{**facts, **changes})


def source(
    *, picture: VideoStream | None = None, sound: AudioStream | None = None, silent: bool = False, **changes: object
) -> Media:
    """An MP4 with a picture and sound; of the two only `picture` when `silent`."""
    facts: dict[str, Any] = {
        "format": MP4,
        "size_bytes": 10_000_000,
        "duration_seconds": 10.0,
        "video": (picture or video(),),
        "audio": () if silent else (sound or audio(),),
    }
    return Media(**{**facts, **changes})


def sound_only(sound: AudioStream | None = None) -> Media:
    """A source without a picture."""
    return source(sound=sound, video=())


def spec(preset: str | None = "h264", /, **members: Json) -> OutputSpec:
    """An output in the job language."""
    return presets.merge(presets.BUILT_IN[preset].members if preset else {}, members)


def planned(media: Media, output: OutputSpec, able: Able = ABLE) -> OutputPlan:
    """The plan of one output, which must not be refused."""
    plan = decide(media, {0: output}, able)
    assert not plan.refused, plan.refused
    return plan.outputs[0]


def refused(media: Media, output: OutputSpec, able: Able = ABLE) -> Refusal:
    """Why an output is refused, which it must be."""
    plan: Plan = decide(media, {0: output}, able)
    assert not plan.outputs
    return plan.refused[0]


def warned(plan: OutputPlan) -> set[str]:
    return {note.code for note in plan.warnings}


def picture(plan: OutputPlan) -> VideoPlan:
    """The picture of a plan, which must have one."""
    assert plan.video is not None
    return plan.video


def sound(plan: OutputPlan) -> AudioPlan:
    """The sound of a plan, which must have some."""
    assert plan.audio is not None
    return plan.audio
