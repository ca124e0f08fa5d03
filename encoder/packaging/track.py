"""The tracks of a package: what each shall be, and what its bytes say."""

from __future__ import annotations

from fractions import Fraction

from encoder.model.base import Record
from encoder.packaging.bandwidth import Rates, Span, rates

Kind = str  # of a package: hls, dash; cmaf: one set of segments, both manifests
Segments = str  # fmp4, ts
TrackKind = str  # video, audio

INIT = "init.mp4"
PLAYLIST = "index.m3u8"
I_FRAMES = "iframes.m3u8"
SUFFIXES: dict[Segments, str] = {"fmp4": ".m4s", "ts": ".ts"}


class Track(Record):
    """One folder of a package, as planned. Video tracks come in the order in which players shall see them."""

    name: str  # of the folder: "720p", "audio-eng"
    kind: TrackKind
    language: str | None = None  # three letters, or as in BCP 47
    title: str | None = None  # what a player's menu calls it; None: its language, else its name
    default: bool = False
    rate: str | None = None  # exact frame rate, "30000/1001"
    width_px: int | None = None
    height_px: int | None = None
    channels: int | None = None
    video_range: str = "SDR"  # PQ, HLG


class IFrame(Record):
    """A picture that needs no other and can be fetched alone: these bytes of its segment."""

    offset_bytes: int
    size_bytes: int
    at: int  # presentation time, in the track's timescale


class Segment(Record):
    """One segment as it lies there. Times are presentation times in the track's timescale, from the track's 0."""

    name: str  # "00001.m4s"
    size_bytes: int
    start: int
    duration: int
    vector: str | None = None  # of its encryption, hexadecimal
    independent: bool  # begins with a picture that needs no other, by NAL or OBU type; sound always does
    i_frames: tuple[IFrame, ...] = ()


class Written(Record):
    """One track as its bytes tell it."""

    track: Track
    container: Segments
    codec: str  # RFC 6381: "avc1.64001F", "mp4a.40.2"
    timescale: int
    width_px: int | None = None
    height_px: int | None = None
    sample_rate_hz: int | None = None
    frame: Fraction  # duration of a sample, in the timescale
    origin: int = 0  # what its time stamps say at the package's zero
    segments: tuple[Segment, ...]

    @property
    def name(self) -> str:
        return self.track.name

    def seconds(self, ticks: int | Fraction) -> Fraction:
        """Exact."""
        return Fraction(ticks) / self.timescale

    @property
    def size_px(self) -> tuple[int, int]:
        """Of its pictures: as the bytes say, else as planned; 0 where neither does."""
        return self.width_px or self.track.width_px or 0, self.height_px or self.track.height_px or 0

    @property
    def spans(self) -> list[Span]:
        return [Span(segment.size_bytes, self.seconds(segment.duration)) for segment in self.segments]

    @property
    def rates(self) -> Rates:
        return rates(self.spans)

    @property
    def frame_seconds(self) -> Fraction:
        return self.seconds(self.frame)

    @property
    def duration_seconds(self) -> Fraction:
        return self.seconds(sum(segment.duration for segment in self.segments))
