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
_NOT_THIS = frozenset({412, 416})  # another version stands there; nothing from that byte on
_RANGE = re.compile(r"bytes (?P<first>\d+)-\d+/(?P<size>\d+)")


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
    told = _RANGE.fullmatch(answer.get("ContentRange", ""))
    first, size = (int(told["first"]), int(told["size"])) if told else (0, answer["ContentLength"])
    if first != offset or answer["ContentLength"] != min(window_bytes, size - offset):
        raise errors.Transient(s3.side.away, "The server sent another part of the object than it was asked for.")
    return Begun(key=key, size_bytes=size, etag=answer.get("ETag"), offset=offset, answer=answer)


@asynccontextmanager
async def downloading(s3: S3, begun: Begun) -> AsyncIterator[AsyncIterator[bytes]]:
    """All bytes from its offset on, in chunks of at most 1 MiB; at most `WINDOWS` windows wait for the reader."""
    download = _Download(s3, begun)
    try:
        yield download.chunks()
    finally:
        await download.close()


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
    """The bytes from `at` up to `end` that have still to come, and what came: chunks, then None or what went wrong."""

    at: int
    end: int
    came: asyncio.Queue[bytes | Exception | None] = field(default_factory=asyncio.Queue)


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
            came = self._windows[0].came
            while (chunk := await came.get()) is not None:
                if isinstance(chunk, Exception):
                    raise chunk
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
                except errors.Transient:
                    await self._s3.pause(trial)
                    answer = None
            await self._bring(window, None)
        except Exception as failure:  # noqa: BLE001  # the reader raises it
            window.came.put_nowait(failure)

    async def _bring(self, window: _Window, answer: GetObjectOutputTypeDef | None) -> None:
        held = answer or await self._get(window)
        response: ClientResponse = held["Body"].raw_stream
        try:
            with translated(self._s3.side.away):
                async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
                    window.at += len(chunk)
                    window.came.put_nowait(chunk)
        finally:
            response.close()  # gives the connection back if all has been read, else ends it
        if window.at != window.end:
            raise errors.Transient(self._s3.side.away, "The answer held fewer bytes than it promised.")
        window.came.put_nowait(None)

    async def _get(self, window: _Window) -> GetObjectOutputTypeDef:
        key, span, validator = self._begun.key, (window.at, window.end), self._begun.validator
        answer = await self._s3.ask(lambda client: _get(client, self._s3.bucket, key, span, validator))
        if answer is None:
            raise self._changed()
        if answer.get("ETag") != self._begun.etag or answer["ContentLength"] != window.end - window.at:
            answer["Body"].raw_stream.close()
            raise self._changed()
        return answer

    def _changed(self) -> errors.Transient:
        return errors.Transient(self._s3.side.away, "The object changed while it was read.")
