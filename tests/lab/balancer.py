"""A reverse proxy as plain as one can be: it keeps connections, asks who is ready, and tries nothing twice.

Whatever a server behind it does wrong is therefore seen by its caller: a connection that is reset, an answer that is
cut off, a closed door.
"""

from __future__ import annotations

import asyncio
import itertools
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Self

HOST = "127.0.0.1"
CHECK_EVERY_S = 1.0
CHECK_S = 1.5
FALLS = 2  # checks that fail before nobody is sent there any more
_HEAD_BYTES = 64 * 1024
_PIECE_BYTES = 64 * 1024

Line = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Cut(Exception):
    """A server broke off."""


@dataclass(kw_only=True)
class Balancer:
    """In front of servers at these ports of our own machine. `broken`: what went wrong with whom."""

    ports: Sequence[int]
    port: int = 0
    broken: list[str] = field(default_factory=list)
    _failed: dict[int, int] = field(default_factory=dict)
    _idle: defaultdict[int, list[Line]] = field(default_factory=lambda: defaultdict(list))
    _turns: Iterator[int] = field(default_factory=itertools.count)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self._failed = dict.fromkeys(self.ports, FALLS)
        self._server = await asyncio.start_server(self._connected, HOST, self.port, limit=_HEAD_BYTES)
        self.port = self._server.sockets[0].getsockname()[1]
        for port in self.ports:
            self._tasks.add(asyncio.create_task(self._check_for_ever(port)))
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for line in itertools.chain.from_iterable(self._idle.values()):
            await _close(line[1])

    @property
    def ready(self) -> list[int]:
        return [port for port, failed in self._failed.items() if failed < FALLS]

    async def _check_for_ever(self, port: int) -> None:
        while True:
            is_ready = await self._is_ready(port)
            self._failed[port] = 0 if is_ready else self._failed[port] + 1
            await asyncio.sleep(CHECK_EVERY_S)

    async def _is_ready(self, port: int) -> bool:
        with suppress(OSError, TimeoutError, Cut, asyncio.IncompleteReadError):
            async with asyncio.timeout(CHECK_S):
                reader, writer = await asyncio.open_connection(HOST, port)
                try:
                    writer.write(
                        f"GET /readyz?scope=local HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n".encode()
                    )
                    return b" 200 " in await reader.readline()
                finally:
                    await _close(writer)
        return False

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request: a caller's connection is not what is looked at here."""
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            with suppress(OSError, asyncio.IncompleteReadError):  # the caller went
                head = await reader.readuntil(b"\r\n\r\n")
                body = await reader.readexactly(int(_headers(head).get("content-length", 0)))
                await self._serve(head, body, writer)
        finally:
            await _close(writer)

    async def _serve(self, head: bytes, body: bytes, caller: asyncio.StreamWriter) -> None:
        there = self.ready
        what = head.partition(b"\r\n")[0].decode()
        if not there:
            self.broken.append(f"nobody is ready for {what}")
            caller.write(b"HTTP/1.1 502 Nobody\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            return
        port = there[next(self._turns) % len(there)]
        try:
            line = await self._kept(port) or await asyncio.open_connection(HOST, port, limit=_HEAD_BYTES)
        except OSError as error:
            self.broken.append(f"{port} is closed to {what}: {error!r}")
            caller.transport.abort()
            return
        is_kept = False
        try:
            line[1].write(head + body)
            is_kept = await _relay(head, line, caller)
        except (OSError, Cut, asyncio.IncompleteReadError) as error:
            self.broken.append(f"{port} broke off {what}: {error!r}")
            caller.transport.abort()
        finally:
            if is_kept:
                self._idle[port].append(line)
            else:
                await _close(line[1])

    async def _kept(self, port: int) -> Line | None:
        """A connection that is there still, as far as can be known."""
        while self._idle[port]:
            reader, writer = self._idle[port].pop()
            if not (reader.at_eof() or writer.is_closing()):
                return reader, writer
            await _close(writer)
        return None


async def _relay(asked: bytes, line: Line, caller: asyncio.StreamWriter) -> bool:
    """Pass on one answer; whether its connection may be kept.

    Raises:
        Cut, OSError, asyncio.IncompleteReadError: the server broke off.
    """
    reader, _ = line
    head = await reader.readuntil(b"\r\n\r\n")
    headers = _headers(head)
    caller.write(head)
    status = int(head.split(b" ", 2)[1])
    if asked.startswith(b"HEAD ") or status in {204, 304}:
        pass
    elif "content-length" in headers:
        left = int(headers["content-length"])
        while left:
            piece = await reader.read(min(left, _PIECE_BYTES))
            if not piece:
                raise Cut(f"{left} bytes are missing")
            left -= len(piece)
            await _pass(caller, piece)
    elif headers.get("transfer-encoding") == "chunked":
        while (size := await reader.readuntil(b"\r\n")) != b"0\r\n":
            await _pass(caller, size + await reader.readexactly(int(size, 16) + 2))
        await _pass(caller, b"0\r\n" + await reader.readuntil(b"\r\n"))
    else:
        raise Cut("an answer of no known length")
    return headers.get("connection", "").lower() != "close"


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()


async def _pass(caller: asyncio.StreamWriter, piece: bytes) -> None:
    with suppress(ConnectionError):  # the caller went; the server's answer is read to its end all the same
        caller.write(piece)
        await caller.drain()


def _headers(head: bytes) -> Mapping[str, str]:
    pairs = (line.partition(":") for line in head.decode("latin-1").split("\r\n")[1:])
    return {name.lower(): value.strip() for name, _, value in pairs}
