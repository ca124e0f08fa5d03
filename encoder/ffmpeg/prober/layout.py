"""How the boxes of an MP4 or MOV lie in the file (ISO/IEC 14496-12, 4.2). Reads headers, never media."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

_HEADER = 8
_LONG_HEADER = 16
_MOST_BOXES = 100_000  # a fragmented file has two for each fragment
_MOST_MOOV_BYTES = 64 * 1024**2
_TO_THE_END = 0
_LONG = 1


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
    dolby_vision_profile: int | None = None


def layout(descriptor: int) -> Layout:
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
    for kind in (b"dvcC", b"dvvC", b"dvwC"):
        at = content.find(kind)
        if 0 <= at <= len(content) - _HEADER:
            return content[at + 6] >> 1
    return None
