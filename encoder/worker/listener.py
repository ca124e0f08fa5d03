"""Answers probes and Prometheus where a worker runs without an API: three paths, and no more HTTP than they need."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from encoder.metrics import family
from encoder.model.plan import Note
from encoder.queue.fitness import Fitness

ANSWER_S = 5.0
HEAD_BYTES = 8192


@asynccontextmanager
async def listening(sock: socket.socket, fitness: Fitness) -> AsyncIterator[None]:
    """Answer `GET /metrics`, `/livez` and `/readyz`, as the API does. Closes `sock` at the end."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(ANSWER_S):
                head = await reader.readuntil(b"\r\n\r\n")
                writer.write(await _answer(head, fitness))
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


async def _answer(head: bytes, fitness: Fitness) -> bytes:
    method, _, rest = head.partition(b" ")
    path, _, query = rest.partition(b" ")[0].partition(b"?")
    if method != b"GET":
        return _told("405 Method Not Allowed")
    match path:
        case b"/metrics":
            return _told("200 OK", family.text(), kind=family.CONTENT_TYPE)
        case b"/livez":
            return _why_not(fitness.living())
        case b"/readyz":
            return _why_not(await (fitness.local() if query == b"scope=local" else fitness.serving()))
        case _:
            return _told("404 Not Found")


def _why_not(reasons: Sequence[Note]) -> bytes:
    if not reasons:
        return _told("200 OK", b"ok\n")
    return _told("503 Service Unavailable", "".join(f"{each.code}\n" for each in reasons).encode())


def _told(status: str, body: bytes = b"", *, kind: str = "text/plain") -> bytes:
    lines = (f"HTTP/1.1 {status}", f"Content-Type: {kind}", f"Content-Length: {len(body)}", "Connection: close")
    return "\r\n".join([*lines, "", ""]).encode() + body
