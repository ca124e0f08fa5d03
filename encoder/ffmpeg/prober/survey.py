"""What a file is: its streams, their times, and, for the proof, a count of each packet."""

from __future__ import annotations

import math
import os
from dataclasses import replace

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Stream
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream

from encoder.ffmpeg.box import SOURCE_FD
from encoder.ffmpeg.formats import MOST_PIXELS, MOST_STREAMS
from encoder.ffmpeg.prober import describe
from encoder.ffmpeg.prober.describe import Shown
from encoder.ffmpeg.prober.entries import Entries
from encoder.ffmpeg.prober.extents import extents
from encoder.ffmpeg.prober.jumps import Jumps
from encoder.ffmpeg.prober.layout import is_moving_webp, layout
from encoder.ffmpeg.prober.look import AudioLook, VideoLook
from encoder.ffmpeg.prober.opening import opened
from encoder.ffmpeg.prober.parting import partings
from encoder.ffmpeg.prober.series import Clock
from encoder.ffmpeg.prober.source import MissingError, SourceFile
from encoder.ffmpeg.prober.walk import Packet, Track, walk
from encoder.ffmpeg.question import Answer, Question, Refusal
from encoder.model.media import AudioStream as AudioFacts
from encoder.model.media import Media, Opened
from encoder.model.media import VideoStream as VideoFacts

_MOST_WALKED_BYTES = 256 * 1024**2
_ENTERED = ("mov", "matroska")  # whose times are the same however they are read
_MORE_SECONDS = 20.0  # of walking, where it spares decoding
_MICROSECONDS = 1_000_000
_PLACES = (2, 3)  # quarters
_SUBTITLES = "subtitle"
_TOLD = ("audio", _SUBTITLES)


class _RefusedError(Exception):
    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.refusal = Refusal(code=code, message=message)


def answer(question: Question) -> Answer:
    if not os.fstat(SOURCE_FD).st_size:
        return Answer(refusal=Refusal(code="empty_source", message="The source has no bytes."))
    file = SourceFile(question.there) if question.there or question.spans else None
    try:
        with opened(question.formats, file) as container:
            return _told(container, file, question)
    except _RefusedError as error:
        return Answer(refusal=error.refusal)
    except MissingError as error:
        return Answer(missing=error.wanted)
    except (av.FFmpegError, UnicodeError, ValueError) as error:
        if file is not None and file.missing is not None:
            return Answer(missing=file.missing)
        said = getattr(error, "strerror", None) or str(error)
        return Answer(refusal=Refusal(code="unsupported_format", message=f"The file cannot be read: {said}."))


def _told(container: InputContainer, file: SourceFile | None, question: Question) -> Answer:
    if question.spans and file is not None:
        needed = extents(container, file, question)
        return Answer(extents=needed) if file.missing is None else Answer(missing=file.missing)
    survey = _Survey(container, question, file)
    survey.run()
    if file is not None and file.missing is not None:
        return Answer(missing=file.missing)
    if question.every_packet:
        return Answer(opened=survey.opened())
    return Answer(media=survey.media(), entries=survey.entries(), cuts=survey.cuts())


