"""A web server that gives its file at so many bytes a second, whoever asks, from any byte on."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web

from tests.lab import platform

HOST = "127.77.0.1"
_PIECE_BYTES = 256 * 1024


@dataclass
class Throttled:
    """`asked`: from which byte on each request wanted the file; `sent_bytes`: in all.

    What begins before `held_at` does not go beyond it until `goes_on` is set.
    """

    path: Path
    rate_bytes_s: float
    etag: str | None = '"one"'
    held_at: int | None = None
    changes: bool = False  # with each request
    goes_on: asyncio.Event = field(default_factory=asyncio.Event)
    url: str = ""
    asked: list[int] = field(default_factory=list)
    sent_bytes: int = 0
    _free_at: float = 0.0

    async def serve(self, request: web.Request) -> web.StreamResponse:
        size = self.path.stat().st_size
        told = re.fullmatch(r"bytes=(\d+)-", request.headers.get("Range", ""))
        first = int(told[1]) if told and request.headers.get("If-Range") == self.etag else 0
        self.asked.append(first)
        if self.changes:
            self.etag = f'"{len(self.asked)}"'
        answer = web.StreamResponse(status=206 if first else 200, headers={"ETag": self.etag} if self.etag else None)
        answer.content_length = size - first
        if first:
            answer.headers["Content-Range"] = f"bytes {first}-{size - 1}/{size}"
        await answer.prepare(request)
        with self.path.open("rb") as file, suppress(ConnectionResetError):  # who has what he needs goes away
            for at in range(first, size, _PIECE_BYTES):
                if self.held_at is not None and first < self.held_at <= at:
                    await self.goes_on.wait()
                await answer.write(await self._in_time(os.pread(file.fileno(), _PIECE_BYTES, at)))
        return answer

    async def _in_time(self, piece: bytes) -> bytes:
        """The line is one: who waits for another waits his turn."""
        now = asyncio.get_running_loop().time()
        self._free_at = max(self._free_at, now) + len(piece) / self.rate_bytes_s
        self.sent_bytes += len(piece)
        await asyncio.sleep(self._free_at - now)
        return piece


@asynccontextmanager
async def serving(path: Path, *, rate_bytes_s: float, held_at: int | None = None) -> AsyncIterator[Throttled]:
    """Until the block ends."""
    served = Throttled(path, rate_bytes_s, held_at=held_at)
    app = web.Application()
    app.router.add_get(f"/{path.name}", served.serve)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, HOST, port := platform.free_port()).start()
    served.url = f"http://{HOST}:{port}/{path.name}"
    try:
        yield served
    finally:
        await runner.cleanup()
