"""What the caller asks for: one source, 1..n outputs, options. The job language, already validated."""

from __future__ import annotations

from typing import TypeAlias

from encoder.model.base import Json, Record
from encoder.model.plan import Note
from encoder.model.queue import ENCODE

# A source or destination: `kind` and the members of that kind, as its plug-in names them.
Place: TypeAlias = dict[str, Json]


class Clip(Record):
    """A part of the source, in seconds of its presented timeline; `end` exclusive, None to the end."""

    start: float = 0.0
    end: float | None = None


class Rendition(Record):
    """One picture of a package; what it does not say is as the output says."""

    resolution: str | None = None  # "720p": the short side of the picture
    width: int | None = None
    height: int | None = None
    video_bitrate: int | None = None  # bit/s
    max_bitrate: int | None = None  # bit/s
    crf: float | None = None


class Sheet(Record):
    """How many pictures stand on one sheet; None: as many as fit, at most ten."""

    columns: int | None = None
    rows: int | None = None


class Thumbnails(Record):
    """Several moments of the source as pictures: exactly one of `every`, `count`, `at`."""

    every: float | None = None  # seconds
    count: int | None = None
    at: tuple[float, ...] = ()  # seconds, rising
    width: int | None = None  # of each picture
    format: str | None = None  # jpg, png, webp; None: the container
    sprite: bool | Sheet = False  # sheets of pictures in place of files
    vtt: bool | None = None  # a file of cues; None: for sheets of a timeline
    names: str | None = None  # of the files, without ending, with `{index}` in it; None: that alone


class Watermark(Record):
    """A picture over the picture."""

    source: Place
    position: str = "bottom-right"
    opacity: float = 1.0  # 0 to 1
    scale: float = 0.1  # its width, in shares of the picture's


class SubtitleFile(Record):
    """Subtitles that do not lie in the source: SRT, WebVTT or ASS."""

    source: Place
    language: str | None = None  # three letters
    default: bool = False
    forced: bool = False


class Subtitles(Record):
    """What becomes of subtitles. Without `tracks`: of all of the source; with `files`, of those alone."""

    mode: str  # copy, burn-in, extract
    tracks: str | tuple[int | str, ...] | None = None  # default, all; stream indices and languages
    files: tuple[SubtitleFile, ...] = ()


class OutputSpec(Record):
    """One output as it will be made: preset and explicit members already merged. None: the plan decides."""

    container: str
    preset: str | None = None
    preset_version: int | None = None  # of the preset, as it was when the job came
    video_codec: str | None = None  # an encoder, a family, `copy` or `none`
    video_bitrate: int | None = None  # bit/s
    max_bitrate: int | None = None  # bit/s
    crf: float | None = None
    target_quality: float | None = None  # VMAF
    two_pass: bool | None = None
    encoder_preset: str | None = None
    tune: str | None = None
    profile: str | None = None
    level: str | None = None
    pixel_format: str | None = None
    width: int | None = None
    height: int | None = None
    fit: str = "contain"
    upscale: bool = False
    fps: float | None = None
    keyframe_interval: float | None = None  # seconds
    measure: tuple[str, ...] = ()  # vmaf, ssim, psnr
    audio_codec: str | None = None
    audio_bitrate: int | None = None  # bit/s
    audio_channels: int | None = None
    audio_sample_rate: int | None = None  # Hz
    loudness: float | None = None  # LUFS, integrated
    audio_tracks: str | tuple[int | str, ...] | None = None  # default, all; stream indices and languages
    clip: Clip | None = None
    deinterlace: bool | None = None  # None: when the picture is interlaced
    tone_map: bool = True
    rotate: int | None = None  # degrees clockwise, added to the source's own; None: upright as recorded
    watermark: Watermark | None = None
    subtitles: Subtitles | None = None
    renditions: tuple[Rendition, ...] = ()  # of a package; none: one, as the output itself says
    segment_seconds: float | None = None
    segment_format: str | None = None  # fmp4, ts
    playlist_name: str | None = None
    encryption: str | None = None  # of the segments: aes-128
    thumbnails: Thumbnails | None = None
    chunked: bool | None = None  # whether the picture is made in parts; None: where that pays
    destination: Place | None = None  # None: the platform's storage


class Notification(Record):
    """How the receiver at `notificationUrl` is told, where not in our own way: as a `receiver.Receiver`."""

    format: str
    events: tuple[str, ...] = ()
    settings: dict[str, Json] = {}


class Origin(Record):
    """The request of another service's API that a job was translated from, without secrets: answers name things by it.

    `outputs`: for each output of that request, those of ours that make it up; `playlists`: for each playlist of it.
    `stamp`: when it came, in milliseconds since 1970.
    """

    api: str  # elastictranscoder, coconut
    request: dict[str, Json] = {}
    outputs: tuple[tuple[int, ...], ...] = ()
    playlists: tuple[tuple[int, ...], ...] = ()
    warnings: tuple[Note, ...] = ()
    stamp: int = 0


class JobSpec(Record):
    """A job without its secrets: those are sealed in a column of their own (`vault`)."""

    source: Place
    outputs: tuple[OutputSpec, ...]
    notification_url: str | None = None
    notification: Notification | None = None  # who translates another service's jobs sets it
    priority: int = 0
    queue: str = ENCODE  # from which workers take it
    metadata: dict[str, Json] = {}
    tags: tuple[str, ...] = ()
    origin: Origin | None = None  # None: it came in our own words

    def came_from(self, api: str) -> Origin | None:
        """The request that it was translated from, if it came by that service's API."""
        return self.origin if self.origin is not None and self.origin.api == api else None