class _Survey:
    """One file, opened, walked and looked at. `arriving`: of which not all is there; None: all is."""

    def __init__(self, container: InputContainer, question: Question, arriving: SourceFile | None) -> None:
        self._container = container
        self._arriving = arriving
        self._most_bytes = None if question.every_packet else _MOST_WALKED_BYTES
        self._more_seconds = _MORE_SECONDS if question.entries else 0.0
        self._ends = question.ends
        self._enters = question.entries and container.format.name.startswith(_ENTERED)
        self._streams = list(container.streams)
        self._tracks = {stream.index: Track(stream, question.seams) for stream in self._streams}
        self._layout = layout(SOURCE_FD, container.format.name)
        self._jumps = Jumps(container)
        self._whole = False
        self._video: dict[int, VideoLook] = {}
        self._audio: dict[int, AudioLook] = {}
        self._entries: dict[int, Entries] = {}

    def run(self) -> None:
        if is_moving_webp(SOURCE_FD):
            told = "Animated WebP cannot be read; send a GIF, an animated PNG or a video."
            raise _RefusedError("unsupported_format", told)
        _refuse_bombs(self._streams)
        for stream in self._streams:
            if isinstance(stream, VideoStream) and _is_picture(stream):
                self._video[stream.index] = VideoLook(stream)
                if self._enters:
                    self._entries[stream.index] = Entries(stream)
            elif isinstance(stream, AudioStream) and stream.codec_context is not None:
                self._audio[stream.index] = AudioLook(stream)
        self._whole = self._walk()
        for look in self._video.values():
            self._look_further(look)

    def _walk(self) -> bool:
        """Whether it came to the end. Of what is arriving the beginning that is there does, as of a huge file."""
        try:
            whole = walk(
                self._container,
                self._tracks,
                self._jumps,
                self._visit,
                most_bytes=self._most_bytes,
                more_seconds=self._more_seconds,
            )
        except (MissingError, av.FFmpegError):
            if self._arriving is None or self._arriving.missing is None:
                raise
            whole = False
        if self._arriving is None or self._arriving.missing is None:
            return whole
        self._arriving.missing = None
        return False

    def media(self) -> Media:
        container = self._container
        return Media(
            format=container.format.name,
            size_bytes=os.fstat(SOURCE_FD).st_size,
            duration_seconds=self._duration_seconds,
            start_seconds=_microseconds(container.start_time) or 0.0,
            bitrate_bps=container.bit_rate or None,
            video=tuple(self._describe_video(look) for look in self._video.values()),
            audio=tuple(self._describe_audio(stream) for stream in self._streams if isinstance(stream, AudioStream)),
            subtitles=tuple(describe.subtitles(stream) for stream in self._streams if stream.type == _SUBTITLES),
            other=tuple(
                describe.other(stream)
                for stream in self._streams
                if stream.index not in self._video and stream.type not in _TOLD
            ),
            cut_short=self._layout.cut_short,
            declared_bytes=self._layout.declared_bytes,
        )

    def entries(self) -> dict[int, tuple[float, ...]]:
        """Of each picture, if all of it was seen."""
        origin = _microseconds(self._container.start_time) or 0.0
        return {index: found.seconds(origin) for index, found in self._entries.items()} if self._whole else {}

    def cuts(self) -> dict[int, tuple[float, ...]]:
        """Of each picture, near the moments that were asked about."""
        origin = _microseconds(self._container.start_time) or 0.0
        found: dict[int, set[float]] = {}
        for index, look in self._video.items():
            for end in self._ends:
                near = partings(self._container, look.stream, end + origin)
                found.setdefault(index, set()).update(moment - origin for moment in near)
        return {index: tuple(sorted(moments)) for index, moments in found.items()}

    def opened(self) -> Opened:
        origin = _microseconds(self._container.start_time) or 0.0
        last = max((track.end_seconds or origin for track in self._tracks.values()), default=origin)
        clock = Clock.over(origin, last)
        return Opened(
            media=self.media(),
            counts=tuple(self._tracks[stream.index].count(clock) for stream in self._streams),
            faststart=self._layout.faststart,
            trailing_bytes=self._layout.trailing_bytes,
        )

    def _visit(self, packet: Packet) -> None:
        if packet.has_sidedata("encryption_info"):
            raise _RefusedError("encrypted_source", "The source is encrypted.")
        if packet.stream_index in self._entries:
            self._entries[packet.stream_index].take(packet)
        look = self._video.get(packet.stream_index) or self._audio.get(packet.stream_index)
        if look and look.wants_more:
            look.take(packet)

    def _look_further(self, look: VideoLook) -> None:
        """From other keyframes, half and three quarters of the way."""
        keys = sorted(self._tracks[look.stream.index].key_stamps)
        places = sorted({keys[len(keys) * quarters // 4] for quarters in _PLACES} - {keys[0]}) if keys else []
        for place in places:
            if look.settled:
                return
            look.look_on()
            self._container.seek(place, stream=look.stream)
            for packet in self._container.demux(look.stream):
                look.take(packet)
                if not look.wants_more:
                    break

    def _describe_video(self, look: VideoLook) -> VideoFacts:
        stream = look.stream
        dolby_vision = self._layout.dolby_vision_profile
        track, first = self._tracks[stream.index], look.first.pts if look.first else None
        lead = track.lead(first)
        start = float(first * track.time_base) if lead and first is not None else None
        return describe.video(stream, track, look, self._shown(stream, start, lead), dolby_vision)

    def _describe_audio(self, stream: AudioStream) -> AudioFacts:
        look = self._audio.get(stream.index)
        start = look.start_seconds if look else None
        shown = self._shown(stream, start)
        if look and shown.duration_seconds is not None:
            # of recordings that are joined sound may overlap a little: all of it is heard
            least = self._tracks[stream.index].lasting_seconds if self._jumps.found else 0.0
            shown = replace(shown, duration_seconds=max(least, shown.duration_seconds + look.kept_seconds))
        return describe.audio(stream, self._tracks[stream.index], look, shown)

    def _shown(self, stream: Stream, start: float | None = None, lead: int = 0) -> Shown:
        """Counted, where the file was walked to its end; declared, where its end is missing or too far away."""
        track = self._tracks[stream.index]
        begin = start if start is not None else track.start_seconds or 0.0
        end = track.end_seconds
        if self._whole and not self._layout.cut_short and end is not None:
            length = max(0.0, min(end, self._last_moment) - begin)
            return Shown(start_seconds=begin, duration_seconds=length, frames=len(track.shown) - lead, lead_frames=lead)
        indexed = sum(not entry.is_discard for entry in stream.index_entries)
        declared = float(track.time_base * stream.duration) if stream.duration else None
        if declared is None and self._arriving is not None and self._duration_seconds is not None:
            declared = self._duration_seconds - begin + (_microseconds(self._container.start_time) or 0.0)
        if lead and declared is not None:
            declared -= begin - (track.start_seconds or 0.0)
        return Shown(
            start_seconds=begin,
            duration_seconds=declared,
            lost_seconds=self._lost_seconds(stream, begin, declared),
            frames=indexed - lead if stream.frames and indexed else None,
            lead_frames=lead,
        )

    def _lost_seconds(self, stream: Stream, begin: float, declared: float | None) -> float:
        """What is declared of a stream and lies behind the end of the file: by its packets, else by its index."""
        if not self._layout.cut_short or declared is None:
            return 0.0
        track, size = self._tracks[stream.index], os.fstat(SOURCE_FD).st_size
        if self._whole:
            return max(0.0, begin + declared - (track.end_seconds or begin))
        lost = [entry.timestamp for entry in stream.index_entries if (entry.pos or 0) + entry.size > size]
        return max(0.0, begin + declared - float(min(lost) * track.time_base)) if lost else 0.0

    @property
    def _duration_seconds(self) -> float | None:
        """From the first moment to the last, as declared; what Matroska declares begins at its zero."""
        length, start = self._container.duration, self._container.start_time or 0
        if self._jumps.found:
            ends = (track.end_seconds or 0.0 for track in self._tracks.values())
            return max(ends) - start / _MICROSECONDS if self._whole else None
        if length is not None and self._container.format.name.startswith("matroska") and 0 < start < length:
            return (length - start) / _MICROSECONDS
        return _microseconds(length)

    @property
    def _last_moment(self) -> float:
        """An edit list may end inside a packet: nothing is presented after the end that an MP4 declares."""
        container = self._container
        listed = container.format.name.startswith("mov") and not self._layout.fragmented
        if container.duration is None or not listed:
            return math.inf
        return ((container.start_time or 0) + container.duration) / _MICROSECONDS


def _refuse_bombs(streams: list[Stream]) -> None:
    if not streams:
        raise _RefusedError("unsupported_format", "The file holds no stream.")
    if len(streams) > MOST_STREAMS:
        raise _RefusedError(
            "too_many_streams", f"The file has {len(streams)} streams; at most {MOST_STREAMS} are taken."
        )
    for stream in streams:
        if isinstance(stream, VideoStream) and _is_picture(stream) and stream.width * stream.height > MOST_PIXELS:
            raise _RefusedError("resolution_too_large", f"The picture is {stream.width}×{stream.height} pixels.")


def _is_picture(stream: VideoStream) -> bool:
    """Whether ffmpeg has a decoder for it and made out its size."""
    context: VideoCodecContext | None = stream.codec_context  # None without a decoder, whatever its stub says
    return context is not None and bool(context.width and context.height)


def _microseconds(value: int | None) -> float | None:
    return None if value is None else value / _MICROSECONDS
