"""The control connection of FTP and FTPS: aioftp asks, we dial, and what we are told is bounded."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import aioftp

from encoder import errors
from encoder.errors import Fault
from encoder.log import get_logger
from encoder.net.account import ANYBODY, Account
from encoder.net.dial import dial
from encoder.net.guard import Host, Policy, check_host
from encoder.net.http import Web
from encoder.net.inflow import Inflow
from encoder.net.side import Side

log = get_logger(__name__)

BUFFER_BYTES = 1024 * 1024

_IMPLICIT_TLS_PORT = 990
_MOST_LINES = 500  # of a reply


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A server, and who we are there. `secure`: with TLS, on port 990 from the first byte on, else asked for."""

    host: Host
    secure: bool
    username: str = ANYBODY
    password: str = field(default="anonymous@", repr=False)


def site(members: Account, scheme: str, policy: Policy) -> Site | Fault:
    host = check_host(members.host, members.port, scheme, policy)
    if isinstance(host, Fault):
        return host
    told = {"username": members.username, "password": members.password}
    return Site(host=host, secure=scheme == "ftps", **{name: text for name, text in told.items() if text is not None})


class Talk(aioftp.BaseClient):
    """A conversation with a server, logged in once it has begun.

    Everything here and below raises:
        errors.Permanent: `address_not_allowed`, `tls_error`, and those of `side`.
        errors.Transient: `timeout`, and the one of `side`.
    """

    def __init__(self, site: Site, web: Web, side: Side) -> None:
        super().__init__()
        self._site = site
        self._web = web
        self._side = side
        self._tls = (web.tls or ssl.create_default_context()) if site.secure else None
        self._sock: socket.socket | None = None
        self._peer = ""  # the address that was dialled
        self._patience_s = web.idle_s  # for one reply

    async def begin(self) -> None:
        """Connect and log in."""
        try:
            with self._translated():
                await self._greet()
                await self._log_in()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """At once: a farewell under TLS would be waited for, and nothing depends on it."""
        if self._sock is not None and self._stream is not None:
            drop(self._stream.writer.transport, self._sock)

    async def _greet(self) -> None:
        host = self._site.host
        self._sock = sock = await dial(host.name, host.port, self._web, away=self._side.away)
        try:
            self._peer = sock.getpeername()[0]
        except OSError:  # it has left already
            sock.close()
            raise
        at_once = self._tls if host.port == _IMPLICIT_TLS_PORT else None
        reader, writer = await self._streams(sock, at_once)
        self._stream = aioftp.ThrottleStreamIO(reader, writer, write_timeout=self._web.idle_s)
        await self._say(None, "220")
        if self._tls is not None and at_once is None:
            await self._ask_for_tls(self._tls)
        if self._tls is not None:
            await self._say("PBSZ 0", "2xx")
            await self._say("PROT P", "2xx")

    async def _ask_for_tls(self, tls: ssl.SSLContext) -> None:
        if await self._say("AUTH TLS", "234", "5xx") != "234":
            raise errors.Permanent("tls_error", f"{self._site.host.name} speaks no TLS on this port.")
        if await _has_more(self.stream.reader):  # it would count as said under TLS, whoever slipped it in
            raise errors.Permanent("tls_error", f"{self._site.host.name} goes on in the clear where TLS begins.")
        await self.stream.start_tls(tls, self._site.host.name)

    async def _log_in(self) -> None:
        if not self._site.secure and self._site.username != ANYBODY:
            log.warning("ftp.password_in_the_clear", server=self._site.host.name, port=self._site.host.port)
        if await self._say(f"USER {self._site.username}", "230", "331") == "331":
            await self._say(f"PASS {self._site.password}", "230", "202", censor_after=5)
        await self._say("OPTS UTF8 ON", "2xx", "5xx")  # some need it; the others say that they do not know it
        await self._say("TYPE I", "2xx")

    async def _say(self, command: str | None, *expected: str, censor_after: int | None = None) -> aioftp.Code:
        """The code of the answer; `command` None: only listen. Raises aioftp.StatusCodeError: another was expected."""
        code, _ = await self.command(command, expected, censor_after=censor_after)
        return code

    async def _streams(
        self, sock: socket.socket, tls: ssl.SSLContext | None
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """What is read from and written to `sock`, under TLS if there is one."""
        return await asyncio.open_connection(sock=sock, limit=BUFFER_BYTES, **self._secured(tls))

    async def _inflow(self, sock: socket.socket, tls: ssl.SSLContext | None) -> Inflow:
        """The same, to be read only."""
        _, inflow = await asyncio.get_running_loop().create_connection(Inflow, sock=sock, **self._secured(tls))
        return inflow

    def _secured(self, tls: ssl.SSLContext | None) -> dict[str, Any]:
        if tls is None:
            return {}
        return {"ssl": tls, "server_hostname": self._site.host.name, "ssl_handshake_timeout": self._web.connect_s}

    async def parse_response(self) -> tuple[aioftp.Code, list[str]]:
        """One reply, of bounded length and in bounded time: aioftp would listen for ever."""
        async with asyncio.timeout(self._patience_s):
            code, rest = await self.parse_line()
            if not code.isdecimal():
                raise ValueError("no reply")
            lines = [rest]
            more = rest.startswith("-")
            while more:
                also, rest = await self.parse_line()
                lines.append(rest)
                more = also != code or rest.startswith("-")
                if len(lines) > _MOST_LINES:
                    raise ValueError("a reply without end")
        return code, lines

    async def parse_line(self) -> tuple[aioftp.Code, str]:
        """aioftp would fail on words in another encoding than UTF-8, which are for people anyway."""
        line = await self.stream.readline()
        if not line.endswith(b"\n"):
            raise ConnectionResetError
        text = line.decode(errors="replace").rstrip()
        return aioftp.Code(text[:3]), text[3:]

    @contextmanager
    def _translated(self) -> Iterator[None]:
        name = self._site.host.name
        try:
            yield
        except aioftp.StatusCodeError as error:  # `from None`: a server's own words may repeat what we told it
            raise self._failure(error.received_codes[-1]) from None
        except TimeoutError:
            raise errors.Transient("timeout", f"{name} did not answer in time.") from None
        except (ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError) as error:
            raise errors.Transient(self._side.away, f"{name} broke off the connection.") from error
        except ssl.SSLError as error:
            why = getattr(error, "verify_message", None) or error.reason or "TLS failed"
            raise errors.Permanent("tls_error", f"No trusted connection to {name}: {why}.") from error
        except OSError as error:
            raise errors.Transient(self._side.away, f"The connection to {name} broke: {_reason(error)}.") from error
        except ValueError as error:  # also asyncio's for a line that is too long
            raise errors.Transient(self._side.away, f"{name} speaks no FTP that we understand.") from error

    def _failure(self, code: aioftp.Code) -> errors.Failure:
        message = f"{self._site.host.name} answered {code}."
        if not code.matches("5xx"):
            return errors.Transient(self._side.away, message)
        return errors.Permanent(self._side.missing if code == "550" else self._side.refused, message)


def drop(transport: asyncio.WriteTransport, sock: socket.socket) -> None:
    """Close at once. Python 3.11's transports may not even be looked at when they have come to their end."""
    if sock.fileno() != -1:
        transport.abort()


async def _has_more(reader: asyncio.StreamReader) -> bool:
    """Whether bytes have come that nobody has read yet."""
    try:
        async with asyncio.timeout(0):
            return bool(await reader.read(1))
    except TimeoutError:
        return False


def _reason(error: OSError) -> str:
    return error.strerror or type(error).__name__
