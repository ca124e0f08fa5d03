"""The bytes of a file as a caller sends them: one who trickles is as good as silent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeVar

from aiohttp import StreamReader, web

from encoder.errors import Rejected

T = TypeVar("T")

IDLE_S = 30.0
WINDOW_S = 60.0
RATE_BYTES_S = 64 * 1024  # the least, over each window of waiting for the sender

Reads = Callable[[], Awaitable[bytes]]  # what has come; empty at the end


async def inflow(read: Reads) -> AsyncIterator[bytes]:
    """What `read` gives, to its end. What our own disk takes to write it is not counted.

    Raises:
        errors.Rejected: `request_timeout`, `upload_incomplete`.
    """
    clock = asyncio.get_running_loop().time
    got, waited_s = 0, 0.0
    while True:
        began = clock()
        chunk = await in_time(read())
        if not chunk:
            return
        got, waited_s = got + len(chunk), waited_s + clock() - began
        if waited_s >= WINDOW_S:
            if got < RATE_BYTES_S * waited_s:
                raise Rejected.because("request_timeout", f"The file comes at less than {RATE_BYTES_S} bytes/s.")
            got, waited_s = 0, 0.0
        yield chunk


def whatever_comes(content: StreamReader) -> Reads:
    """The body, to its last byte: what had come when the connection broke, aiohttp itself would give to nobody."""

    async def read() -> bytes:
        try:
            return await content.readany()
        except ConnectionError:
            if not content._buffer:  # noqa: SLF001  # it has no other way
                raise
            return content._read_nowait(-1)  # noqa: SLF001  # as above

    return read


async def in_time(coming: Awaitable[T]) -> T:
    """What comes of the body, if it does so before it is as good as silent. Raises as `inflow`."""
    try:
        async with asyncio.timeout(IDLE_S):
            return await coming
    except TimeoutError:
        raise Rejected.because("request_timeout", f"Nothing came for {IDLE_S:.0f} s.") from None
    except web.RequestPayloadError:
        raise Rejected.because("upload_incomplete", "The body breaks the rules of its encoding.") from None
