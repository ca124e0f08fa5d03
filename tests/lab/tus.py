"""A client of tus 1.0, as small as one can be, that may be made to break off."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import aiohttp

RESUMABLE = {"Tus-Resumable": "1.0.0"}
PIECE = {"Content-Type": "application/offset+octet-stream"}


def metadata(**told: str) -> str:
    return ",".join(f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in told.items())


@dataclass(frozen=True, kw_only=True)
class Client:
    """`url`: of the server; what addresses it hands out, it may call by another name."""

    session: aiohttp.ClientSession
    url: str

    def at(self, address: str) -> str:
        return self.url + urlsplit(address).path

    async def ask(
        self, method: str, address: str, data: object = None, **headers: str
    ) -> tuple[int, Mapping[str, str], Any]:
        sent = RESUMABLE | {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {name: value for name, value in sent.items() if value}
        async with self.session.request(method, self.at(address), data=data, headers=sent) as response:
            told = await response.json() if response.content_type.endswith("json") else None
            return response.status, response.headers, told

    async def offset(self, address: str) -> int:
        status, told, _ = await self.ask("HEAD", address)
        assert status == 200, status
        return int(told["Upload-Offset"])

    async def piece(self, address: str, offset: int, data: object, **more: str) -> tuple[int, str | None]:
        """The status of bringing `data` there, and the code of the problem if it is one."""
        headers = {"Upload-Offset": str(offset), **PIECE, **more}
        status, _, told = await self.ask("PATCH", address, data, **headers)
        return status, told["code"] if told else None

    async def break_off(self, address: str, offset: int, data: bytes, *, of: int) -> None:
        """Say that `of` bytes come, send `data`, and hang up."""
        parts = urlsplit(self.url)
        _, writer = await asyncio.open_connection(parts.hostname, parts.port)
        head = "".join(f"{name}: {value}\r\n" for name, value in (RESUMABLE | PIECE).items())
        path = urlsplit(address).path
        writer.write(
            f"PATCH {path} HTTP/1.1\r\nHost: {parts.netloc}\r\n{head}Upload-Offset: {offset}\r\n"
            f"Content-Length: {of}\r\n\r\n".encode()
            + data
        )
        with suppress(ConnectionError):
            await writer.drain()
            writer.close()
            await writer.wait_closed()
