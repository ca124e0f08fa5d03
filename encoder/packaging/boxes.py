"""The boxes of ISO base media files (ISO/IEC 14496-12): where each lies and what is in it.

Whoever took ffmpeg over writes what it likes: every length is held against what is there.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from encoder import errors

_MOST_BYTES = 64 << 20  # of a box that is read whole: `moof` of an hour of sound has 4 MB


class Box(NamedTuple):
    kind: str
    body: bytes


class Place(NamedTuple):
    """Where a box of a file lies, its header included."""

    kind: str
    start: int
    head: int  # bytes of the header
    end: int

    def read(self, file: BinaryIO) -> bytes:
        """What is in it."""
        if self.end - self.start > _MOST_BYTES:
            raise broken(f"its {self.kind} is too large")
        return read_at(file, self.start + self.head, self.end - self.start - self.head)


def places(file: BinaryIO) -> Iterator[Place]:
    """The boxes of the top level.

    Raises:
        errors.Permanent: `output_invalid`, one goes on after the end of the file.
    """
    size, at = os.fstat(file.fileno()).st_size, 0
    while at < size:
        head = read_at(file, at, min(16, size - at))
        kind, header, length = _header(head, size - at)
        if length < header or at + length > size:
            raise broken(f"its {kind} is cut short")
        yield Place(kind, at, header, at + length)
        at += length


def boxes(data: bytes) -> Iterator[Box]:
    """The boxes that lie in `data`, one after the other."""
    at = 0
    while at < len(data):
        kind, header, length = _header(data[at : at + 16], len(data) - at)
        if length < header or at + length > len(data):
            raise broken(f"its {kind} is cut short")
        yield Box(kind, data[at + header : at + length])
        at += length


def find(data: bytes, *way: str) -> bytes:
    """What is in the first box at the end of `way`.

    Raises:
        errors.Permanent: `output_invalid`, there is none.
    """
    for kind in way:
        found = maybe(data, kind)
        if found is None:
            raise broken(f"it has no {kind}")
        data = found
    return data


def maybe(data: bytes, kind: str) -> bytes | None:
    return next((box.body for box in boxes(data) if box.kind == kind), None)


class Reader:
    """Numbers of a box, one after the other."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.at = 0

    def take(self, layout: str) -> tuple[int, ...]:
        """As `struct` has it, big-endian."""
        try:
            values: tuple[int, ...] = struct.unpack_from(">" + layout, self._data, self.at)
        except struct.error as error:
            raise broken("a box is too short") from error
        self.at += struct.calcsize(">" + layout)
        return values

    def number(self, layout: str) -> int:
        return self.take(layout)[0]

    def full(self) -> tuple[int, int]:
        """Version and flags, with which a full box begins."""
        both = self.number("I")
        return both >> 24, both & 0xFFFFFF


def read_at(file: BinaryIO, at: int, size: int) -> bytes:
    data = os.pread(file.fileno(), size, at) if at >= 0 else b""
    if len(data) < size or at < 0:
        raise broken("it is cut short")
    return data


def broken(what: str) -> errors.Permanent:
    return errors.Permanent("output_invalid", what, check="package.broken")


def _header(head: bytes, rest: int) -> tuple[str, int, int]:
    if len(head) < 8:  # noqa: PLR2004  # the smallest box
        raise broken("it is cut short")
    length, kind = int.from_bytes(head[:4]), head[4:8].decode("latin-1")
    if length == 1:
        return kind, 16, int.from_bytes(head[8:16])
    return kind, 8, length or rest
