"""A TCP proxy that spoils connections, after Toxiproxy."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Self

from tests.lab.wire import PUBLIC

_PIECE_BYTES = 64 * 1024
_STEPS_A_SECOND = 50  # of a slow way


class _End(Enum):
    EOF = "the sender had no more"
    CUT = "FIN to both sides"
    RESET = "RST to both sides"
    HOLE = "the sender had no more, and nobody was told"


class _Fate:
    """Whether a connection is spoiled yet: from that piece on in which its client says `mark`, if there is one.

    `one_more`: whether one more connection is to be spoiled; asked when this one's time has come.
    """

    def __init__(self, mark: bytes, one_more: Callable[[], bool]) -> None:
        self._mark = mark
        self._one_more = one_more
        self._tail = b""
        self.sealed = not mark and one_more()

    def heard(self, piece: bytes) -> bool:
        """The client says `piece`."""
        said = self._tail + piece
        if self._mark and self._mark in said:
            self.sealed = self.sealed or self._one_more()
        self._tail = said[max(0, len(said) - len(self._mark) + 1) :]
        return self.sealed


@dataclass(frozen=True, kw_only=True)
class Way:
    """What befalls the bytes of one direction. Of the three ends by count at most one is set."""

    latency_s: float = 0.0  # before each piece
    bytes_a_second: int | None = None
    cut_after: int | None = None  # bytes; then FIN
    reset_after: int | None = None  # bytes; then RST
    hole_after: int | None = None  # bytes; then nothing passes, and nothing closes

    async def pass_on(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, spoils: Callable[[bytes], bool]
    ) -> _End:
        """`spoils`: whether this piece is one of those that something befalls; they are the ones that are counted."""
        left = next((each for each in (self.cut_after, self.reset_after, self.hole_after) if each is not None), None)
        while piece := await reader.read(self._most_bytes):
            if not spoils(piece):
                writer.write(piece)
                await writer.drain()
                continue
            await asyncio.sleep(self.latency_s + len(piece) / (self.bytes_a_second or float("inf")))
            writer.write(piece if left is None else piece[:left])
            await writer.drain()
            left = left and max(0, left - len(piece))
            if left == 0:
                return await self._end(reader)
        return _End.EOF

    async def _end(self, reader: asyncio.StreamReader) -> _End:
        if self.hole_after is None:
            return _End.RESET if self.reset_after is not None else _End.CUT
        while await reader.read(_PIECE_BYTES):
            pass
        return _End.HOLE

    @property
    def _most_bytes(self) -> int:
        if self.bytes_a_second is None:
            return _PIECE_BYTES
        return max(1, min(_PIECE_BYTES, self.bytes_a_second // _STEPS_A_SECOND))


CLEAN = Way()


@dataclass(kw_only=True)
class Proxy:
    """Passes connections on to `target`: `up` is what the client says, `down` what it hears.

    `mark`: words of the client from which on its connection is spoiled, both ways; none: from its first byte on.
    """

    target: tuple[str, int]
    up: Way = CLEAN
    down: Way = CLEAN
    mark: bytes = b""
    spoiled: int | None = None  # so many connections, the first ones that come to it, are spoiled; None: all
    host: str = PUBLIC
    port: int = 0
    connections: int = 0
    came: int = 0  # connections that came to the mark
    _server: asyncio.Server | None = None
    _running: set[asyncio.Task[None]] = field(default_factory=set)

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connected, self.host, self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        await asyncio.sleep(0)  # who was just let in begins in the next turn, and must not outlive us
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self._running.add(task)
        try:
            await self._through(reader, writer, self.up, self.down)
        except (OSError, asyncio.CancelledError):
            pass  # one of the two sides left or never was there, or the test is over
        finally:
            self._running.discard(task)
            writer.close()

    def _one_more(self) -> bool:
        self.came += 1
        return self.spoiled is None or self.came <= self.spoiled

    async def _through(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, up: Way, down: Way) -> None:
        fate = _Fate(self.mark, self._one_more)
        far_reader, far_writer = await asyncio.open_connection(*self.target)
        both = [
            asyncio.create_task(_up(up, reader, far_writer, fate)),
            asyncio.create_task(_down(down, far_reader, writer, fate)),
        ]
        try:
            for ended in asyncio.as_completed(both):
                end = await ended
                if end is _End.RESET:
                    await asyncio.sleep(0.05)  # RST takes with it what the other side has not yet read
                    _reset(writer)
                    _reset(far_writer)
                if end is not _End.EOF:
                    return
        finally:
            far_writer.close()
            for task in both:
                task.cancel()
            await asyncio.gather(*both, return_exceptions=True)


async def _up(way: Way, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, fate: _Fate) -> _End:
    end = await way.pass_on(reader, writer, fate.heard)
    if end is _End.EOF:
        writer.write_eof()
    return _End.CUT if end is _End.HOLE else end  # the client has had enough: the server is told


async def _down(way: Way, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, fate: _Fate) -> _End:
    end = await way.pass_on(reader, writer, lambda _piece: fate.sealed)
    if end is _End.EOF:
        writer.write_eof()
    elif end is _End.HOLE:
        await asyncio.Event().wait()  # the client must find out by itself
    return end


def _reset(writer: asyncio.StreamWriter) -> None:
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
