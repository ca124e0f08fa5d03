"""A limit on standing still, for whoever sends: readers have theirs from aiohttp."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

# What a transport cannot send at once, it copies with each rest; and each piece has to leave within the limit.
_PIECE_BYTES = 256 * 1024


def pieces(chunk: bytes) -> Iterator[memoryview]:
    """`chunk` in steps of the size that goes out best."""
    view = memoryview(chunk)
    for at in range(0, len(view), _PIECE_BYTES):
        yield view[at : at + _PIECE_BYTES]


class Idle:
    """Ends its block with TimeoutError when one `waiting` in it takes longer than `idle_s`."""

    def __init__(self, idle_s: float) -> None:
        self._idle_s = idle_s
        self._limit = asyncio.timeout(None)

    async def __aenter__(self) -> Self:
        await self._limit.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._limit.__aexit__(kind, error, trace)

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """The other side has something to do."""
        self._limit.reschedule(asyncio.get_running_loop().time() + self._idle_s)
        yield
        self._limit.reschedule(None)
