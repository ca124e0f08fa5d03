"""One output in the job language: every member that a single file may have."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Annotated, Any, Self

from pydantic import AfterValidator, ConfigDict, Field, ValidationInfo, model_validator

from encoder.api import wire_subtitles
from encoder.api.wire_images import Thumbnails
from encoder.api.wire_place import Destination, Source
from encoder.api.wire_tracks import Tracks
from encoder.api.wire_types import ABSENT, WHOLE, OneOf, Rate, Seconds, Wire, distinct, fault, form, without_noise
from encoder.ffmpeg import codecs, containers, ladder, overlay, presets, quality, rules, rules_package, target
from encoder.ffmpeg.loudness import LEAST_LUFS, MOST_LUFS
from encoder.model.base import Json
from encoder.model.job import OutputSpec
from encoder.model.queue import named

_VIDEO = codecs.VIDEO_ENCODERS.values()
_AUDIO = codecs.AUDIO_ENCODERS.values()
_LONGEST_NAME = 64  # of a preset
_NAMED = 20
_PLAYLIST_NAME = (
    r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}\.(m3u8|mpd)$",
    "must be letters, digits, `-` and `_`, at most 64, and then `.m3u8` or, of DASH, `.mpd`",
)


def _all(*lists: Iterable[Any]) -> OneOf:
    """What stands in at least one of `lists`. Whether an output's own encoder takes it, `rules` tells."""
    return OneOf(*dict.fromkeys(value for values in lists for value in values))


def _known_preset(name: str, info: ValidationInfo) -> str:
    known: presets.Presets = info.context or presets.BUILT_IN
    if name not in known:
        near = difflib.get_close_matches(name[:_LONGEST_NAME], known, n=1)
        meant = f"; did you mean `{near[0]}`?" if near else ""
        raise fault("unknown_preset", f"must be one of {named([*known], most=_NAMED)}{meant}")
    return name


def _clip_schema(schema: dict[str, Any]) -> None:
    without_noise(schema)
    schema["not"] = {"required": ["end", "duration"]}


def _output_schema(schema: dict[str, Any]) -> None:
    without_noise(schema)
    schema["anyOf"] = [{"required": ["preset"]}, {"required": ["container"]}]


class Clip(Wire):
    """A part of the source in seconds, by `end` or by `duration`; without either, to the source's end."""

    model_config = ConfigDict(json_schema_extra=_clip_schema)

    start: Seconds = 0.0
    end: Annotated[float, Field(gt=0, le=12 * 3600)] = ABSENT
    duration: Annotated[float, Field(gt=0, le=12 * 3600)] = ABSENT

    @model_validator(mode="after")
    def _one_end(self) -> Self:
        if self.end is not ABSENT and self.duration is not ABSENT:
            raise fault("unsupported_combination", "must have `end` or `duration`, not both")
        if self.end is not ABSENT and self.end <= self.start:
            raise fault("invalid_range", "must start before it ends")
        return self

    def members(self) -> dict[str, Json]:
        """As the record has them: `start` and `end`."""
        end = self.end if self.duration is ABSENT else self.start + self.duration
        return {"start": self.start, **({} if end is ABSENT else {"end": end})}


class Watermark(Wire):
    """A PNG, JPEG or WebP over the picture."""

    source: Source
    position: Annotated[str, OneOf(*overlay.POSITIONS)] = "bottom-right"
    opacity: Annotated[float, Field(ge=0, le=1)] = 1.0
    scale: Annotated[float, Field(ge=0.01, le=1, description="its width, in shares of the picture's")] = 0.1

    def members(self) -> dict[str, Json]:
        """As the record has them."""
        return {**self.sent(), "source": self.source.place()}


class Rendition(Wire):
    """One picture of a package: its size, by name or in pixels, and its bits."""

    resolution: Annotated[str, *form(f"^{ladder.RESOLUTION.pattern}$", 'must be the short side, such as "720p"')] = (
        ABSENT
    )
    width: Annotated[int, Field(ge=rules.SIDES_PX[0], le=rules.SIDES_PX[-1]), WHOLE] = ABSENT
    height: Annotated[int, Field(ge=rules.SIDES_PX[0], le=rules.SIDES_PX[-1]), WHOLE] = ABSENT
    video_bitrate: Rate = ABSENT
    max_bitrate: Rate = ABSENT
    crf: Annotated[float, Field(ge=0, le=max(encoder.crf_max for encoder in _VIDEO))] = ABSENT


