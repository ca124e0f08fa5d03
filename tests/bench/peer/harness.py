"""What every program of the side-by-side bench does: one verb on its command line, JSON on standard output.

    install                  makes the tables, and stores one empty task
    enqueue SECONDS CALLERS  stores empty tasks one by one: {"count", "seconds"}
    tell COUNT GAP_S         stores so many, with a pause before each: when each was called, and when its answer came
    work CONCURRENCY         works until SIGTERM: now and then a line with [when, task] of those that began

The database is in `PEER_DSN`. Times are seconds of the monotonic clock, which all processes of a machine share.
Needs nothing but the standard library: peers run it in an environment of their own. `harness.mjs` is its twin.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, suppress
from typing import Any, Protocol, TypeAlias

FLUSH_S = 0.05

Enqueue: TypeAlias = Callable[[], Awaitable[object]]
# Called with the id of a task when its work begins.
Note: TypeAlias = Callable[[object], None]


class Peer(Protocol):
    """One queue, used as its makers show."""

    async def install(self, dsn: str) -> None: ...

    def producer(self, dsn: str, callers: int) -> AbstractAsyncContextManager[Enqueue]:
        """Stores one empty task a call; `callers` call at a time."""

    async def work(self, dsn: str, concurrency: int, note: Note, stop: asyncio.Event) -> None:
        """Work on empty tasks until `stop`, then end in good order."""


def main(peer: Peer, *, run: Callable[[Coroutine[Any, Any, None]], None] = asyncio.run) -> None:
    logging.disable(logging.WARNING)
    verb, *said = sys.argv[1:]
    run(_do(peer, os.environ["PEER_DSN"], verb, *map(float, said)))


async def _do(peer: Peer, dsn: str, verb: str, *said: float) -> None:
    match verb, said:
        case "install", ():
            await peer.install(dsn)
            async with peer.producer(dsn, 1) as enqueue:
                await enqueue()
        case "enqueue", (seconds, callers):
            await _enqueue(peer, dsn, seconds, int(callers))
        case "tell", (count, gap_s):
            await _tell(peer, dsn, int(count), gap_s)
        case "work", (concurrency,):
            await _work(peer, dsn, int(concurrency))
        case _:
            raise SystemExit(__doc__)


async def _enqueue(peer: Peer, dsn: str, seconds: float, callers: int) -> None:
    count = 0

    async def caller(end: float) -> None:
        nonlocal count
        while time.monotonic() < end:
            await enqueue()
            count += 1

    async with peer.producer(dsn, callers) as enqueue:
        await asyncio.gather(*(enqueue() for _ in range(callers)))  # connections are open then
        begun = time.monotonic()
        await asyncio.gather(*(caller(begun + seconds) for _ in range(callers)))
        _say({"count": count, "seconds": time.monotonic() - begun})


async def _tell(peer: Peer, dsn: str, count: int, gap_s: float) -> None:
    told = []
    async with peer.producer(dsn, 1) as enqueue:
        for _ in range(count):
            await asyncio.sleep(gap_s)
            called = time.monotonic()
            await enqueue()
            told.append((called, time.monotonic()))
    _say(told)


async def _work(peer: Peer, dsn: str, concurrency: int) -> None:
    begun: list[tuple[float, str]] = []
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)

    def note(task: object) -> None:
        begun.append((time.monotonic(), str(task)))

    async def flush_for_ever() -> None:
        while True:
            await asyncio.sleep(FLUSH_S)
            flush()

    def flush() -> None:
        if begun:
            _say(begun)
            begun.clear()

    flushing = asyncio.ensure_future(flush_for_ever())
    try:
        await peer.work(dsn, concurrency, note, stop)
    finally:
        flushing.cancel()
        with suppress(asyncio.CancelledError):
            await flushing
        flush()


def _say(what: object) -> None:
    print(json.dumps(what), flush=True)
