"""Listeners on addresses that nobody may reach: any hit fails the test."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from typing import Self

FORBIDDEN = ("127.66.0.1", "127.0.0.1")


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, hits: list[str], address: str) -> None:
        self._hits = hits
        self._address = address

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._hits.append(f"UDP {self._address} from {addr}: {data[:100]!r}")


class Canary:
    """Listens on one port of each forbidden address, TCP and UDP. Leaving it asserts that nobody came."""

    def __init__(self) -> None:
        self.port = 0
        self.hits: list[str] = []
        self._closers = ExitStack()

    async def __aenter__(self) -> Self:
        for last in (False, False, True):
            try:
                await self._listen()
            except OSError:  # somebody has the port at another of the addresses: another port then
                self._closers.close()
                self.port = 0
                if last:
                    raise
            else:
                break
        return self

    async def _listen(self) -> None:
        loop = asyncio.get_running_loop()
        for address in FORBIDDEN:
            server = await asyncio.start_server(self._hit, address, self.port)
            self.port = server.sockets[0].getsockname()[1]
            self._closers.callback(server.close)
            made = await loop.create_datagram_endpoint(
                lambda address=address: _Datagrams(self.hits, address),  # type: ignore[misc]  # mypy's old blind spot
                local_addr=(address, self.port),
            )
            self._closers.callback(made[0].close)

    async def __aexit__(self, *_: object) -> None:
        await asyncio.sleep(0)  # a connection that was made is accepted in the next turn
        self._closers.close()
        assert self.hits == [], f"the canary was reached: {self.hits}"

    def url(self, path: str = "/", *, host: str = FORBIDDEN[0]) -> str:
        return f"http://{host}:{self.port}{path}"

    async def _hit(self, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.hits.append(f"TCP {writer.get_extra_info('sockname')} from {writer.get_extra_info('peername')}")
        writer.close()
