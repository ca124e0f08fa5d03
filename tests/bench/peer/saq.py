"""saq on PostgreSQL, as its documentation starts it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from saq import Queue, Worker

from tests.bench.peer.harness import Enqueue, Note, main


class Saq:
    async def install(self, dsn: str) -> None:
        async with _queue(dsn):
            pass

    @asynccontextmanager
    async def producer(self, dsn: str, callers: int) -> AsyncIterator[Enqueue]:
        del callers  # its pool grows by itself
        async with _queue(dsn) as queue:
            yield lambda: queue.enqueue("nothing")

    async def work(self, dsn: str, concurrency: int, note: Note, stop: asyncio.Event) -> None:
        async def nothing(context: dict[str, Any]) -> None:
            note(context["job"].key)

        async with _queue(dsn) as queue:
            del stop  # it listens to SIGTERM itself
            await Worker(queue, [("nothing", nothing)], concurrency=concurrency, shutdown_grace_period_s=1).start()


@asynccontextmanager
async def _queue(dsn: str) -> AsyncIterator[Queue]:
    queue = Queue.from_url(dsn)
    await queue.connect()
    try:
        yield queue
    finally:
        await queue.disconnect()


if __name__ == "__main__":
    main(Saq())
