"""How the boxes of an MP4 or MOV lie in the file (ISO/IEC 14496-12, 4.2). Reads headers, never media."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

from encoder.ffmpeg.prober import transport

_HEADER = 8
_LONG_HEADER = 16
_MOST_BOXES = 100_000  # a fragmented file has two for each fragment
_MOST_MOOV_BYTES = 64 * 1024**2
_TO_THE_END = 0
_LONG = 1
_DOLBY_VISION = (b"dvcC", b"dvvC", b"dvwC")
_MATROSKA_HEAD_BYTES = 1024**2
_BLOCK_ADDITION_TYPE, _BLOCK_ADDITION_DATA = b"\x41\xe7\x84", b"\x41\xed"
_RIFF_UNKNOWN = (0, 0x7FFFFFFF, 0xFFFFFFFF)  # what writers leave that could not go back, or not count so far


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    kind: bytes
    start: int
    size: int  # as it says of itself; the file may be shorter

    @property
    def end(self) -> int:
        return self.start + self.size


def boxes(descriptor: int) -> Iterator[Box]:
    """The boxes of the outermost level, up to the first bytes that are none."""
    size_of_file = os.fstat(descriptor).st_size
    at = 0
    for _ in range(_MOST_BOXES):
        header = os.pread(descriptor, _LONG_HEADER, at)
        size = int.from_bytes(header[:4])
        if size == _LONG:
            size = int.from_bytes(header[8:16])
        elif size == _TO_THE_END:
            size = size_of_file - at
        if len(header) < _HEADER or size < _HEADER or not header[4:8].isalnum():
            return
        yield Box(kind=header[4:8], start=at, size=size)
        at += size


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """`faststart`: None without a `moov` or media. `cut_short`: the last box is longer than the file.

    `fragmented`: the media lies in `moof` boxes, and what `moov` or `sidx` declare of its length is a guess.
    """

    faststart: bool | None = None
    trailing_bytes: int = 0
    cut_short: bool = False
    fragmented: bool = False
    declared_bytes: int | None = None  # how large the file is by its own header
    dolby_vision_profile: int | None = None


def is_moving_webp(descriptor: int) -> bool:
    """By the flags of its extended header (RFC 9649, 2.7.1)."""
    head = os.pread(descriptor, 21, 0)
    return head[:4] == b"RIFF" and head[8:16] == b"WEBPVP8X" and bool(head[20:] and head[20] & 2)


def layout(descriptor: int, form: str) -> Layout:
    """Of a file that ffmpeg calls `form`."""
    if form.startswith("mov"):
        return _boxed(descriptor)
    if form.startswith("matroska"):
        return Layout(dolby_vision_profile=_dolby_vision_of_matroska(descriptor))
    if form.startswith("mpegts"):
        head = os.pread(descriptor, transport.HEAD_BYTES, 0)
        return Layout(dolby_vision_profile=transport.dolby_vision(head))
    return Layout(declared_bytes=_riff_bytes(descriptor)) if form in ("avi", "wav") else Layout()


def _boxed(descriptor: int) -> Layout:
    found = list(boxes(descriptor))
    size_of_file = os.fstat(descriptor).st_size
    moov = next((box for box in found if box.kind == b"moov"), None)
    media = next((box for box in found if box.kind in (b"mdat", b"moof")), None)
    end = found[-1].end if found else size_of_file
    return Layout(
        faststart=moov.start < media.start if moov and media else None,
        trailing_bytes=max(0, size_of_file - end),
        cut_short=end > size_of_file,
        fragmented=any(box.kind == b"moof" for box in found),
        dolby_vision_profile=_dolby_vision(descriptor, moov) if moov else None,
    )


def _dolby_vision(descriptor: int, moov: Box) -> int | None:
    """From the configuration box (Dolby Vision Streams Within the ISO BMFF, 3.2): seven bits after the version."""
    content = os.pread(descriptor, min(moov.size, _MOST_MOOV_BYTES), moov.start)
    for kind in _DOLBY_VISION:
        at = content.find(kind)
        if 0 <= at <= len(content) - _HEADER:
            return content[at + 6] >> 1
    return None


def _dolby_vision_of_matroska(descriptor: int) -> int | None:
    """The same record, as what is mapped to a track's additions to its blocks (BlockAddIDType, BlockAddIDExtraData)."""
    head = os.pread(descriptor, _MATROSKA_HEAD_BYTES, 0)
    for kind in _DOLBY_VISION:
        named = head.find(_BLOCK_ADDITION_TYPE + kind)
        at = head.find(_BLOCK_ADDITION_DATA, named) if named >= 0 else -1
        if 0 <= at <= len(head) - _HEADER:
            return head[at + len(_BLOCK_ADDITION_DATA) + 3] >> 1  # after the size, of one byte, and the version
    return None


def _riff_bytes(descriptor: int) -> int | None:
    """Where the last RIFF chunk ends by its header: a large AVI has several."""
    size_of_file = os.fstat(descriptor).st_size
    at: int | None = None
    for _ in range(_MOST_BOXES):
        header = os.pread(descriptor, _HEADER, at or 0)
        size = int.from_bytes(header[4:8], "little")
        if len(header) < _HEADER or header[:4] != b"RIFF" or size in _RIFF_UNKNOWN:
            return at
        at = (at or 0) + _HEADER + size + size % 2
        if at >= size_of_file:
            return at
    return at
