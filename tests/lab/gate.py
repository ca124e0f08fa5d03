"""A gate before a server: while it stands open everything passes, and the lab shuts it as networks do."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import urlsplit

_PIECE_BYTES = 64 * 1024
HOST = "127.0.0.1"


@dataclass(eq=False)
class _Line:
    """A connection, both ways. One that is dead is read no more, and nobody is told."""

    client: asyncio.StreamWriter
    server: asyncio.StreamWriter
    dead: bool = False


async def _at_once() -> None:
    pass


@dataclass(kw_only=True)
class Gate:
    """Leads to `target`, the address of a database; `dsn` is the same one through the gate.

    `before_answer`: what is waited for before each piece that the server says is passed on.
    """

    target: str
    port: int = 0
    before_answer: Callable[[], Awaitable[None]] = _at_once
    _refusing: bool = False
    _open: asyncio.Event = field(default_factory=asyncio.Event)
    _lines: set[_Line] = field(default_factory=set)
    _running: set[asyncio.Task[None]] = field(default_factory=set)
    _server: asyncio.Server | None = None

    @property
    def dsn(self) -> str:
        parts = urlsplit(self.target)
        login, _, _ = parts.netloc.rpartition("@")
        return parts._replace(netloc=f"{login}@{HOST}:{self.port}").geturl()

    async def __aenter__(self) -> Self:
        self._open.set()
        self._server = await asyncio.start_server(self._connected, HOST, 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    def cut(self) -> None:
        """RST to everybody who is connected."""
        for line in self._lines:
            for writer in (line.client, line.server):
                sock = writer.get_extra_info("socket")
                with suppress(OSError):
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                writer.transport.abort()

    def refuse(self) -> None:
        """The server is gone: who is connected is cut off, who comes is turned away at once."""
        self._refusing = True
        self.cut()

    def admit(self) -> None:
        """It is back."""
        self._refusing = False

    def deaden(self) -> None:
        """Half-open: what is connected by now hears nothing any more, for ever; who comes anew is let through."""
        for line in self._lines:
            line.dead = True

    def shut(self) -> None:
        """A black hole: nothing passes, nothing closes, who comes waits."""
        self._open.clear()

    def open(self) -> None:
        """What was held up passes."""
        self._open.set()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        if self._refusing:
            writer.transport.abort()
            return
        try:
            await self._open.wait()
            parts = urlsplit(self.target)
            far_reader, far_writer = await asyncio.open_connection(parts.hostname, parts.port)
        except (OSError, asyncio.CancelledError):
            writer.close()
            return
        line = _Line(client=writer, server=far_writer)
        self._lines.add(line)
        ways = [
            asyncio.create_task(self._pass_on(line, reader, far_writer, answers=False)),
            asyncio.create_task(self._pass_on(line, far_reader, writer, answers=True)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            pass  # the lab is over
        finally:
            self._lines.discard(line)
            for way in ways:
                way.cancel()
            writer.close()
            far_writer.close()
            await asyncio.gather(*ways, return_exceptions=True)

    async def _pass_on(
        self, line: _Line, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, answers: bool
    ) -> None:
        with suppress(OSError):
            while piece := await reader.read(_PIECE_BYTES):
                await self._open.wait()
                if answers:
                    await self.before_answer()
                if not line.dead:
                    writer.write(piece)
                    await writer.drain()
