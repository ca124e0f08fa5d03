"""What keeps the platform's own store clean: objects that are to go, and those of which nobody knows any more."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, TypeVar

T = TypeVar("T")

PAGE = 1000  # names, or open uploads, that come at a time
NAME = "database"  # of the object that says whose storage it is


@dataclass(frozen=True, slots=True, kw_only=True)
class Heap:
    """All that lies below `prefix/`, and is to go.

    `known`: the keys of it that rows name; a store in which it costs a call to look removes these, and looks for no
    others. None: nobody knows, so that it looks.
    """

    prefix: str
    known: frozenset[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleared:
    """What became of heaps. `refused`: by prefix, why something of it stays; all other heaps are gone.

    `objects`: by prefix, how many were there, or were asked to go; what is gone already is counted where nobody looked.
    """

    objects: Mapping[str, int] = field(default_factory=dict)
    refused: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unfinished:
    """What somebody began to write at `key`, or beside it, and has not ended. `id`: the store's own name of it."""

    key: str
    id: str


class Upkeep(Protocol):
    """Of one store. All raise errors.Transient `storage_unavailable` where it cannot be asked."""

    async def clear(self, heaps: Sequence[Heap]) -> Cleared:
        """Remove heaps. What is not there is gone; what the store does not let go is told, and keeps no other."""

    def folders(self, under: str, *, after: str = "") -> AsyncIterator[Sequence[str]]:
        """The names directly below `under/` that lead further, in order, behind `after`: a page at a time."""

    async def weed(self, prefix: str, *, before: datetime) -> int:
        """Remove what lies below `prefix/` since before `before`; how many objects. What is refused stays."""

    def unfinished(self, under: str, *, before: datetime) -> AsyncIterator[Sequence[Unfinished]]:
        """What was begun below `under/` before `before`, and nobody ended: a page at a time."""

    async def drop(self, found: Unfinished) -> bool:
        """Remove what was begun; False where it stays."""

    async def advice(self) -> str:
        """What whoever owns the storage should have set in it, beyond what we remove; "" where there is nothing."""

    async def named(self, name: str) -> str:
        """The name that this storage bears; `name`, from now on, where it has none."""


def paged(items: Sequence[T]) -> Iterator[Sequence[T]]:
    """`items`, a page at a time."""
    for at in range(0, len(items), PAGE):
        yield items[at : at + PAGE]
