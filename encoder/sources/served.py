"""Reads over a conversation with a server, and goes on in the middle of a file that has not changed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol

from encoder.net.retrieval import Retrieval
from encoder.sources.protocol import Incoming


class Talk(Protocol):
    """A conversation with a server about its files."""

    def retrieving(self, path: str, *, offset: int, version: str | None) -> AbstractAsyncContextManager[Retrieval]:
        """The file from `offset` on where it still is `version`, else from its first byte."""


class ServedSource:
    """`visit`: begins a conversation, which ends with its block."""

    def __init__(self, visit: Callable[[], AbstractAsyncContextManager[Talk]], path: str) -> None:
        self._visit = visit
        self._path = path

    @asynccontextmanager
    async def open(self, *, offset: int = 0, validator: str | None = None) -> AsyncIterator[Incoming]:
        async with self._visit() as talk, talk.retrieving(self._path, offset=offset, version=validator) as found:
            yield Incoming(
                offset=found.offset,
                size_bytes=found.facts.size_bytes,
                validator=found.facts.version,
                file_name=self._path.rpartition("/")[2],
                chunks=found.chunks,
            )
