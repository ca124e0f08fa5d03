"""FTP and FTPS to servers that callers name: what is asked of files, and their transfers.

A data connection is dialled guarded, to where the control connection leads and nowhere else, whatever PASV says. Under
TLS it shakes hands after the command is sent, which is when proftpd and vsftpd do: aioftp does it before, and both
sides wait for each other until the time is over.
"""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import PurePosixPath

import aioftp
from aioftp.common import SSLSessionBoundContext

from encoder import errors
from encoder.net.dial import dial
from encoder.net.ftp_talk import Site, Talk, drop
from encoder.net.guard import port_open
from encoder.net.http import Web
from encoder.net.idle import pieces
from encoder.net.inflow import Inflow
from encoder.net.retrieval import Facts, Retrieval
from encoder.net.side import Side

ANSWER_S = 300.0  # a server may store or check a large file before it says that it has it

_SIZE = re.compile(r"[0-9]{1,18}")
_EPSV = re.compile(r"\(([!-~])\1\1(?P<port>\d{1,5})\1\)")
_PASV = re.compile(r"(?:\d{1,3},){4}(?P<high>\d{1,3}),(?P<low>\d{1,3})")


class Ftp(Talk):
    """A conversation with a server: one thing at a time. Whoever has it closes it, or leaves it in peace."""

    _in_transfer = False  # the last word on one is still to come

    def leave(self) -> None:
        """Close, politely where that takes no time."""
        if not self._in_transfer:
            self.stream.writer.write(b"QUIT\r\n")
        self.close()

    async def awake(self) -> bool:
        """Whether the server is still there: it may have had enough of waiting for us."""
        try:
            with self._translated():
                await self._say("NOOP", "2xx")
        except errors.Failure:
            return False
        return True

    async def facts(self, path: str) -> Facts:
        return Facts(size_bytes=await self.size(path), changed=await self._told(f"MDTM {path}"))

    async def size(self, path: str) -> int | None:
        size = await self._told(f"SIZE {path}")
        return int(size) if size is not None and _SIZE.fullmatch(size) else None

    @asynccontextmanager
    async def retrieving(self, path: str, *, offset: int, version: str | None) -> AsyncIterator[Retrieval]:
        """The file from `offset` on where it still is `version`, else from its first byte.

        It is whole when as many bytes have come as it has, for a server may think that it has sent what a net has cut
        off, and when its facts still hold: they are asked for first, and it may since be another.
        """
        facts = await self.facts(path)
        wanted = offset if version is not None and version == facts.version else 0
        with self._translated():
            tls = self._data_tls()
            sock, begins = await self._transfer(f"RETR {path}", offset=wanted)
            inflow = await self._inflow(sock, tls)
        try:
            yield Retrieval(facts=facts, offset=begins, chunks=self._chunks(inflow, path, facts, begins))
        finally:
            drop(inflow.transport, sock)

    async def store(self, path: str, chunks: AsyncIterator[bytes]) -> None:
        """Make `chunks` the file `path`, and the folders that it lacks. If it fails, some of it may be there."""
        with self._translated():
            tls = self._data_tls()
            sock = await self._store(path)
            _, writer = await self._streams(sock, tls)
        try:
            async for chunk in chunks:
                with self._translated():
                    await self._write(writer, chunk)
            with self._translated():
                writer.close()
                await self._finish(ANSWER_S)
        finally:
            drop(writer.transport, sock)

    async def replace(self, path: str, final: str) -> None:
        """Rename `path` to `final`, whatever stands there."""
        with self._translated():
            if not await self._renamed(path, final):
                await self._say(f"DELE {final}", "2xx", "5xx")  # some servers rename only to what is not there
                await self._say(f"RNFR {path}", "350")
                await self._say(f"RNTO {final}", "2xx")

    async def remove(self, path: str) -> None:
        """No error where nothing is. A transfer that broke off is waited for: it may just be making the file."""
        with self._translated():
            if self._in_transfer:
                with suppress(aioftp.StatusCodeError):
                    await self._finish(self._web.idle_s)
            await self._say(f"DELE {path}", "2xx", "5xx")

    async def _told(self, command: str) -> str | None:
        with self._translated():
            code, lines = await self.command(command, ("213", "5xx"))
        return lines[-1].strip() if code == "213" else None

    async def _renamed(self, path: str, final: str) -> bool:
        await self._say(f"RNFR {path}", "350")
        return (await self._say(f"RNTO {final}", "2xx", "5xx")).matches("2xx")

    async def _store(self, path: str) -> socket.socket:
        try:
            return (await self._transfer(f"STOR {path}"))[0]
        except aioftp.StatusCodeError as refused:
            if refused.received_codes[-1] not in {"550", "553"}:
                raise
        for folder in reversed(PurePosixPath(path).parents[:-1]):  # the last one is there: `/`, or where we begin
            await self._say(f"MKD {folder}", "2xx", "5xx")
        return (await self._transfer(f"STOR {path}"))[0]

    async def _transfer(self, command: str, *, offset: int = 0) -> tuple[socket.socket, int]:
        """The data connection of a transfer, before its TLS, and the byte at which it begins."""
        sock = await self._dial_data()
        try:
            restarts = offset > 0 and await self._say(f"REST {offset}", "350", "5xx") == "350"
            await self._say(command, "125", "150")
            self._in_transfer = True
        except BaseException:
            sock.close()
            raise
        return sock, offset if restarts else 0

    async def _dial_data(self) -> socket.socket:
        code, lines = await self.command("EPSV", ("229", "5xx"))
        if code != "229":
            _, lines = await self.command("PASV", ("227",))
        port = _port("".join(lines), _EPSV if code == "229" else _PASV)
        if port is None or not port_open(port, "ftp"):
            message = f"{self._site.host.name} names no port for its data that may be dialled."
            raise errors.Transient(self._side.away, message)
        return await dial(self._peer, port, self._web, away=self._side.away)

    def _data_tls(self) -> ssl.SSLContext | None:
        """TLS of the same session as the control connection's: that is how servers know whose data it is."""
        if self._tls is None:
            return None
        session = self.stream.writer.get_extra_info("ssl_object").session
        return SSLSessionBoundContext(ssl.PROTOCOL_TLS_CLIENT, context=self._tls, session=session)

    async def _chunks(self, inflow: Inflow, path: str, facts: Facts, at: int) -> AsyncIterator[bytes]:
        while chunk := await self._read(inflow):
            at += len(chunk)
            yield chunk
        with self._translated():
            await self._finish(self._web.idle_s)
        if await self.facts(path) != facts:
            raise errors.Transient(self._side.away, "The file changed while it was read.")
        if facts.size_bytes not in {None, at}:
            raise errors.Transient(self._side.away, f"The transfer ended after {at} of {facts.size_bytes} bytes.")

    async def _read(self, inflow: Inflow) -> bytes:
        with self._translated():
            async with asyncio.timeout(self._web.idle_s):
                return await inflow.read()

    async def _write(self, writer: asyncio.StreamWriter, chunk: bytes) -> None:
        try:
            for piece in pieces(chunk):
                async with asyncio.timeout(self._web.idle_s):
                    writer.write(piece)
                    await writer.drain()
        except ConnectionError:
            await self._finish(self._web.idle_s)  # the server's last word may say why
            raise

    async def _finish(self, patience_s: float) -> None:
        """Hear the server's last word on a transfer. Raises aioftp.StatusCodeError: it failed."""
        self._patience_s = patience_s
        try:
            code, lines = await self.command(None, ("xxx",))
        finally:
            self._patience_s = self._web.idle_s
        self._in_transfer = False
        self.check_codes((aioftp.Code("226"), aioftp.Code("250")), code, lines)


async def entered(site: Site, web: Web, side: Side) -> Ftp:
    """A conversation that has begun."""
    ftp = Ftp(site, web, side)
    await ftp.begin()
    return ftp


@asynccontextmanager
async def visit(site: Site, web: Web, side: Side) -> AsyncIterator[Ftp]:
    """A conversation for the block."""
    ftp = await entered(site, web, side)
    try:
        yield ftp
    finally:
        ftp.leave()


def _port(reply: str, form: re.Pattern[str]) -> int | None:
    told = form.search(reply)
    if told is None:
        return None
    numbers = told.groupdict()
    port = int(numbers["port"]) if "port" in numbers else int(numbers["high"]) * 256 + int(numbers["low"])
    return port if 1 <= port <= 65535 else None  # noqa: PLR2004  # what TCP has
