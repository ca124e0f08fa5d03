"""Work done at the same time, which ends together."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from typing import TypeVar

T = TypeVar("T")


@asynccontextmanager
async def together() -> AsyncIterator[asyncio.TaskGroup]:
    """A task group whose first failure is raised by itself, when the other tasks have been ended and waited for."""
    parent = asyncio.current_task()
    cancelled = parent.cancelling() if parent else 0
    try:
        async with asyncio.TaskGroup() as group:
            yield group
    except BaseExceptionGroup as failed:
        # before 3.13 a group that fails while it is waited for leaves its parent counted as cancelled
        while sys.version_info < (3, 13) and parent and parent.cancelling() > cancelled:
            parent.uncancel()
        raise failed.exceptions[0] from failed


async def each(work: Callable[[T], Awaitable[None]], items: Iterable[T], *, at_once: int) -> None:
    """Do `work` on every item, so many at once; the first failure ends the others and is raised by itself."""
    left = iter(items)

    async def some() -> None:
        for item in left:
            await work(item)

    async with together() as group:
        for _ in range(at_once):
            group.create_task(some())
