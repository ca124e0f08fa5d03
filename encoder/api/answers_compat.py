"""What the doors for callers of other services tell, in those services' words. `null`: not known, or not asked."""

from __future__ import annotations

from datetime import datetime

from msgspec import field

from encoder.model.base import Json, Record
from encoder.model.job import Place


class PipelineAnswer(Record):
    """A pipeline. Secrets are shown as `***`."""

    name: str
    input: Place
    output: Place
    thumbnails: Place | None
    notification_url: str | None
    created_at: datetime
    updated_at: datetime


class PipelinesAnswer(Record):
    pipelines: tuple[PipelineAnswer, ...]


class TranscoderRefusal(Record):
    """Of Elastic Transcoder; the header `x-amzn-ErrorType` has its class."""

    message: str


class TranscoderOutput(Record):
    id: str = field(name="Id")
    key: str = field(name="Key")
    preset_id: str = field(name="PresetId")
    thumbnail_pattern: str | None = field(name="ThumbnailPattern")
    rotate: str | None = field(name="Rotate")
    segment_duration: str | None = field(name="SegmentDuration")
    watermarks: list[Json] = field(name="Watermarks")
    composition: list[Json] = field(name="Composition")
    status: str = field(name="Status")
    status_detail: str | None = field(name="StatusDetail")
    duration: int | None = field(name="Duration")  # seconds, rounded up
    duration_millis: int | None = field(name="DurationMillis")
    width: int | None = field(name="Width")
    height: int | None = field(name="Height")
    frame_rate: str | None = field(name="FrameRate")
    file_size: int | None = field(name="FileSize")


class TranscoderPlaylist(Record):
    name: str = field(name="Name")
    format: str = field(name="Format")
    output_keys: list[str] = field(name="OutputKeys")
    hls_content_protection: dict[str, Json] | None = field(name="HlsContentProtection")
    status: str = field(name="Status")
    status_detail: str | None = field(name="StatusDetail")


class TranscoderTiming(Record):
    submit_time_millis: int = field(name="SubmitTimeMillis")
    start_time_millis: int | None = field(name="StartTimeMillis")
    finish_time_millis: int | None = field(name="FinishTimeMillis")


class TranscoderJob(Record):
    """`input` and `inputs`: as they were sent, with what the source turned out to be in `DetectedProperties`."""

    id: str = field(name="Id")
    arn: str = field(name="Arn")
    pipeline_id: str = field(name="PipelineId")
    input: dict[str, Json] = field(name="Input")
    inputs: list[dict[str, Json]] = field(name="Inputs")
    output: TranscoderOutput = field(name="Output")  # the first
    outputs: list[TranscoderOutput] = field(name="Outputs")
    output_key_prefix: str | None = field(name="OutputKeyPrefix")
    playlists: list[TranscoderPlaylist] = field(name="Playlists")
    user_metadata: dict[str, Json] = field(name="UserMetadata")
    status: str = field(name="Status")
    timing: TranscoderTiming = field(name="Timing")


class TranscoderNote(Record):
    code: str = field(name="Code")
    message: str = field(name="Message")


class TranscoderJobAnswer(Record):
    """`Warnings`: what the translation changed; Elastic Transcoder had none here."""

    job: TranscoderJob = field(name="Job")
    warnings: list[TranscoderNote] = field(name="Warnings")


class TranscoderCancelAnswer(Record):
    success: str = field(name="Success", default="true")


class CoconutRefusal(Record):
    """Of Coconut. `error_code`: theirs where there is one of the same meaning, else ours."""

    message: str
    error_code: str = field(name="error_code")
    status: str = "error"
