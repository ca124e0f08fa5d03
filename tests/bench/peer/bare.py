"""The floor of cost: a table of ids, a notify after each insert, and loops that claim and delete in two statements."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import asyncpg

from tests.bench.peer.harness import Enqueue, Note, main

_TABLE = """
CREATE TABLE bare (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, taken boolean NOT NULL DEFAULT false);
CREATE INDEX bare_next ON bare (id) WHERE NOT taken
"""
_CLAIM = """
UPDATE bare SET taken = true
WHERE id = (SELECT id FROM bare WHERE NOT taken ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING id
"""


class Bare:
    async def install(self, dsn: str) -> None:
        connection = await asyncpg.connect(dsn)
        await connection.execute(_TABLE)
        await connection.close()

    @asynccontextmanager
    async def producer(self, dsn: str, callers: int) -> AsyncIterator[Enqueue]:
        async with asyncpg.create_pool(dsn, min_size=callers, max_size=callers) as pool:
            yield lambda: pool.fetch("WITH one AS (INSERT INTO bare DEFAULT VALUES) SELECT pg_notify('bare', '')")

    async def work(self, dsn: str, concurrency: int, note: Note, stop: asyncio.Event) -> None:
        loops = [asyncio.create_task(_loop(dsn, note)) for _ in range(concurrency)]
        await stop.wait()
        for loop in loops:
            loop.cancel()
        await asyncio.gather(*loops, return_exceptions=True)


async def _loop(dsn: str, note: Note) -> None:
    connection = await asyncpg.connect(dsn)
    woken = asyncio.Event()
    await connection.add_listener("bare", lambda *_: woken.set())
    while True:
        woken.clear()
        task = await connection.fetchval(_CLAIM)
        if task is not None:
            note(task)
            await connection.execute("DELETE FROM bare WHERE id = $1", task)
            continue
        with suppress(TimeoutError):
            async with asyncio.timeout(1):
                await woken.wait()


if __name__ == "__main__":
    main(Bare())
