"""A TCP proxy that spoils connections, after Toxiproxy."""

from __future__ import annotations

import asyncio
import socket
import struct
from dataclasses import dataclass, field
from typing import Self

from tests.lab.wire import PUBLIC


@dataclass(kw_only=True)
class Proxy:
    """Passes connections on to `target`, with the faults that stand when bytes pass."""

    target: tuple[str, int]
    host: str = PUBLIC
    port: int = 0
    latency_s: float = 0.0  # before each piece towards the client
    cut_after: int | None = None  # bytes towards the client; then FIN
    reset_after: int | None = None  # bytes towards the client; then RST
    black_hole: bool = False  # nothing passes, nothing closes
    connections: int = 0
    _server: asyncio.Server | None = None
    _running: set[asyncio.Task[None]] = field(default_factory=set)

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connected, self.host, self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self._running.add(task)
        try:
            await self._pass_on(reader, writer)
        except (ConnectionError, asyncio.CancelledError):
            pass  # one of the two sides left, or the test is over
        finally:
            self._running.discard(task)
            writer.close()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(*self.target)
        try:
            async with asyncio.TaskGroup() as group:
                up = group.create_task(self._up(reader, far_writer))
                await self._down(far_reader, writer)
                up.cancel()
        finally:
            far_writer.close()

    async def _up(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while piece := await reader.read(65536):
            if not self.black_hole:
                writer.write(piece)
                await writer.drain()

    async def _down(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        passed = 0
        while piece := await reader.read(65536):
            if self.latency_s:
                await asyncio.sleep(self.latency_s)
            if self.black_hole:
                continue
            limit = self.cut_after if self.cut_after is not None else self.reset_after
            piece = piece if limit is None else piece[: limit - passed]
            passed += len(piece)
            writer.write(piece)
            await writer.drain()
            if limit is not None and passed >= limit:
                break
        if self.reset_after is not None and passed >= self.reset_after:
            await asyncio.sleep(0.05)  # RST takes what the other side has not yet read with it
            sock = writer.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
