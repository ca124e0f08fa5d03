"""Which bytes of a file ffmpeg reads for a part of its picture, by the very index by which it will seek.

MP4 and MOV name the place of each frame; Matroska that of a cluster now and then, and all between two is read. What is
read to open the file is not reckoned but observed.
"""

from __future__ import annotations

import os
from array import array
from bisect import bisect_left, bisect_right

import av
from av.container import InputContainer
from av.stream import Disposition, Stream

from encoder.ffmpeg.box import SOURCE_FD
from encoder.ffmpeg.prober.layout import layout
from encoder.ffmpeg.prober.source import SourceFile
from encoder.ffmpeg.question import Question
from encoder.model.extent import Extent, merged

_BACK_SECONDS = 1.0  # to be sure of the key that ffmpeg enters at: it looks before the moment, for what is shown late
_BACK_SECONDS_BESIDE = 31.0  # where subtitles are read too, Matroska is entered up to 30 s earlier for them
_MORE_BYTES = 512 * 1024  # behind what opening reads: another version may look at some packets more
_BLOCK_BYTES = 4096
_NEAR_BYTES = 256 * 1024  # a smaller gap is sooner read than left out
_FREQUENT = 2  # entries: an index of fewer is none
_MICROSECONDS = 1_000_000


def extents(container: InputContainer, file: SourceFile, question: Question) -> tuple[tuple[Extent, ...], ...]:
    """Of each span what is needed, in order; () for all of them where it cannot be told for sure."""
    pictures = [each for each in container.streams.video if not each.disposition & Disposition.attached_pic]
    is_matroska = container.format.name.startswith("matroska")
    if len(pictures) != 1 or pictures[0].index not in question.streams:
        return ()
    if is_matroska:
        container.seek(0)  # which reads the cues
    elif not container.format.name.startswith("mov") or layout(SOURCE_FD, "mov").fragmented:
        return ()
    _read_on(container, file)
    indexes = [_Index(each) for each in container.streams if each.index in question.streams]
    if any(len(each.stamps) < _FREQUENT for each in indexes[:1]):
        return ()
    size, head = os.fstat(SOURCE_FD).st_size, file.was_read
    origin = (container.start_time or 0) / _MICROSECONDS
    back = _BACK_SECONDS_BESIDE if is_matroska and len(question.streams) > 1 else _BACK_SECONDS
    found: list[tuple[Extent, ...]] = []
    for start, end in question.spans:
        first, last = start + origin - back, None if end is None else end + origin
        if is_matroska:
            picture = next(each for each in indexes if each.number == pictures[0].index)
            needed = [picture.between_entries(first, last, size)]
        else:
            needed = [each.of_packets(first, last) for each in indexes]
        found.append(_blocks((*head, *needed), size))
    return tuple(found)


def _read_on(container: InputContainer, file: SourceFile) -> None:
    """A little further than it took to open it."""
    enough_bytes = file.read_bytes + _MORE_BYTES
    try:
        for _ in container.demux():
            if file.read_bytes >= enough_bytes:
                return
    except av.FFmpegError:
        return


class _Index:
    """What the file says of where one stream lies."""

    def __init__(self, stream: Stream) -> None:
        self.number = stream.index
        self._tick = float(stream.time_base or 1)
        self.stamps, self._places, self._ends = array("q"), array("q"), array("q")
        self._keys, self._key_stamps = array("q"), array("q")
        for at, entry in enumerate(stream.index_entries):
            self.stamps.append(entry.timestamp)
            self._places.append(entry.pos)
            self._ends.append(entry.pos + entry.size)
            if entry.is_keyframe:
                self._keys.append(at)
                self._key_stamps.append(entry.timestamp)

    def of_packets(self, first: float, last: float | None) -> Extent:
        """All packets from the key before one moment to the other, and what lies between them."""
        begin = self._before(first)
        end = len(self.stamps) if last is None else bisect_left(self.stamps, last / self._tick)
        places, ends = self._places[begin:end], self._ends[begin:end]
        return (min(places), max(ends)) if places else (0, 0)

    def between_entries(self, first: float, last: float | None, size: int) -> Extent:
        """From the entry before one moment to the entry after the other, or to the end of the file."""
        begin = self._places[self._before(first)]
        after = len(self.stamps) if last is None else bisect_left(self.stamps, last / self._tick)
        return begin, size if after == len(self.stamps) else self._places[after] + _BLOCK_BYTES

    def _before(self, moment: float) -> int:
        place = bisect_right(self._key_stamps, moment / self._tick)
        return self._keys[place - 1] if place else 0


def _blocks(needed: tuple[Extent, ...], size: int) -> tuple[Extent, ...]:
    """As blocks of the disk."""
    rounded = (
        (first // _BLOCK_BYTES * _BLOCK_BYTES, min(size, -(-last // _BLOCK_BYTES) * _BLOCK_BYTES))
        for first, last in needed
        if first < last
    )
    return merged(rounded, nearer_bytes=_NEAR_BYTES)
