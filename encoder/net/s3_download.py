"""An object in order, through several requests at a time, each for a range of the same version."""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from encoder import errors
from encoder.net.http import translated
from encoder.net.s3 import S3
from encoder.net.s3_errors import status_of

if TYPE_CHECKING:
    from aiohttp import ClientResponse
    from types_aiobotocore_s3.client import S3Client
    from types_aiobotocore_s3.type_defs import GetObjectOutputTypeDef, GetObjectRequestTypeDef

WINDOWS = 4
TRIES = 3

_CHUNK_BYTES = 1024 * 1024
_WHOLE = 200
_NOT_THIS = frozenset({412, 416})  # another version stands there; nothing from that byte on
_RANGE = re.compile(r"bytes (?P<first>[0-9]{1,18})-[0-9]{1,18}/(?P<size>[0-9]{1,18})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """A download of which the first answer has come: it pins the version. `etag` None: the server tells none."""

    key: str
    size_bytes: int
    etag: str | None
    offset: int
    answer: GetObjectOutputTypeDef

    @property
    def validator(self) -> str | None:
        """The ETag, where the same one means the same bytes: a weak one does not promise it (RFC 9110, 8.8.1)."""
        return self.etag if self.etag and self.etag.startswith('"') else None


async def begin(s3: S3, key: str, *, offset: int = 0, validator: str | None = None) -> Begun | None:
    """The download of `key` from `offset` on; None if it has no byte there, or is no longer what `validator` says.

    Raises:
        errors.Permanent, errors.Transient: as `S3.ask`.
    """
    window_bytes = s3.sizes.window_bytes
    answer = await s3.ask(lambda client: _get(client, s3.bucket, key, (offset, offset + window_bytes), validator))
    if answer is None:
        return None
    first, size, length = _span(answer)
    if size < 0 or first != offset or length != min(window_bytes, size - offset):
        answer["Body"].raw_stream.close()
        raise _another_part(s3)
    return Begun(key=key, size_bytes=size, etag=answer.get("ETag"), offset=offset, answer=answer)


def _span(answer: GetObjectOutputTypeDef) -> tuple[int, int, int]:
    """First byte, size of the object, and length of an answer, -1 where it does not tell."""
    length = answer.get("ContentLength", -1)
    if answer["ResponseMetadata"]["HTTPStatusCode"] == _WHOLE:
        return 0, length, length
    told = _RANGE.fullmatch(answer.get("ContentRange", ""))
    return (int(told["first"]), int(told["size"]), length) if told else (-1, -1, length)


def _another_part(s3: S3) -> errors.Transient:
    return errors.Transient(s3.side.away, "The server sent another part of the object than it was asked for.")


@asynccontextmanager
async def downloading(s3: S3, begun: Begun) -> AsyncIterator[AsyncIterator[bytes]]:
    """All bytes from its offset on, in chunks of at most 1 MiB; at most `WINDOWS` windows wait for the reader."""
    download = _Download(s3, begun)
    try:
        yield download.chunks()
    finally:
        await download.close()


async def reading(s3: S3, key: str, span: tuple[int, int], etag: str | None) -> AsyncIterator[bytes]:
    """The bytes `span[0]` up to `span[1]` of that version, by one request, in chunks of at most 1 MiB.

    Raises:
        errors.Permanent, errors.Transient: as `S3.ask`; it breaks, or another version stands there.
    """
    answer = await s3.ask(lambda client: _get(client, s3.bucket, key, span, etag))
    if answer is None:
        raise errors.Transient(s3.side.away, "The object changed while it was read.")
    response: ClientResponse = answer["Body"].raw_stream
    try:
        if _span(answer)[0] != span[0]:
            raise _another_part(s3)
        with translated(s3.side.away):
            async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
                yield chunk
    finally:
        response.close()


async def _get(
    client: S3Client, bucket: str, key: str, span: tuple[int, int], validator: str | None
) -> GetObjectOutputTypeDef | None:
    request: GetObjectRequestTypeDef = {"Bucket": bucket, "Key": key, "Range": f"bytes={span[0]}-{span[1] - 1}"}
    if validator is not None:
        request["IfMatch"] = validator
    try:
        return await client.get_object(**request)
    except ClientError as error:
        if status_of(error) in _NOT_THIS:
            return None
        raise


@dataclass(slots=True, kw_only=True)
class _Window:
    """The bytes from `at` up to `end` have still to come; what came waits to be taken."""

    at: int
    end: int
    _came: deque[bytes] = field(default_factory=deque)
    _failure: Exception | None = None
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    def put(self, piece: bytes) -> None:
        self.at += len(piece)
        self._came.append(piece)
        self._news.set()

    def fail(self, failure: Exception) -> None:
        self._failure = failure
        self._news.set()

    async def take(self) -> bytes:
        """The next bytes, as many as have come but at most 1 MiB; none after the last. Raises what it failed with."""
        while not self._came:
            if self._failure is not None:
                raise self._failure
            if self.at == self.end:
                return b""
            self._news.clear()
            await self._news.wait()
        taken, room = list[bytes](), _CHUNK_BYTES
        while self._came and len(self._came[0]) <= room:
            taken.append(self._came.popleft())
            room -= len(taken[-1])
        return b"".join(taken)


class _Download:
    def __init__(self, s3: S3, begun: Begun) -> None:
        self._s3 = s3
        self._begun = begun
        self._next = begun.offset
        self._windows: deque[_Window] = deque()
        self._tasks: set[asyncio.Task[None]] = set()

    async def chunks(self) -> AsyncIterator[bytes]:
        self._open_window(self._begun.answer)
        while self._windows:
            while len(self._windows) < WINDOWS and self._next < self._begun.size_bytes:
                self._open_window(None)
            while chunk := await self._windows[0].take():
                yield chunk
            self._windows.popleft()

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._begun.answer["Body"].raw_stream.close()  # nobody may have read it

    def _open_window(self, answer: GetObjectOutputTypeDef | None) -> None:
        window = _Window(at=self._next, end=min(self._next + self._s3.sizes.window_bytes, self._begun.size_bytes))
        self._next = window.end
        self._windows.append(window)
        task = asyncio.create_task(self._fill(window, answer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _fill(self, window: _Window, answer: GetObjectOutputTypeDef | None) -> None:
        """Bring the window's bytes; a range that breaks goes on by itself where it broke."""
        try:
            for trial in range(1, TRIES):
                try:
                    return await self._bring(window, answer)
                except errors.Transient as failure:
                    await self._s3.pause(trial, failure)
                    answer = None
            await self._bring(window, None)
        except Exception as failure:  # noqa: BLE001  # the reader raises it
            window.fail(failure)

    async def _bring(self, window: _Window, answer: GetObjectOutputTypeDef | None) -> None:
        held = answer or await self._get(window)
        response: ClientResponse = held["Body"].raw_stream
        try:
            with translated(self._s3.side.away):
                async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
                    window.put(chunk)
        finally:
            response.close()  # gives the connection back if all has been read, else ends it
        if window.at != window.end:
            raise errors.Transient(self._s3.side.away, "The answer held fewer bytes than it promised.")

    async def _get(self, window: _Window) -> GetObjectOutputTypeDef:
        key, span, validator = self._begun.key, (window.at, window.end), self._begun.validator
        answer = await self._s3.ask(lambda client: _get(client, self._s3.bucket, key, span, validator))
        if answer is None:
            raise self._changed()
        same = answer.get("ETag") == self._begun.etag
        if same and _span(answer) == (window.at, self._begun.size_bytes, window.end - window.at):
            return answer
        answer["Body"].raw_stream.close()
        raise _another_part(self._s3) if same else self._changed()

    def _changed(self) -> errors.Transient:
        return errors.Transient(self._s3.side.away, "The object changed while it was read.")
