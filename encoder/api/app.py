"""The API as one aiohttp application."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from functools import partial

from aiohttp import web

from encoder.api import counted, middleware, routes, tus_headers
from encoder.api.body import MAX_INLINE_BYTES
from encoder.api.operations import mount
from encoder.api.parts import Parts
from encoder.api.scrape import Scrape


def create_app(parts: Parts, *, pages: Iterable[web.RouteDef] = ()) -> web.Application:
    """The application. `pages`: routes for people (the dashboard's), under the same guard and headers.

    It is served by `server.Server`, which answers what aiohttp's parser refuses.
    """
    frame = middleware.frame(parts.origins, loopback_only=parts.loopback_only, stopping=parts.stopping)
    app = web.Application(middlewares=[frame], client_max_size=MAX_INLINE_BYTES)
    app.on_response_prepare.extend((middleware.add_headers, tus_headers.add, parts.origins.add))
    scrape = Scrape(parts.store, tenants=parts.limits.tenant_metrics)
    app.add_routes([mount(operation, parts) for operation in routes.operations(scrape, folder=parts.shelf is not None)])
    app.add_routes(pages)
    counted.begin(parts.watcher)

    async def stop(_app: web.Application) -> None:
        parts.stopping.set()

    app.on_shutdown.append(stop)
    app.cleanup_ctx.append(partial(_watching, parts))
    return app


async def _watching(parts: Parts, _app: web.Application) -> AsyncIterator[None]:
    """Watch jobs for all streams, until the server is to stop."""

    async def closing() -> None:
        await parts.stopping.wait()
        parts.watcher.close()

    tasks = [asyncio.create_task(parts.watcher.run(), name="watcher"), asyncio.create_task(closing(), name="streams")]
    yield
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
