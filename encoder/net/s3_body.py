"""A stretch of a local file as the body of a request, with the checksum that the server must find."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

from encoder import errors
from encoder.net.idle import Idle

_READ_BYTES = 1024 * 1024
_WRITE_BYTES = 256 * 1024  # what a transport cannot send at once, it copies with each rest


class Reader:
    """An open file that many read from at the same time; it is closed when the last of them has."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb", buffering=0)
        self._reads: set[asyncio.Future[bytes]] = set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        while self._reads:  # aiohttp leaves a read of the body behind when its request ends early
            await asyncio.wait(self._reads)
        self._file.close()

    async def read(self, at: int, count: int) -> bytes:
        chunk = await self._in_thread(partial(os.pread, self._file.fileno(), count, at))
        if not chunk:
            raise errors.Transient("integrity_error", "The file became shorter on its way from the scratch folder.")
        return chunk

    async def md5(self, start: int, size_bytes: int) -> bytes:
        """What a server finds over a stretch of the file; no guard against enemies, but all of them can tell it."""
        return await self._in_thread(partial(_md5, self._file.fileno(), start, size_bytes))

    async def _in_thread(self, call: Callable[[], bytes]) -> bytes:
        running = asyncio.ensure_future(asyncio.to_thread(call))
        self._reads.add(running)
        running.add_done_callback(self._reads.discard)
        return await asyncio.shield(running)


class Body:
    """A stretch of `reader` on its way. botocore carries it as if it were a file; our own session sends it.

    `sent` is told of each stretch of bytes once, however often they are sent. `before_end` is awaited before the last
    bytes: a server sees nothing of a body that does not reach its Content-Length.
    """

    def __init__(
        self,
        reader: Reader,
        start: int,
        size_bytes: int,
        *,
        md5: bytes,
        sent: Callable[[int], None],
        before_end: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self.size_bytes = size_bytes
        self.md5 = md5
        self.complete = False  # whether the last byte has left
        self.failure: Exception | None = None  # aiohttp shows its caller only its own words
        self._reader = reader
        self._start = start
        self._sent = sent
        self._before_end = before_end
        self._told = 0

    @property
    def content_md5(self) -> str:
        """As the header wants it."""
        return base64.b64encode(self.md5).decode()

    def read(self, _count: int = -1) -> bytes:
        raise errors.Defect("a body is sent by our session alone")

    def seek(self, _position: int) -> None:
        """Nothing: each sending begins at the start."""

    async def chunks(self, idle: Idle) -> AsyncIterator[memoryview]:
        """The bytes from the first on. While the other side has some to take, it may not stand still."""
        at = 0
        self.complete, self.failure = False, None
        try:
            while at < self.size_bytes:
                chunk = await self._reader.read(self._start + at, min(_READ_BYTES, self.size_bytes - at))
                if at + len(chunk) == self.size_bytes and self._before_end is not None:
                    await self._before_end()
                for piece in _pieces(chunk):
                    with idle.waiting():
                        yield piece
                    at += len(piece)
                    self._tell(at)
            self.complete = True
        except Exception as failure:
            self.failure = failure
            raise

    def _tell(self, at: int) -> None:
        if at > self._told:
            self._sent(at - self._told)
            self._told = at


def _md5(descriptor: int, start: int, size_bytes: int) -> bytes:
    digest, at, end = hashlib.md5(usedforsecurity=False), start, start + size_bytes
    while at < end and (chunk := os.pread(descriptor, min(_READ_BYTES, end - at), at)):
        digest.update(chunk)
        at += len(chunk)
    return digest.digest()


def _pieces(chunk: bytes) -> Iterator[memoryview]:
    view = memoryview(chunk)
    for at in range(0, len(view), _WRITE_BYTES):
        yield view[at : at + _WRITE_BYTES]
