"""Work done at the same time, which ends together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from typing import TypeVar

T = TypeVar("T")


@asynccontextmanager
async def together() -> AsyncIterator[asyncio.TaskGroup]:
    """A task group whose first failure is raised by itself, when the other tasks have been ended and waited for."""
    try:
        async with asyncio.TaskGroup() as group:
            yield group
    except BaseExceptionGroup as failed:
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
