"""Publishes over a conversation with a server: beside the final name first, then renamed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, aclosing, suppress
from typing import Protocol
from urllib.parse import quote

from encoder import errors
from encoder.destinations import cargo
from encoder.destinations.protocol import Destination, Parcel, Receipt
from encoder.model.paths import part_name

CLEAR_UP_S = 5.0  # for each of two tries to remove what a failure left


class Talk(Protocol):
    """A conversation with a server about its files."""

    async def size(self, path: str) -> int | None:
        """None: nothing is there, or the server does not tell."""

    async def store(self, path: str, chunks: AsyncIterator[bytes]) -> None:
        """Make `chunks` the file `path`, and the folders that it lacks. If it fails, some of it may be there."""

    async def replace(self, path: str, final: str) -> None:
        """Rename `path` to `final`, whatever stands there."""

    async def remove(self, path: str) -> None:
        """No error where nothing is."""


class Lines(Protocol):
    """The way to one server. What it opens it keeps until `close`."""

    def one(self) -> AbstractAsyncContextManager[Talk]:
        """A conversation for the block."""

    def another(self) -> AbstractAsyncContextManager[Talk]:
        """A new one, whatever there is; it ends with the block."""

    async def close(self) -> None:
        """Never raises."""


class BesideDestination:
    """A file, or the folder of a package. `chunk_bytes`: what is stored at a time."""

    tells_sha256 = False

    def __init__(self, lines: Lines, path: str, *, uri: str, chunk_bytes: int) -> None:
        self._lines = lines
        self._path = path
        self._uri = uri
        self._chunk_bytes = chunk_bytes

    @property
    def uri(self) -> str:
        return self._uri

    async def look(self) -> Receipt | None:
        async with self._lines.one() as talk:
            size_bytes = await talk.size(self._path)
        return None if size_bytes is None else Receipt(uri=self._uri, size_bytes=size_bytes, sha256=None)

    async def publish(
        self, parcel: Parcel, *, sent: Callable[[int], None], fence: Callable[[], Awaitable[None]]
    ) -> Receipt:
        part = part_name(self._path, parcel.token)
        async with self._lines.one() as talk:
            try:
                async with aclosing(cargo.chunks(parcel, self._chunk_bytes, sent=sent)) as chunks:
                    await talk.store(part, chunks)
                await _require_whole(talk, part, parcel)
                await fence()
                await talk.replace(part, self._path)
            except BaseException:
                await self._clear_up(talk, part)
                raise
        return Receipt(uri=self._uri, size_bytes=parcel.size_bytes, sha256=None)

    async def discard(self, token: str) -> None:
        async with self._lines.one() as talk:
            await talk.remove(part_name(self._path, token))

    def within(self, name: str) -> Destination:
        uri = self._uri + quote(name)
        return BesideDestination(self._lines, self._path + name, uri=uri, chunk_bytes=self._chunk_bytes)

    async def close(self) -> None:
        await self._lines.close()

    async def _clear_up(self, talk: Talk, part: str) -> None:
        """Remove `part`, in the same conversation if it still is one: there the server knows when it was made."""
        with suppress(errors.Failure, TimeoutError):
            async with asyncio.timeout(CLEAR_UP_S):
                await talk.remove(part)
                return
        with suppress(errors.Failure, TimeoutError):
            async with asyncio.timeout(CLEAR_UP_S), self._lines.another() as other:
                await other.remove(part)


async def _require_whole(talk: Talk, part: str, parcel: Parcel) -> None:
    """A server takes the end of a connection for the end of a file, whoever ended it."""
    size_bytes = await talk.size(part)
    if size_bytes not in {None, parcel.size_bytes}:
        message = f"The server has {size_bytes} of {parcel.size_bytes} bytes."
        raise errors.Transient("integrity_error", message)
