"""Blocking calls on descriptors, off the loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


async def in_thread(call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """What `call` returns. Cancelled, it still sees the call end before it gives up.

    `asyncio.to_thread` would leave at once, and its caller would close a descriptor, or let its number go to
    another file, under a thread that still writes to it.
    """
    running = asyncio.ensure_future(asyncio.to_thread(call, *args, **kwargs))
    try:
        return await asyncio.shield(running)
    finally:
        await ended(running)


@asynccontextmanager
async def opened(opens: Callable[[], T], close: Callable[[T], object]) -> AsyncIterator[T]:
    """What `opens` opens in a thread, closed with the block; also if a cancel comes before there is a block."""
    running = asyncio.ensure_future(asyncio.to_thread(opens))
    try:
        yield await asyncio.shield(running)
    finally:
        try:
            await ended(running)
        finally:
            if running.exception() is None:
                close(running.result())


@asynccontextmanager
async def behind(call: Callable[P, object]) -> AsyncIterator[Callable[P, Awaitable[None]]]:
    """Runs `call` in a thread, each time while its caller goes on.

    The next time, and the end of the block, wait for it and raise what it raises.
    """
    running: asyncio.Future[object] | None = None

    async def once(*args: P.args, **kwargs: P.kwargs) -> None:
        nonlocal running
        if running is not None:
            await asyncio.shield(running)
        running = asyncio.ensure_future(asyncio.to_thread(call, *args, **kwargs))

    try:
        yield once
        if running is not None:
            await asyncio.shield(running)
    finally:
        if running is not None:
            try:
                await ended(running)
            finally:
                running.exception()  # who leaves with an error of his own need not hear of this one


async def ended(running: asyncio.Future[T]) -> None:
    """Wait for the end of `running`, whatever it is. Cancelled, it still does, and only then gives up."""
    cancelled: asyncio.CancelledError | None = None
    while not running.done():
        try:
            await asyncio.wait({running})
        except asyncio.CancelledError as cancel:
            cancelled = cancel
    if cancelled is not None:
        raise cancelled
