"""What a source or a result *is*: facts read from the file, nothing decided yet.

Sizes of pictures are as coded; `rotation_deg` and `mirrored` say how they are presented. Rates and aspect ratios
are exact and travel as text ("30000/1001").
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from encoder.model.base import Record


class VideoStream(Record):
    """One video stream. `index` counts all streams of the file from 0."""

    index: int
    codec: str  # ffmpeg's codec name: h264, hevc, vp9, av1, mpeg2video, …
    profile: str | None = None
    level: int | None = None
    codec_tag: str | None = None  # four characters: avc1, hvc1, …
    pixel_format: str
    bit_depth: int
    coded_width: int
    coded_height: int
    sample_aspect_ratio: str = "1/1"  # absent or absurd values are read as 1/1
    rotation_deg: int = 0  # clockwise turn that presents the picture: 0, 90, 180, 270
    mirrored: bool = False
    average_rate: str | None = None
    median_rate: str | None = None  # from sampled frame intervals; the only one to believe
    variable_rate: bool = False
    interlaced: bool = False  # measured on frames; where they do not tell, the stream's flag
    telecined: bool = False  # measured: film frames, spread over the fields of 30 a second by 2:3 pulldown
    pulled_down: bool = False  # the same by flags: frames of two fields and of three; `median_rate` is the film's
    field_order: str | None = None  # tt, bb, tb, bt
    color_range: str | None = None  # tv, pc
    color_primaries: str | None = None  # bt709, bt2020, …
    color_transfer: str | None = None  # bt709, smpte2084 (PQ), arib-std-b67 (HLG), …
    color_matrix: str | None = None
    alpha_beside: bool = False  # VP8, VP9: what is transparent is told beside the pictures, and only libvpx reads it
    hdr_side_data: bool = False  # mastering display or content light level present
    hdr_peak_nits: float | None = None  # the brightest light of which that data tells, believable or not
    dolby_vision_profile: int | None = None
    lead_frames: int = 0  # before the first that can be decoded: the stream begins inside a GOP. Counted nowhere else
    start_seconds: float = 0.0  # of the first presented frame
    duration_seconds: float | None = None  # presented, edit list applied
    lost_seconds: float = 0.0  # at the end of `duration_seconds`: the index has them, the file is too short for them
    frames: int | None = None  # presented frames, where the file could be counted
    bitrate_bps: int | None = None
    attached_picture: bool = False
    default: bool = False
    language: str | None = None

    @property
    def display_width_px(self) -> int:
        """Width as presented: square pixels, upright."""
        return self._display()[0]

    @property
    def display_height_px(self) -> int:
        """Height as presented: square pixels, upright."""
        return self._display()[1]

    def _display(self) -> tuple[int, int]:
        square = round(self.coded_width * Fraction(self.sample_aspect_ratio))
        return (self.coded_height, square) if self.rotation_deg in (90, 270) else (square, self.coded_height)


class AudioStream(Record):
    index: int
    codec: str
    profile: str | None = None
    channels: int
    layout: str | None = None
    sample_rate_hz: int
    start_seconds: float = 0.0
    duration_seconds: float | None = None
    lost_seconds: float = 0.0  # as of a picture
    bitrate_bps: int | None = None
    default: bool = False
    language: str | None = None
    decodable: bool = True
    begins_damaged: bool = False  # some of it could not be decoded before its first sound: it was cut inside a packet


class SubtitleStream(Record):
    """One track of subtitles. `codec` says whether it is text (subrip, ass, mov_text, webvtt) or pictures."""

    index: int
    codec: str | None = None
    default: bool = False
    forced: bool = False  # foreign words in a film that is else understood
    language: str | None = None


class OtherStream(Record):
    """A stream that no output carries: data, time code, attachment."""

    index: int
    type: str
    codec: str | None = None
    language: str | None = None


class Media(Record):
    """Everything known of a media file."""

    format: str  # ffmpeg's demuxer name
    size_bytes: int
    duration_seconds: float | None = None
    start_seconds: float = 0.0
    bitrate_bps: int | None = None
    video: tuple[VideoStream, ...] = ()
    audio: tuple[AudioStream, ...] = ()
    subtitles: tuple[SubtitleStream, ...] = ()
    other: tuple[OtherStream, ...] = ()
    declared_bytes: int | None = None  # how large it is by its own header (RIFF); None: it does not say
    cut_short: bool = False  # the container's own sizes go beyond the end of the file


class Surveyed(Record):
    """A source: its facts, and of each picture, by index, where it can be entered, in seconds from the first moment.

    Decoded from there on, all that is shown from there on is as if the source had been read from its beginning.
    `cuts`: where a copy of it can end, near the moments that were asked about.
    """

    media: Media
    entries: Mapping[int, tuple[float, ...]] = {}  # msgspec copies an empty default
    cuts: Mapping[int, tuple[float, ...]] = {}


class StreamCount(Record):
    """What a complete walk over one stream's packets found."""

    index: int
    packets: int
    shown: int  # packets that the edit list presents
    first_pts_seconds: float | None
    end_pts_seconds: float | None  # last PTS + its duration
    keyframes: int
    longest_gap_seconds: float  # between keyframes, or from the last one to the end
    first_is_idr: bool | None = None  # by NAL type; None for codecs without NAL units
    shortest_gap_seconds: float | None = None  # between keyframes; None with less than two
    dts_faults: int = 0  # DTS that do not rise
    pts_twice: int = 0
    bin_seconds: float = 0.0  # of `bin_bytes`
    bin_bytes: tuple[int, ...] = ()  # of its packets, by the time at which they are shown, from the file's first moment
    key_seconds: tuple[
        float, ...
    ] = ()  # of a picture's keyframes, from there too; of very many every second, fourth, …
    begins_with_key: bool = False  # its first packet is flagged so
    setup_sha256: str = ""  # hex, of what sets a picture's decoder up
    seams_keyed: int | None = None  # of the moments that were asked about: with a picture that needs none before it


class Opened(Record):
    """A result, re-opened by the proof: its facts, its packets, the layout of its container."""

    media: Media
    counts: tuple[StreamCount, ...]
    faststart: bool | None = None  # MP4, MOV: `moov` before `mdat`
    trailing_bytes: int = 0  # after the last box, MP4 and MOV only
