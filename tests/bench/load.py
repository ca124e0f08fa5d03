"""Asks an HTTP server as fast as it answers, on so many connections, each one question at a time.

A client of its own, for aiohttp's would take more of the machine than the server that is measured: it knows answers
with a `Content-Length` alone.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.bench.measure import percentile

HOST = "127.0.0.1"
_END, _LENGTH = b"\r\n\r\n", b"content-length:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What came of it: answers per second, and how long each took."""

    per_second: float
    seconds: Sequence[float]

    def ms(self, share: float) -> float:
        """The time within which such a share of the answers came."""
        return 1000 * percentile(self.seconds, share)


class _Caller(asyncio.Protocol):
    """One connection. `question` makes the bytes of the next request; `until`: when no further one is asked."""

    def __init__(self, question: Callable[[], bytes], expected: bytes, until: float) -> None:
        self._question = question
        self._expected = expected
        self._until = until
        self._came = bytearray()
        self._asked_at = 0.0
        self.seconds: list[float] = []
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._ask()

    def data_received(self, data: bytes) -> None:
        self._came += data
        head = self._came.find(_END)
        if head < 0 or len(self._came) < head + len(_END) + _length(self._came[:head]):
            return
        now = time.perf_counter()
        if not self._came.startswith(self._expected):
            self.over.set_exception(RuntimeError(self._came.decode()))
            return
        self.seconds.append(now - self._asked_at)
        self._came.clear()
        if now < self._until:
            self._ask()
        elif self._transport is not None:
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.over.done():
            self.over.set_result(None)

    def _ask(self) -> None:
        assert self._transport is not None
        self._asked_at = time.perf_counter()
        self._transport.write(self._question())


def _length(head: bytearray) -> int:
    at = head.lower().index(_LENGTH) + len(_LENGTH)
    return int(head[at:].split(b"\r\n", 1)[0])


def request(method: str, path: str, body: bytes = b"", **headers: str) -> bytes:
    """The bytes of a request."""
    told = {"Host": HOST, **headers, **({"Content-Length": str(len(body))} if body else {})}
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in told.items()), "", ""]
    return "\r\n".join(lines).encode() + body


async def load(port: int, question: Callable[[], bytes], *, connections: int, seconds: float, status: int) -> Told:
    """Ask for so long. Every answer must have that status."""
    loop, begun = asyncio.get_running_loop(), time.perf_counter()
    callers = [_Caller(question, f"HTTP/1.1 {status} ".encode(), begun + seconds) for _ in range(connections)]
    for caller in callers:
        await loop.create_connection(lambda caller=caller: caller, HOST, port)  # type: ignore[misc]  # bound at once
    await asyncio.gather(*(caller.over for caller in callers))
    took = time.perf_counter() - begun
    every = [one for caller in callers for one in caller.seconds]
    return Told(per_second=len(every) / took, seconds=every)
