"""The source as a file object for PyAV: remembers which of its bytes were read, and knows which are not there yet."""

from __future__ import annotations

import os
from collections.abc import Iterable

from encoder.ffmpeg.box import SOURCE_FD
from encoder.model.extent import Extent, merged


class MissingError(Exception):
    """What was to be read is not there: of a file that is still arriving it is a hole."""

    def __init__(self, wanted: Extent) -> None:
        super().__init__(f"bytes {wanted[0]} to {wanted[1]} are not there")
        self.wanted = wanted


class SourceFile:
    """Descriptor 3, from its first byte. `there`: what of it has arrived; (): all.

    libav takes any error of a read for the end of the file, and may go on; so `missing` is to be looked at afterwards.
    """

    def __init__(self, there: Iterable[Extent] = ()) -> None:
        self._size = os.fstat(SOURCE_FD).st_size
        self._there = merged(there)
        self.arriving = bool(self._there)
        self._there = self._there or ((0, self._size),)
        self._at = 0
        self._read: list[Extent] = []
        self.read_bytes = 0
        self.missing: Extent | None = None

    @property
    def was_read(self) -> tuple[Extent, ...]:
        self._read = [*merged(self._read)]
        return tuple(self._read)

    def read(self, size: int) -> bytes:
        end = min(self._at + size, self._size)
        held = next((last for first, last in self._there if first <= self._at < last), self._at)
        if self.missing is not None or (held <= self._at < self._size):
            self.missing = self.missing or (self._at, end)
            raise MissingError(self.missing)
        # a broken index may lead behind the end
        data = os.pread(SOURCE_FD, max(0, min(end, held) - self._at), self._at)
        if self._read and self._read[-1][1] == self._at:
            self._read[-1] = (self._read[-1][0], self._at + len(data))
        else:
            self._read.append((self._at, self._at + len(data)))
        self._at += len(data)
        self.read_bytes += len(data)
        return data

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        self._at = base + offset
        return self._at

    def tell(self) -> int:
        return self._at
