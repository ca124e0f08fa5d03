"""A stretch of a local file as the body of a request, with the checksum that the server must find."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import os
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar

from encoder import errors
from encoder.net.idle import Idle, pieces

T = TypeVar("T")

_READ_BYTES = 1024 * 1024
_STEP_BYTES = 16 * _READ_BYTES
_MD5 = re.compile(r'"?([0-9a-f]{32})"?')


@dataclass(frozen=True, slots=True, kw_only=True)
class Goods:
    """What is to stand at `key`. `dress`: parameters of the object as S3's API names them.

    `sent` is told of bytes that have left; `fence` is awaited before the act that makes the object visible.
    """

    key: str
    path: Path
    size_bytes: int
    sha256: str
    dress: Mapping[str, Any]
    sent: Callable[[int], None]
    fence: Callable[[], Awaitable[None]]


class Reader:
    """An open file that many read from at the same time; it is closed when the last of them has."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb", buffering=0)
        self._reads: set[asyncio.Future[Any]] = set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        while self._reads:  # aiohttp leaves a read of the body behind when its request ends early
            await asyncio.wait(self._reads)
        self._file.close()

    def require(self, size_bytes: int) -> None:
        """Raises errors.Transient: the file is not as large as that."""
        if os.fstat(self._file.fileno()).st_size != size_bytes:
            raise errors.Transient("integrity_error", "The file changed its size on its way from the scratch folder.")

    async def read(self, at: int, count: int) -> bytes:
        chunk = await self._in_thread(partial(os.pread, self._file.fileno(), count, at))
        if not chunk:
            raise errors.Transient("integrity_error", "The file became shorter on its way from the scratch folder.")
        return chunk

    async def md5(self, start: int, size_bytes: int) -> bytes:
        """What a server finds over a stretch of the file; no guard against enemies, but all of them can tell it."""
        return await self._in_thread(partial(_md5, self._file.fileno(), start, size_bytes))

    async def sha256(self, size_bytes: int) -> str:
        """Of the whole file, in steps: a cancel need not wait for the end of a large one."""
        digest = hashlib.sha256()
        for at in range(0, size_bytes, _STEP_BYTES):
            await self._in_thread(partial(_update, digest, self._file.fileno(), at, min(_STEP_BYTES, size_bytes - at)))
        return digest.hexdigest()

    async def _in_thread(self, call: Callable[[], T]) -> T:
        running = asyncio.ensure_future(asyncio.to_thread(call))
        self._reads.add(running)
        running.add_done_callback(self._reads.discard)
        return await asyncio.shield(running)


class Readable(Protocol):
    """Whatever a stretch can be read of."""

    async def read(self, at: int, count: int) -> bytes: ...


class Body:
    """A stretch of `reader` on its way. botocore carries it as if it were a file; our own session sends it.

    `sent` is told of each stretch of bytes once, however often they are sent. `before_end` is awaited before the last
    bytes: a server sees nothing of a body that does not reach its Content-Length.
    """

    def __init__(
        self,
        reader: Readable,
        start: int,
        size_bytes: int,
        *,
        md5: bytes,
        sent: Callable[[int], None],
        before_end: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self.failure: Exception | None = None  # aiohttp shows its caller only its own words
        self._reader = reader
        self._start = start
        self._size_bytes = size_bytes
        self._md5 = md5
        self._sent = sent
        self._before_end = before_end
        self._told = 0
        self._complete = False

    @property
    def parameters(self) -> dict[str, Any]:
        """What an operation of S3's API is given to send this."""
        md5 = base64.b64encode(self._md5).decode()
        return {"Body": self, "ContentLength": self._size_bytes, "ContentMD5": md5}

    def read(self, _count: int = -1) -> bytes:
        raise errors.Defect("a body is sent by our session alone")

    def seek(self, _position: int) -> None:
        """Nothing: each sending begins at the start."""

    async def chunks(self, idle: Idle) -> AsyncIterator[memoryview]:
        """The bytes from the first on. While the other side has some to take, it may not stand still."""
        at, self._complete, self.failure = 0, False, None
        try:
            while at < self._size_bytes:
                chunk = await self._reader.read(self._start + at, min(_READ_BYTES, self._size_bytes - at))
                if at + len(chunk) == self._size_bytes and self._before_end is not None:
                    await self._before_end()
                for piece in pieces(chunk):
                    with idle.waiting():
                        yield piece
                    at += len(piece)
                    self._tell(at)
            self._complete = True
        except Exception as failure:
            self.failure = failure
            raise

    def require_arrived(self, answer: Mapping[str, Any]) -> None:
        """Raises errors.Transient: the answer, though a success, tells of other bytes than these.

        An ETag is the MD5 of the bytes where the server keeps them under no key of its own, and looks like one.
        """
        told = _MD5.fullmatch(answer.get("ETag", ""))
        by_key = answer.get("ServerSideEncryption", "AES256") != "AES256" or "SSECustomerAlgorithm" in answer
        if not self._complete or (told is not None and not by_key and told[1] != self._md5.hex()):
            raise errors.Transient("integrity_error", "S3 holds other bytes than were sent.")

    def _tell(self, at: int) -> None:
        if at > self._told:
            self._sent(at - self._told)
            self._told = at


def _md5(descriptor: int, start: int, size_bytes: int) -> bytes:
    digest = hashlib.md5(usedforsecurity=False)
    _update(digest, descriptor, start, size_bytes)
    return digest.digest()


def _update(digest: hashlib._Hash, descriptor: int, start: int, size_bytes: int) -> None:
    at, end = start, start + size_bytes
    while at < end and (chunk := os.pread(descriptor, min(_READ_BYTES, end - at), at)):
        digest.update(chunk)
        at += len(chunk)
