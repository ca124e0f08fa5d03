"""An HTTP origin whose files can break off, drip, change under the reader, lie about themselves."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.lab.wire import Exchange, Script, Server

_RANGE = re.compile(r"bytes=(\d+)-")


@dataclass(kw_only=True)
class Served:
    """A file as a proper server gives it: with a strong ETag, ranges and If-Range.

    `resets`: after how many bytes each of the first requests is reset, in order; None lets one through.
    """

    data: bytes
    etag: str | None = '"v1"'
    ranges: bool = True
    resets: list[int | None] = field(default_factory=list)
    headers: Mapping[str, str] = field(default_factory=dict)

    async def __call__(self, exchange: Exchange) -> None:
        start = self._start(exchange)
        headers = dict(self.headers)
        if self.etag is not None:
            headers["ETag"] = self.etag
        if start is None:
            await exchange.head(200, {"Content-Length": str(len(self.data)), **headers})
        else:
            headers["Content-Range"] = f"bytes {start}-{len(self.data) - 1}/{len(self.data)}"
            await exchange.head(206, {"Content-Length": str(len(self.data) - start), **headers})
        await self._send(exchange, self.data[start or 0 :])

    def _start(self, exchange: Exchange) -> int | None:
        asked = _RANGE.fullmatch(exchange.request.headers.get("range", ""))
        fits = exchange.request.headers.get("if-range") in {None, self.etag}
        return int(asked[1]) if asked and fits and self.ranges else None

    async def _send(self, exchange: Exchange, data: bytes) -> None:
        if exchange.request.method == "HEAD":
            return
        cut = self.resets.pop(0) if self.resets else None
        if cut is None:
            await exchange.write(data)
            return
        await exchange.write(data[:cut])
        await asyncio.sleep(0.05)  # RST takes what the other side has not yet read with it
        exchange.reset()


def answering(*statuses: int, then: Script, headers: Mapping[str, str] | None = None) -> Script:
    """Answers the first requests with `statuses`, the later ones as `then` does."""
    left = list(statuses)

    async def script(exchange: Exchange) -> None:
        if left:
            await exchange.answer(left.pop(0), headers=headers)
        else:
            await then(exchange)

    return script


def redirecting(to: str, *, status: int = 302) -> Script:
    async def script(exchange: Exchange) -> None:
        await exchange.answer(status, headers={"Location": to})

    return script


def saying(raw: bytes) -> Script:
    """Writes `raw` as the whole answer, then closes."""

    async def script(exchange: Exchange) -> None:
        await exchange.write(raw)

    return script


def falling_silent(after: bytes = b"") -> Script:
    """Writes `after`, then nothing more, and does not close."""

    async def script(exchange: Exchange) -> None:
        await exchange.write(after)
        await exchange.until_closed()

    return script


def chain(server: Server, hops: int, *, end: Script) -> str:
    """The address of a chain of `hops` redirects that ends in `end`."""
    for hop in range(hops):
        server.scripts[f"/hop/{hop}"] = redirecting(f"/hop/{hop + 1}")
    server.scripts[f"/hop/{hops}"] = end
    return server.url("/hop/0")
