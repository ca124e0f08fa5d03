"""A pooler, as far as clients notice one: between transactions it gives a session away, and it drops what it was asked.

As pgbouncer in transaction mode before 1.21. A client's login is the server's; from
then on the session that it opened belongs to everybody, and the one that was used last is given first.
"""

from __future__ import annotations

import asyncio
import secrets
import struct
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator, Collection
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Self
from urllib.parse import urlsplit

_SSL_REQUEST = 80877103
_PASSED_ON = {"user", "database", "client_encoding"}
_KNOWN = _PASSED_ON | {"application_name", "timezone"}
_ANSWERED = {3, 5, 10, 11}  # kinds of `R` that wait for the client: a password, and each step of SASL
_END = {b"Q", b"S"}  # each is answered by one `Z`


class Pooler:
    """Stands before one server. `shares`: sessions between transactions; `ignores`: settings, all where it is None."""

    def __init__(self, dsn: str, *, shares: bool, ignores: Collection[str] | None) -> None:
        self._target = urlsplit(dsn)
        self._shares = shares
        self._ignores = ignores
        self.refusals = 0
        self._idle: list[_Session] = []
        self._sessions: list[_Session] = []
        self._clients: set[asyncio.Task[None]] = set()

    @property
    def logins(self) -> int:
        return len(self._sessions)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Self]:
        server = await asyncio.start_server(self._visited, "127.0.0.1", 0)
        login, _, _ = self._target.netloc.rpartition("@")
        port = server.sockets[0].getsockname()[1]
        self.dsn = self._target._replace(netloc=f"{login}@127.0.0.1:{port}").geturl()
        try:
            yield self
        finally:
            server.close()
            await self._stop()

    async def _stop(self) -> None:
        tasks = [*self._clients, *(session.pump for session in self._sessions if session.pump is not None)]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for session in self._sessions:
            session.writer.close()
        await asyncio.gather(*(session.writer.wait_closed() for session in self._sessions), return_exceptions=True)

    def _visited(self, reader: StreamReader, writer: StreamWriter) -> None:
        self._clients.add(asyncio.create_task(self._serve(reader, writer)))

    async def _serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        try:
            with suppress(asyncio.IncompleteReadError, ConnectionError):
                if await self._logged_in(reader, writer):
                    await self._carry(reader, writer)
        finally:
            writer.close()

    async def _logged_in(self, reader: StreamReader, writer: StreamWriter) -> bool:
        code, body = await _first(reader)
        if code == _SSL_REQUEST:
            writer.write(b"N")
            code, body = await _first(reader)
        words = body.decode().split("\0")
        asked = dict(zip(words[::2], words[1::2], strict=False))
        unknown = sorted(asked.keys() - _KNOWN - {""})
        if self._ignores is not None and (unknown := [name for name in unknown if name not in self._ignores]):
            self.refusals += 1
            told = f"SFATAL\0C08P01\0Munsupported startup parameter: {unknown[0]}\0\0".encode()
            writer.write(_message(b"E", told))
            return False
        session = _Session(*await asyncio.open_connection(self._target.hostname, self._target.port))
        self._sessions.append(session)
        kept = "".join(f"{name}\0{asked[name]}\0" for name in asked.keys() & _PASSED_ON) + "\0"
        session.writer.write(struct.pack("!ii", len(kept) + 8, code) + kept.encode())
        while True:
            kind, body = await _next(session.reader)
            if kind == b"K":
                body = secrets.token_bytes(8)  # a number of its own, to be cancelled by
            writer.write(_message(kind, body))
            if kind == b"R" and struct.unpack("!i", body[:4])[0] in _ANSWERED:
                session.writer.write(_message(*await _next(reader)))
            elif kind in {b"E", b"Z"}:
                self._idle.append(session)
                return kind == b"Z"

    async def _carry(self, reader: StreamReader, writer: StreamWriter) -> None:
        """Each transaction to a session: the one that was used last, or, where none is shared, always one."""
        held: _Session | None = None
        try:
            while (message := await _next(reader))[0] != b"X":
                if held is None:
                    held = self._idle.pop()
                    held.lend(writer)
                held.say(*message)
                if message[0] in _END and await held.is_idle() and self._shares:
                    held.lend(None)
                    self._idle.append(held)
                    held = None
        finally:
            if held is not None:
                held.writer.close()  # in the middle of something


class _Session:
    """One session of the server, and who hears it now. What comes while nobody does is lost."""

    def __init__(self, reader: StreamReader, writer: StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self._client: StreamWriter | None = None
        self._said: asyncio.Queue[bytes] = asyncio.Queue()
        self.pump: asyncio.Task[None] | None = None

    def lend(self, client: StreamWriter | None) -> None:
        self._client = client
        self.pump = self.pump or asyncio.create_task(self._pump())

    def say(self, kind: bytes, body: bytes) -> None:
        self.writer.write(_message(kind, body))

    async def is_idle(self) -> bool:
        """Wait for the answer; whether no transaction is open after it."""
        return await self._said.get() == b"I"

    async def _pump(self) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                kind, body = await _next(self.reader)
                if self._client is not None:
                    self._client.write(_message(kind, body))
                if kind == b"Z":
                    self._said.put_nowait(body)


async def _first(reader: StreamReader) -> tuple[int, bytes]:
    length, code = struct.unpack("!ii", await reader.readexactly(8))
    return code, await reader.readexactly(length - 8)


async def _next(reader: StreamReader) -> tuple[bytes, bytes]:
    kind = await reader.readexactly(1)
    (length,) = struct.unpack("!i", await reader.readexactly(4))
    return kind, await reader.readexactly(length - 4)


def _message(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("!i", len(body) + 4) + body


def pooler(
    dsn: str, *, shares: bool = True, ignores: Collection[str] | None = None
) -> AbstractAsyncContextManager[Pooler]:
    """A pooler before the database at `dsn`."""
    return Pooler(dsn, shares=shares, ignores=ignores).running()
