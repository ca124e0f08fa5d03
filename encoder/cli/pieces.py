"""A local file on its way in pieces (tus 1.0): what breaks off goes on where it ended."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import aiohttp
from yarl import URL

from encoder.cli.exchange import refusal
from encoder.cli.refused import Refused, Unreachable

CHUNK_BYTES = 1024 * 1024
TRIES = 6  # of which none brought a byte
_LONGEST_PAUSE_S = 30.0
_TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=5, sock_read=300)
_RESUMABLE = {"Tus-Resumable": "1.0.0"}
# what another try may make good: the offset is asked for before it
_PASSES = frozenset({"offset_conflict", "request_timeout", "upload_incomplete", "upload_locked"})
_SERVER_ERROR = 500
_FULL = 507


async def in_pieces(to: URL, path: Path, sent: Callable[[int], None], *, pause_s: float = 1.0) -> None:
    """Brings the file to an upload that was created for it. `sent` is told how many bytes are there more, or fewer.

    Raises:
        Refused: by whoever stores it.
        Unreachable: it does not answer, again and again.
    """
    size_bytes, shown, failures = size_of(path), 0, 0

    def show(offset: int) -> None:
        nonlocal shown
        sent(offset - shown)
        shown = offset

    async with aiohttp.ClientSession(timeout=_TIMEOUT, headers=_RESUMABLE) as session:
        there, known = 0, 0
        while there < size_bytes:
            try:
                if failures:
                    there = await _offset(session, to)
                    failures, known = (1 if there > known else failures), there
                    show(there)
                    if there == size_bytes:
                        return
                there = await _send(session, to, path, there, show)
            except (aiohttp.ClientError, TimeoutError, Refused) as broken:
                failures += 1
                if failures > TRIES or not _passes(broken):
                    if isinstance(broken, Refused):
                        raise
                    raise Unreachable(str(to.origin())) from broken
                await asyncio.sleep(random.uniform(0.5, 1) * min(_LONGEST_PAUSE_S, pause_s * 2 ** (failures - 1)))  # noqa: S311  # no secret


def size_of(path: Path) -> int:
    return path.stat().st_size


def _passes(broken: Exception) -> bool:
    if not isinstance(broken, Refused):
        return True
    return broken.code in _PASSES or (broken.status >= _SERVER_ERROR and broken.status != _FULL)


async def _offset(session: aiohttp.ClientSession, to: URL) -> int:
    async with session.head(to) as response:
        return await _told(response)


async def _send(session: aiohttp.ClientSession, to: URL, path: Path, offset: int, show: Callable[[int], None]) -> int:
    """All from `offset` on; how much is there then."""
    headers = {
        "Content-Type": "application/offset+octet-stream",
        "Content-Length": str(size_of(path) - offset),
        "Upload-Offset": str(offset),
    }
    async with session.patch(to, data=_chunks(path, offset, show), headers=headers) as response:
        return await _told(response)


async def _told(response: aiohttp.ClientResponse) -> int:
    if not response.ok:
        raise await refusal(response)
    return int(response.headers["Upload-Offset"])


async def _chunks(path: Path, offset: int, show: Callable[[int], None]) -> AsyncIterator[bytes]:
    with await asyncio.to_thread(path.open, "rb", buffering=0) as file:
        while chunk := await asyncio.to_thread(os.pread, file.fileno(), CHUNK_BYTES, offset):
            yield chunk
            offset += len(chunk)
            show(offset)
