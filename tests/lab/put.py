"""An HTTP server that keeps what is put on it, as far as a whole body has come."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.lab.wire import Exchange, Script, Server


@dataclass(kw_only=True)
class Shelf(Server):
    """`objects`: what stands at each path. `faults`: scripts for the first PUT or POST requests, in order."""

    objects: dict[str, bytes] = field(default_factory=dict)
    faults: list[Script] = field(default_factory=list)

    async def script(self, exchange: Exchange) -> None:
        path = exchange.request.target.partition("?")[0]
        if exchange.request.method == "HEAD":
            await self._head(exchange, path)
        elif self.faults:
            await self.faults.pop(0)(exchange)
        elif path in self.scripts:
            await self.scripts[path](exchange)
        else:
            self.objects[path] = await exchange.body()
            await exchange.answer(201)

    async def _head(self, exchange: Exchange, path: str) -> None:
        if path in self.objects:
            await exchange.head(200, {"Content-Length": str(len(self.objects[path]))})
        else:
            await exchange.answer(404)

    def digests(self) -> Mapping[str, str]:
        return {path: hashlib.sha256(data).hexdigest() for path, data in self.objects.items()}


def refusing_early(status: int, *, after: int = 0) -> Script:
    """Answers `status` when `after` bytes of the body have come, and reads no more."""

    async def script(exchange: Exchange) -> None:
        await exchange.body(after)
        await exchange.answer(status)

    return script


def refusing_late(status: int, headers: Mapping[str, str] | None = None) -> Script:
    """Takes the whole body, then answers `status`."""

    async def script(exchange: Exchange) -> None:
        await exchange.body()
        await exchange.answer(status, headers=headers)

    return script


def resetting(*, after: int) -> Script:
    async def script(exchange: Exchange) -> None:
        await exchange.body(after)
        exchange.reset()

    return script


async def stalling(exchange: Exchange) -> None:
    """Reads nothing of the body and says nothing."""
    exchange.writer.transport.pause_reading()  # type: ignore[attr-defined]  # asyncio's TCP transport can
    await exchange.reader.read()
