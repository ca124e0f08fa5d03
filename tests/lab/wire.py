"""A small HTTP/1.1 server that can misbehave at every byte, which a real one would not do for us."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import struct
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Self

from encoder.net.guard import Policy
from encoder.net.http import Web

PUBLIC = "127.77.0.1"  # 127.77.0.0/16 plays the public internet
POLICY = Policy.of("127.77.0.0/16")


def lab_web(*, lookup: object = None, tls: ssl.SSLContext | None = None, idle_s: float = 5.0) -> Web:
    """The guarded way out, as the lab's policy has it."""
    chosen = {} if lookup is None else {"lookup": lookup}
    return Web(policy=POLICY, tls=tls, idle_s=idle_s, connect_s=2.0, **chosen)  # type: ignore[arg-type]  # one of two


@dataclass(frozen=True, kw_only=True)
class Request:
    """What arrived, as it arrived. Header names are in lower case."""

    method: str
    target: str
    headers: Mapping[str, str]
    head: bytes


class Exchange:
    """One request and the connection that it came on."""

    def __init__(self, request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.request = request
        self.reader = reader
        self.writer = writer

    async def body(self, count: int | None = None) -> bytes:
        """`count` bytes of the body, or all that its Content-Length promises."""
        return await self.reader.readexactly(
            int(self.request.headers.get("content-length", 0)) if count is None else count
        )

    async def head(self, status: int, headers: Mapping[str, str] | None = None) -> None:
        lines = [f"HTTP/1.1 {status} Scripted", *(f"{name}: {value}" for name, value in (headers or {}).items())]
        await self.write("\r\n".join([*lines, "Connection: close", "", ""]).encode())

    async def answer(self, status: int, body: bytes = b"", headers: Mapping[str, str] | None = None) -> None:
        await self.head(status, {"Content-Length": str(len(body)), **(headers or {})})
        await self.write(body)

    async def write(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    def reset(self) -> None:
        """RST, not FIN."""
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    async def until_closed(self) -> None:
        """Wait, saying nothing, until the other side has had enough."""
        with contextlib.suppress(ConnectionError):
            while await self.reader.read(65536):
                pass


Script = Callable[[Exchange], Awaitable[None]]


@dataclass(kw_only=True)
class Server:
    """Answers each request by the script of its path. `seen`: every request, in order."""

    host: str = PUBLIC
    tls: ssl.SSLContext | None = None
    scripts: dict[str, Script] = field(default_factory=dict)
    seen: list[Request] = field(default_factory=list)
    failures: list[BaseException] = field(default_factory=list)
    port: int = 0
    _server: asyncio.Server | None = None
    _running: set[asyncio.Task[None]] = field(default_factory=set)

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connected, self.host, self.port, ssl=self.tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        if self.failures:
            raise self.failures[0]

    def url(self, path: str = "/", *, host: str | None = None) -> str:
        return f"{'https' if self.tls else 'http'}://{host or self.host}:{self.port}{path}"

    async def script(self, exchange: Exchange) -> None:
        """What happens on a path that no script names."""
        chosen = self.scripts.get(exchange.request.target.partition("?")[0])
        if chosen is None:
            await exchange.answer(404)
        else:
            await chosen(exchange)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._running.add(task)  # a connection that is not read would else be collected as garbage
        task.add_done_callback(self._running.discard)
        try:
            request = await _read_head(reader)
            if request is not None:
                self.seen.append(request)
                await self.script(Exchange(request, reader, writer))
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the other side left, or the test is over
        except Exception as failure:  # noqa: BLE001  # raised again when the server ends
            self.failures.append(failure)
        finally:
            writer.close()


async def _read_head(reader: asyncio.StreamReader) -> Request | None:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.decode("latin-1").rstrip().split("\r\n")
    method, target, _ = first.split(" ")
    named = (line.partition(":") for line in lines)
    headers = {name.lower(): value.strip() for name, _, value in named}
    return Request(method=method, target=target, headers=headers, head=head)