class Members(Wire):
    """What an output and a preset may say alike: all but places."""

    model_config = ConfigDict(json_schema_extra=_output_schema)

    preset: Annotated[str, AfterValidator(_known_preset)] = Field(
        ABSENT, json_schema_extra={"examples": list(presets.BUILT_IN)}
    )
    container: Annotated[str, _all(containers.CONTAINERS)] = ABSENT
    video_codec: Annotated[str, _all(codecs.video_codecs())] = ABSENT
    video_bitrate: Rate = ABSENT
    max_bitrate: Rate = ABSENT
    crf: Annotated[float, Field(ge=0, le=max(encoder.crf_max for encoder in _VIDEO))] = ABSENT
    target_quality: Annotated[float, Field(ge=target.LEAST, le=target.MOST)] = ABSENT
    two_pass: bool = ABSENT
    encoder_preset: Annotated[str, _all(*(encoder.presets for encoder in _VIDEO))] = ABSENT
    tune: Annotated[str, _all(*(encoder.tunes for encoder in _VIDEO))] = ABSENT
    profile: Annotated[str, _all(*(encoder.profiles for encoder in _VIDEO))] = ABSENT
    level: Annotated[str, _all(*(encoder.levels for encoder in _VIDEO))] = ABSENT
    pixel_format: Annotated[str, _all(*(encoder.pixel_formats for encoder in _VIDEO))] = ABSENT
    width: Annotated[int, Field(ge=rules.SIDES_PX[0], le=rules.SIDES_PX[-1]), WHOLE] = ABSENT
    height: Annotated[int, Field(ge=rules.SIDES_PX[0], le=rules.SIDES_PX[-1]), WHOLE] = ABSENT
    fit: Annotated[str, _all(rules.FITS)] = "contain"
    upscale: bool = False
    fps: Annotated[float, Field(ge=1, le=rules.MAX_FPS)] = ABSENT
    keyframe_interval: Annotated[float, Field(ge=0.1, le=60)] = ABSENT
    measure: Annotated[
        list[Annotated[str, OneOf(*quality.METRICS)]],
        Field(min_length=1, json_schema_extra={"uniqueItems": True}),
        AfterValidator(distinct),
    ] = ABSENT
    audio_codec: Annotated[str, _all(codecs.audio_codecs())] = ABSENT
    audio_bitrate: Rate = ABSENT
    audio_channels: Annotated[int, _all(rules.CHANNELS)] = ABSENT
    audio_sample_rate: Annotated[int, _all(*(encoder.sample_rates_hz for encoder in _AUDIO))] = ABSENT
    loudness: Annotated[float, Field(ge=LEAST_LUFS, le=MOST_LUFS)] = ABSENT
    audio_tracks: Tracks = ABSENT
    clip: Clip = ABSENT
    deinterlace: Annotated[str | bool, OneOf(presets.AUTO, True, False)] = presets.AUTO
    tone_map: Annotated[str | bool, OneOf(presets.AUTO, True, False)] = presets.AUTO
    rotate: Annotated[str | int, OneOf(presets.AUTO, *rules.ROTATIONS)] = presets.AUTO
    renditions: Annotated[list[Rendition], Field(min_length=1, max_length=rules_package.MOST_RENDITIONS)] = ABSENT
    segment_seconds: Annotated[float, Field(ge=rules_package.LEAST_SEGMENT_S, le=rules_package.MOST_SEGMENT_S)] = ABSENT
    segment_format: Annotated[str, _all(rules_package.SEGMENT_FORMATS)] = ABSENT
    playlist_name: Annotated[str, *form(*_PLAYLIST_NAME)] = ABSENT
    encryption: Annotated[str, _all(rules_package.ENCRYPTIONS)] = ABSENT
    thumbnails: Thumbnails = ABSENT
    chunked: Annotated[str | bool, OneOf(presets.AUTO, True, False)] = presets.AUTO
    subtitles: wire_subtitles.Asked = ABSENT

    @model_validator(mode="after")
    def _says_what(self) -> Self:
        if self.preset is ABSENT and self.container is ABSENT:
            raise fault("missing_field", "must be there, or else `preset`", member="container")
        return self

    def members(self) -> dict[str, Json]:
        """As the record has them, of what was said alone."""
        explicit: dict[str, Json] = self.sent()
        if self.subtitles is not ABSENT:
            explicit["subtitles"] = wire_subtitles.members(self.subtitles)
        if self.clip is not ABSENT:
            explicit["clip"] = self.clip.members()
        if self.renditions is not ABSENT:
            explicit["renditions"] = [rendition.sent() for rendition in self.renditions]
        if self.thumbnails is not ABSENT:
            explicit["thumbnails"] = self.thumbnails.members()
        return explicit


class Output(Members):
    """One file to be made. A member that is given wins over the preset's; what neither says, the plan decides."""

    watermark: Watermark = ABSENT
    destination: Destination = Field(ABSENT, description="absent: the platform's own storage")

    def members(self) -> dict[str, Json]:
        explicit = super().members()
        if self.watermark is not ABSENT:
            explicit["watermark"] = self.watermark.members()
        if self.destination is not ABSENT:
            explicit["destination"] = self.destination.place()
        return explicit

    def spec(self, known: presets.Presets = presets.BUILT_IN) -> OutputSpec:
        """The output with its preset, one of `known`, as the platform keeps it: `auto` is what is not said."""
        if self.preset is ABSENT:
            return presets.merge({}, self.members())
        preset = known[self.preset]
        return presets.merge(preset.members, {**self.members(), "presetVersion": preset.version})
