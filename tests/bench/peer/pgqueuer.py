"""pgqueuer, as its documentation starts it, held to so many tasks at once; it takes no bound below two batches."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import uvloop
from pgqueuer import AsyncpgPoolDriver, Job, PgQueuer, Queries

from tests.bench.peer.harness import Enqueue, Note, main


class Pgqueuer:
    async def install(self, dsn: str) -> None:
        async with asyncpg.create_pool(dsn, min_size=1) as pool:
            await Queries(AsyncpgPoolDriver(pool)).install()

    @asynccontextmanager
    async def producer(self, dsn: str, callers: int) -> AsyncIterator[Enqueue]:
        async with asyncpg.create_pool(dsn, min_size=callers, max_size=callers) as pool:
            queries = Queries(AsyncpgPoolDriver(pool))
            yield lambda: queries.enqueue("nothing", None)

    async def work(self, dsn: str, concurrency: int, note: Note, stop: asyncio.Event) -> None:
        async def nothing(job: Job) -> None:
            note(job.id)

        connection = await asyncpg.connect(dsn)
        worker = PgQueuer.from_asyncpg_connection(connection)
        worker.shutdown = worker.qm.shutdown = worker.sm.shutdown = stop
        worker.entrypoint("nothing")(nothing)
        await worker.run(batch_size=concurrency // 2, max_concurrent_tasks=concurrency)
        await connection.close()


if __name__ == "__main__":
    main(Pgqueuer(), run=uvloop.run)  # as its own command does
