"""A source while it is fetched, for those who can begin with what of it is there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from encoder.model.extent import Extent, holds, merged
from encoder.sources.protocol import Incoming


class Arrival:
    """`path`: where it arrives. It is told by `Fetch` what comes; `over` says that no more does."""

    def __init__(self, path: Path, *, clock: Callable[[], float]) -> None:
        self.path = path
        self.size_bytes: int | None = None
        self.validator: str | None = None
        self.first_byte_at: float | None = None
        self.over = False
        self.busy = False  # some of it is being worked on
        self._clock = clock
        self._void = False
        self._have = self._stands = 0  # bytes that came; of these on the disk
        self._beside: tuple[Extent, ...] = ()
        self._news = asyncio.Event()

    @property
    def there(self) -> tuple[Extent, ...]:
        """What of it is on the disk."""
        return merged([(0, self._stands), *self._beside])

    @property
    def sound(self) -> bool:
        """Whether what came first is still part of what comes."""
        return not self._void

    @property
    def rest_seconds(self) -> float | None:
        """How long the rest will take; None: nobody knows."""
        if self.first_byte_at is None or not self._have or self.size_bytes is None:
            return None
        rate = self._have / max(self._clock() - self.first_byte_at, 1e-3)
        return (self.size_bytes - self._have) / rate

    def begun(self, incoming: Incoming) -> None:
        """It begins to come, or goes on."""
        again = self.validator is not None
        if again and (incoming.validator != self.validator or incoming.size_bytes != self.size_bytes):
            self._void = True
        self.validator, self.size_bytes = incoming.validator, incoming.size_bytes
        self._news.set()

    def told(self, have: int) -> None:
        """So much of it came; the last piece may be on its way to the disk."""
        if self.first_byte_at is None and have:
            self.first_byte_at = self._clock()
        if have < self._have:
            self._void = True
        self._stands, self._have = self._have, have
        self._news.set()

    def beside(self, extent: Extent) -> None:
        """Some of it came by another way."""
        self._beside = (*self._beside, extent)

    def end(self) -> None:
        """Nothing more comes: it is there whole, or never will be."""
        self.over = True
        self._news.set()

    @contextmanager
    def worked_on(self) -> Iterator[None]:
        """Meanwhile that is what is to be told of it, and not how much has come."""
        self.busy = True
        try:
            yield
        finally:
            self.busy = False

    async def until(self, wanted: Iterable[Extent]) -> bool:
        """Wait for these; False: they do not come, or what came is void, or all is over."""
        extents = merged(wanted)
        while not (self.over or self._void or holds(self.there, extents)):
            self._news.clear()
            await self._news.wait()
        return not (self.over or self._void)
