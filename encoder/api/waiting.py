"""What a role says at its door until its database can be used: that it lives, and why it is not ready."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from aiohttp import web

from encoder import __version__
from encoder.api import problems
from encoder.api.answers import HealthAnswer
from encoder.api.middleware import new_request_id, secure
from encoder.api.operations import answer
from encoder.api.server import serving
from encoder.model.plan import Note

_READY = {"/readyz", "/health"}


@asynccontextmanager
async def waiting(door: socket.socket, reasons: Sequence[Note]) -> AsyncIterator[None]:
    """Answer at `door` until the block ends, by the reasons as they are then. Who comes later waits for the role."""

    async def handle(request: web.Request) -> web.Response:
        request_id = new_request_id()
        response = _told(request.path, reasons, request_id)
        response.force_close()  # the next request is for the role itself
        secure(response, request_id)
        return response

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handle)
    async with serving(app, door.dup()):
        yield


def _told(path: str, reasons: Sequence[Note], request_id: str) -> web.Response:
    if path == "/livez":
        return answer(HealthAnswer(status="ok", version=__version__))
    if path in _READY:
        told = HealthAnswer(status="unavailable", version=__version__, reasons=tuple(reasons))
        return answer(told, status=503, headers={"Retry-After": str(problems.RETRY_AFTER_S)})
    return problems.unavailable("database_unavailable", request_id)
