"""All that is known of one result when it is judged."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import count

from encoder.ffmpeg import containers, whole
from encoder.ffmpeg.captions import Captions
from encoder.ffmpeg.closing import Closing, Read, Written
from encoder.ffmpeg.containers import Container
from encoder.ffmpeg.exits import Exit
from encoder.ffmpeg.image_file import ImagesSeen
from encoder.ffmpeg.joint import Parts
from encoder.ffmpeg.watch import Content
from encoder.model.base import replace
from encoder.model.media import AudioStream, Media, Opened, StreamCount, VideoStream
from encoder.model.plan import AudioPlan, Loudness, OutputPlan, VideoPlan

# time stamps are in milliseconds in some containers, and a start and an end are each off by one
CLOCK_SECONDS = 0.002

# others join packets of sound, or part them anew
_KEEPING = ("mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm")

Planned = VideoPlan | AudioPlan


def _sounds() -> Iterator[str]:
    """What tracks of sound are called, without end."""
    return ("audio" if number == 1 else f"audio{number}" for number in count(1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What was planned, what ffmpeg said of its run, what lies on disk, and what came of decoding it whole."""

    plan: OutputPlan
    media: Media
    name: str  # of the file
    closing: Closing
    opened: Opened
    decoded: Exit | None  # None: there is nothing to decode
    content: Content | None = None  # of a picture that `watch` looked at
    loudness: tuple[Loudness | None, ...] = ()  # of each track of sound, where one was to have some
    images: ImagesSeen | None = None  # of an output of images
    captions: tuple[tuple[Captions, Captions], ...] = ()  # of each track of subtitles: what it should say, and says
    parts: Parts | None = None  # of a picture that was joined of chunks

    @property
    def reads_all(self) -> bool:
        """Whether the run had to read the source to its end."""
        return not self.plan.clipped and not (self.plan.images and self.plan.images.frames)

    @property
    def is_sparse(self) -> bool:
        """Whether the run read more than it decoded."""
        return self.plan.images is not None and self.plan.images.sparse

    @property
    def container(self) -> Container:
        return containers.CONTAINERS[self.plan.container]

    @property
    def planned(self) -> dict[str, Planned]:
        """The streams that were planned, by kind; further tracks of sound are `audio2` and so on."""
        video: dict[str, Planned] = {} if self.plan.video is None else {"video": self.plan.video}
        return video | dict(zip(_sounds(), self.plan.sounds, strict=False))

    @property
    def picture(self) -> VideoStream | None:
        """The picture of the result."""
        return next((stream for stream in self.opened.media.video if not stream.attached_picture), None)

    def stream(self, kind: str) -> VideoStream | AudioStream | None:
        """What the result has for a planned stream."""
        if kind == "video":
            return self.picture
        return next(
            (sound for name, sound in zip(_sounds(), self.opened.media.audio, strict=False) if name == kind), None
        )

    def count(self, kind: str) -> StreamCount | None:
        """The packets of a stream of the result."""
        stream = self.stream(kind)
        return next((count for count in self.opened.counts if stream and count.index == stream.index), None)

    @property
    def source_picture(self) -> VideoStream | None:
        """The track of the source that the picture was made of."""
        wanted = self.plan.video
        return next((stream for stream in self.media.video if wanted and stream.index == wanted.source_index), None)

    @property
    def declared_end(self) -> float | None:
        """When the source ends by its header. Other formats have no header, or only an estimate from their size."""
        return whole.declared_end(self.media)

    @property
    def held_end(self) -> float:
        """When the last of the source's tracks ends."""
        return whole.held_end(self.media)

    def read(self, kind: str) -> Read | None:
        """What ffmpeg read of the track that a stream was made of."""
        if self.parts is not None and kind == "video" and kind in self.planned:
            # the run that joined its chunks read no picture of the source
            frames, errors = self.parts.frames_decoded, self.parts.decode_errors
            index = self.planned[kind].source_index
            return Read(index=index, kind=kind, packets=frames + errors, frames=frames, errors=errors)
        return self.closing.source(self.planned[kind].source_index) if kind in self.planned else None

    def written(self, kind: str) -> Written | None:
        """What ffmpeg wrote of a stream."""
        nth = [*self.planned].index(kind) - (self.plan.video is not None) if kind in self.planned else 0
        found = self.closing.result(self.name, "video" if kind == "video" else "audio", max(0, nth))
        if found is None or self.parts is None or kind != "video":
            return found
        return replace(found, frames=self.parts.frames[self.plan.name])

    @property
    def whole(self) -> bool:
        """Whether the result has all that ffmpeg says it wrote. If not, what it lacks is no fault of the source."""
        return all(self.count(kind) is not None and not self.lost(kind) for kind in self.planned)

    def lost(self, kind: str) -> int:
        """Packets that ffmpeg wrote and that are not in the result, where its container keeps them as they are."""
        found, wrote = self.count(kind), self.written(kind)
        regrouped = self.planned[kind].codec.startswith(("pcm", "flac"))  # FLAC ends with a packet that is none
        kept = self.container.demuxer in _KEEPING and not regrouped
        if found is None or wrote is None or not (kept or kind == "video"):
            return 0
        return max(0, wrote.packets - found.packets)

    @property
    def frame_seconds(self) -> float:
        """One frame of the picture; 0 without one."""
        return float(1 / Fraction(self.plan.video.rate)) if self.plan.video else 0.0

    @property
    def packet_seconds(self) -> float:
        """The longest packet of the sound; 0 without any."""
        return max((audio.frame_seconds for audio in self.plan.sounds), default=0.0)

    @property
    def slack_seconds(self) -> float:
        """How far an end may be from its plan: a frame and a packet, or more where the source's times are a guess."""
        frames = max(1, self.plan.video.frames_limit) if self.plan.video else 0
        return frames * self.frame_seconds + self._slack_packets * self.packet_seconds + CLOCK_SECONDS

    @property
    def _slack_packets(self) -> int:
        """Sound alone, where nothing says what of its packets is none: what an encoder puts before it is heard, what it
        fills its last one with, and, of a rendition, what that of the source was filled with."""
        if not self.container.own_zero or self.plan.video is not None:
            return 1
        return 3 if self.plan.name else 2

    @property
    def planned_ends(self) -> dict[str, float]:
        """When each stream should end, where that is known; images do not."""
        if self.plan.images is not None:
            return {}
        return {
            kind: stream.start_seconds + stream.duration_seconds
            for kind, stream in self.planned.items()
            if stream.duration_seconds is not None
        }

    def began(self, kind: str) -> float | None:
        """When a stream of the result begins."""
        count = self.count(kind)
        return self._moment(count.first_pts_seconds if count else None)

    def ended(self, kind: str) -> float | None:
        """When a stream of the result ends."""
        count = self.count(kind)
        return self._moment(count.end_pts_seconds if count else None)

    @property
    def file_ended(self) -> float | None:
        """When the result ends, as its container says."""
        media = self.opened.media
        return self._moment(None if media.duration_seconds is None else media.start_seconds + media.duration_seconds)

    def _moment(self, stamp: float | None) -> float | None:
        return None if stamp is None else stamp - self._zero

    @property
    def _zero(self) -> float:
        """What the plan calls 0, in the result's time stamps."""
        if not self.container.own_zero:
            return 0.0
        firsts = [count.first_pts_seconds for count in self.opened.counts if count.first_pts_seconds is not None]
        return min(firsts, default=0.0) - min((stream.start_seconds for stream in self.planned.values()), default=0.0)
