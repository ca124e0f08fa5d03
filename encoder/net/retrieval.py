"""What servers tell of a file and how they send it, whichever protocol they speak."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a server tells of a file; None where it does not tell."""

    size_bytes: int | None
    changed: str | int | None  # to the second, as the server words it

    @property
    def version(self) -> str | None:
        """The same value means, as far as can be told, the same bytes."""
        return None if self.size_bytes is None or self.changed is None else f"{self.size_bytes}-{self.changed}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Retrieval:
    """A file on its way. `offset`: the byte where it begins, 0 where the server cannot go on in the middle of it."""

    facts: Facts
    offset: int
    chunks: AsyncIterator[bytes]
