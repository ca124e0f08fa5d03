"""aiohttp's server with our limits: slow headers are cut off, and what its parser refuses becomes a problem too.

What aiohttp cannot do, and a proxy in front may: bound the number of connections, and of requests per connection.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import http_exceptions, web
from aiohttp.http_parser import RawRequestMessage
from aiohttp.web_protocol import RequestHandler
from yarl import URL

from encoder.api import problems
from encoder.api.middleware import new_request_id, secure

_Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]
_Factory = Callable[..., web.BaseRequest]

HEADERS_S = 10.0
KEEP_ALIVE_S = 75.0  # longer than that of usual proxies, so that they close first
LINGER_S = 2.0  # a refused body is read so long, for the answer to arrive
DRAIN_S = 20.0
MAX_LINE_BYTES = 8190
MAX_FIELD_BYTES = 8192  # another one: by its limit alone does aiohttp tell which of the two was too long
MAX_HEADERS = 128


class _Connection(RequestHandler):
    """One connection of a caller."""

    __slots__ = ("_headers_due",)

    def __init__(self, *args: Any, **settings: Any) -> None:  # noqa: ANN401  # handed through
        super().__init__(*args, **settings)
        self._headers_due: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._await_headers()

    def data_received(self, data: bytes) -> None:
        known = self._request_count
        super().data_received(data)
        if self._request_count > known:
            self._stop_waiting()
        elif self._waiter is not None and self._headers_due is None:
            self._await_headers()  # idle until now: the first bytes of the next request have come

    def connection_lost(self, exc: BaseException | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002  # holds the caller's bytes
    ) -> web.StreamResponse:
        """aiohttp would answer in plain text with the caller's bytes in it, and log each stray byte as an error."""
        if request.writer.output_size > 0:
            raise ConnectionError("the answer has begun already")
        return _refusal(_status(status, exc))

    def log_exception(self, *args: Any, **more: Any) -> None:  # noqa: ANN401  # handed through
        """A body that breaks its encoding was answered already; aiohttp stumbles over it once more at the end."""
        if not isinstance(more.get("exc_info"), web.RequestPayloadError):
            super().log_exception(*args, **more)

    def _await_headers(self) -> None:
        self._headers_due = self._loop.call_later(HEADERS_S, self.force_close)

    def _stop_waiting(self) -> None:
        if self._headers_due is not None:
            self._headers_due.cancel()
            self._headers_due = None


def _status(status: int, exc: BaseException | None) -> int:
    if isinstance(exc, http_exceptions.LineTooLong):
        return 414 if exc.args[1] == MAX_LINE_BYTES else 431
    return 431 if "Too many headers" in str(exc) else status


class _Server(web.Server):
    """Makes our connections instead of aiohttp's."""

    def __call__(self) -> RequestHandler:
        return _Connection(self, loop=self._loop, **self._kwargs)


class Runner(web.AppRunner):
    """Runs an application with our limits. `setup`, then sites, then `cleanup`, as any runner of aiohttp."""

    def __init__(self, app: web.Application) -> None:
        super().__init__(
            app,
            access_log=None,
            keepalive_timeout=KEEP_ALIVE_S,
            lingering_time=LINGER_S,
            max_field_size=MAX_FIELD_BYTES,
            max_headers=MAX_HEADERS,
            max_line_size=MAX_LINE_BYTES,
            shutdown_timeout=DRAIN_S,
        )

    async def _make_server(self) -> web.Server:
        made = await super()._make_server()
        settings = made._kwargs  # noqa: SLF001  # aiohttp has no other way to choose the connection's class
        handler = _framed(made.request_handler)
        factory = _aimed(made.request_factory)
        return _Server(handler, request_factory=factory, loop=asyncio.get_running_loop(), **settings)


def _aimed(factory: _Factory) -> _Factory:
    """`factory`, which dies of a `CONNECT` to nothing (aiohttp 3.14.5): its caller would wait for ever."""

    def make(message: RawRequestMessage, *more: Any) -> web.BaseRequest:  # noqa: ANN401  # handed through
        if message.url is None:  # though aiohttp says that it never is
            message = message._replace(url=URL("/"))
        return factory(message, *more)

    return make


def _framed(handler: _Handler) -> _Handler:
    """`handler`, where even what aiohttp refuses before any middleware, a strange `Expect`, becomes a problem."""

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        try:
            return await handler(request)
        except web.HTTPException as refusal:
            return _refusal(refusal.status)

    return handle


def _refusal(status: int) -> web.Response:
    request_id = new_request_id()
    response = problems.of_status(status, request_id)
    secure(response, request_id)
    response.force_close()
    return response


@asynccontextmanager
async def serving(app: web.Application, listener: socket.socket) -> AsyncIterator[None]:
    """Serve on a bound socket until the block ends; then requests in flight get `DRAIN_S` to be answered."""
    runner = Runner(app)
    await runner.setup()
    try:
        await web.SockSite(runner, listener).start()
        yield
    finally:
        await runner.cleanup()
