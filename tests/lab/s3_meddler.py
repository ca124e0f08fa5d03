"""Stands before a real S3 server, passes requests on, and does to some of them what a test wants."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from encoder.model.job import Place
from tests.lab.rgw import Bucket
from tests.lab.wire import Exchange, Request, Server

_OPERATIONS = (
    ("POST", re.compile(r"[?&]uploads\b"), "create"),
    ("POST", re.compile(r"[?&]uploadId="), "complete"),
    ("PUT", re.compile(r"[?&]partNumber="), "part"),
    ("DELETE", re.compile(r"[?&]uploadId="), "abort"),
    ("GET", re.compile(r"[?&]uploads\b"), "list"),
    ("PUT", re.compile(r""), "put"),
    ("GET", re.compile(r""), "get"),
    ("HEAD", re.compile(r""), "head"),
)

# what befalls one request; it may pass it on
Fault = Callable[["Meddler", Exchange], Awaitable[None]]


def operation(request: Request) -> str:
    return next(name for method, mark, name in _OPERATIONS if request.method == method and mark.search(request.target))


@dataclass(kw_only=True)
class Meddler(Server):
    """`faults`: what befalls the next requests of an operation, in order; all others pass. `asked`: every operation."""

    bucket: Bucket
    faults: dict[str, list[Fault]] = field(default_factory=dict)

    @property
    def asked(self) -> list[str]:
        return [operation(request) for request in self.seen]

    def place(self, path: str, **members: str) -> Place:
        """What stands at `path`, reached through here."""
        return {**self.bucket.place(path), "endpointUrl": self.url(""), **members}

    async def script(self, exchange: Exchange) -> None:
        waiting = self.faults.get(operation(exchange.request))
        await (waiting.pop(0) if waiting else passing)(self, exchange)

    async def answer_of(self, exchange: Exchange) -> bytes:
        """The server's answer, head and body, to the request as it came."""
        reader, writer = await asyncio.open_connection(self.bucket.gateway.host, self.bucket.gateway.port)
        try:
            writer.write(exchange.request.head[:-2] + b"Connection: close\r\n\r\n" + await exchange.body())
            await writer.drain()
            return await reader.read()
        finally:
            writer.close()


async def passing(meddler: Meddler, exchange: Exchange) -> None:
    await exchange.write(await meddler.answer_of(exchange))


def refusing(status: int, code: str, headers: Mapping[str, str] | None = None) -> Fault:
    """Takes the body, does nothing, and answers with an error as S3 words it."""

    async def fault(_meddler: Meddler, exchange: Exchange) -> None:
        await exchange.body()
        told = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>SENTINEL</Message></Error>".encode()
        await exchange.answer(status, b"" if exchange.request.method == "HEAD" else told, headers)

    return fault


async def resetting(_meddler: Meddler, exchange: Exchange) -> None:
    """Breaks off in the middle of the body."""
    await exchange.body(int(exchange.request.headers.get("content-length", 0)) // 2)
    exchange.reset()


async def swallowing(meddler: Meddler, exchange: Exchange) -> None:
    """The server does what it is asked, and nobody hears that it has."""
    await meddler.answer_of(exchange)
    exchange.reset()


def cutting(after: int) -> Fault:
    """Lets so many bytes of the answer through."""

    async def fault(meddler: Meddler, exchange: Exchange) -> None:
        await exchange.write((await meddler.answer_of(exchange))[:after])

    return fault


def falling_silent(after: int) -> Fault:
    """Lets so many bytes of the answer through, says nothing more, and does not close."""

    async def fault(meddler: Meddler, exchange: Exchange) -> None:
        await exchange.write((await meddler.answer_of(exchange))[:after])
        await exchange.until_closed()

    return fault


async def saying_nothing(_meddler: Meddler, exchange: Exchange) -> None:
    """Takes the body, and neither does nor says anything."""
    await exchange.body()
    await exchange.until_closed()


async def lying(meddler: Meddler, exchange: Exchange) -> None:
    """The answer names another ETag than the bytes have."""
    answer = await meddler.answer_of(exchange)
    await exchange.write(re.sub(rb'"[0-9a-f]{32}"', b'"' + b"0" * 32 + b'"', answer))


def telling(reached: asyncio.Event) -> Fault:
    """Tells that the request has come, and passes it on."""

    async def fault(meddler: Meddler, exchange: Exchange) -> None:
        reached.set()
        await passing(meddler, exchange)

    return fault


def stalling(reached: asyncio.Event) -> Fault:
    """Tells that the request has come, takes nothing of its body, and says nothing."""

    async def fault(_meddler: Meddler, exchange: Exchange) -> None:
        reached.set()
        exchange.writer.transport.pause_reading()  # type: ignore[attr-defined]  # asyncio's TCP transport can
        await asyncio.Event().wait()

    return fault
