"""The API as one aiohttp application."""

from __future__ import annotations

from collections.abc import Iterable

from aiohttp import web

from encoder.api import middleware, routes
from encoder.api.body import MAX_INLINE_BYTES
from encoder.api.metrics import HttpMetrics, QueueMetrics
from encoder.api.operations import mount
from encoder.api.parts import Parts


def create_app(parts: Parts, *, pages: Iterable[web.RouteDef] = ()) -> web.Application:
    """The application. `pages`: routes for people (the dashboard's), under the same guard and headers.

    It is served by `server.Server`, which answers what aiohttp's parser refuses.
    """
    frame = middleware.frame(HttpMetrics(parts.registry), loopback_only=parts.loopback_only)
    app = web.Application(middlewares=[frame], client_max_size=MAX_INLINE_BYTES)
    app.on_response_prepare.append(middleware.add_headers)
    queue = QueueMetrics(parts.store, parts.registry)
    app.add_routes([mount(operation, parts) for operation in routes.operations(queue, folder=parts.shelf is not None)])
    app.add_routes(pages)

    async def stop(_app: web.Application) -> None:
        parts.stopping.set()

    app.on_shutdown.append(stop)
    return app
