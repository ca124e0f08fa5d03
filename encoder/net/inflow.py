"""What comes over a connection, copied once: a StreamReader copies each byte twice, which takes a third of its time."""

from __future__ import annotations

import asyncio

_MOST_BYTES = 1024 * 1024  # that wait to be read, and one more piece


class Inflow(asyncio.Protocol):
    """The reading side of a connection on which nothing is sent."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport
        self._came: list[bytes] = []
        self._size = 0
        self._over = False
        self._error: Exception | None = None
        self._news = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if not isinstance(transport, asyncio.Transport):
            raise TypeError(transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self._came.append(data)
        self._size += len(data)
        if self._size >= _MOST_BYTES:
            self.transport.pause_reading()
        self._news.set()

    def eof_received(self) -> None:
        self._over = True
        self._news.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self._over = True
        self._error = exc
        self._news.set()

    async def read(self) -> bytes:
        """All that has come since, at least one byte; none at the end.

        Raises:
            OSError: the connection broke.
        """
        await self._news.wait()
        data = b"".join(self._came)
        self._came.clear()
        if self._size >= _MOST_BYTES:
            self.transport.resume_reading()
        self._size = 0
        if not data and self._error is not None:
            raise self._error
        if not self._over:
            self._news.clear()
        return data
