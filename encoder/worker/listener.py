"""Answers probes and Prometheus where a worker runs without an API: two paths, and no more HTTP than they need."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from prometheus_client import CollectorRegistry, generate_latest

ANSWER_S = 5.0
HEAD_BYTES = 8192
_METRICS = "text/plain; version=0.0.4; charset=utf-8"


@asynccontextmanager
async def listening(sock: socket.socket, registry: CollectorRegistry) -> AsyncIterator[None]:
    """Answer `GET /metrics` and, as long as the loop turns, `GET /livez`. Closes `sock` at the end."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(ANSWER_S):
                head = await reader.readuntil(b"\r\n\r\n")
                writer.write(_answer(head, registry))
                await writer.drain()
        except (TimeoutError, ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # it asked nothing that we answer
        finally:
            writer.close()

    server = await asyncio.start_server(connected, sock=sock, limit=HEAD_BYTES)
    try:
        yield
    finally:
        server.close()
        await server.wait_closed()


def _answer(head: bytes, registry: CollectorRegistry) -> bytes:
    method, _, rest = head.partition(b" ")
    path = rest.partition(b" ")[0].partition(b"?")[0]
    if method != b"GET":
        return _told("405 Method Not Allowed")
    if path == b"/metrics":
        return _told("200 OK", generate_latest(registry), kind=_METRICS)
    return _told("200 OK", b"ok\n") if path == b"/livez" else _told("404 Not Found")


def _told(status: str, body: bytes = b"", *, kind: str = "text/plain") -> bytes:
    lines = (f"HTTP/1.1 {status}", f"Content-Type: {kind}", f"Content-Length: {len(body)}", "Connection: close")
    return "\r\n".join([*lines, "", ""]).encode() + body
