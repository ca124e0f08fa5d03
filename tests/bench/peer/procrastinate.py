"""procrastinate, as its documentation starts it: one connector, one worker, jobs kept when they are done."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from procrastinate import App, JobContext, PsycopgConnector

from tests.bench.peer.harness import Enqueue, Note, main


class Procrastinate:
    async def install(self, dsn: str) -> None:
        async with _app(dsn).open_async() as app:
            await app.schema_manager.apply_schema_async()

    @asynccontextmanager
    async def producer(self, dsn: str, callers: int) -> AsyncIterator[Enqueue]:
        async with _app(dsn, min_size=callers, max_size=callers).open_async() as app:
            task = app.configure_task("nothing")
            yield task.defer_async

    async def work(self, dsn: str, concurrency: int, note: Note, stop: asyncio.Event) -> None:
        async def nothing(context: JobContext) -> None:
            note(context.job.id)

        async with _app(dsn).open_async() as app:
            app.task(name="nothing", pass_context=True)(nothing)
            worker = asyncio.create_task(app.run_worker_async(concurrency=concurrency, install_signal_handlers=False))
            await stop.wait()
            worker.cancel()  # it takes that for a request to end in good order
            with suppress(asyncio.CancelledError):
                await worker


def _app(dsn: str, **pool: int) -> App:
    return App(connector=PsycopgConnector(conninfo=dsn, **pool))


if __name__ == "__main__":
    main(Procrastinate())
