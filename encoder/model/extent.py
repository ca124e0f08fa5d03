"""Parts of a file: each from its first byte to before its end."""

from __future__ import annotations

from collections.abc import Iterable

from encoder.model.base import Record

Extent = tuple[int, int]


class Needed(Record):
    """What of a source somebody needs, of the very version that `validator` names.

    None: of a copy in the storage, which nobody changes.
    """

    extents: tuple[Extent, ...]
    size_bytes: int  # of the whole source
    validator: str | None

    @property
    def copied(self) -> bool:
        return self.validator is None


def merged(extents: Iterable[Extent], *, nearer_bytes: int = 0) -> tuple[Extent, ...]:
    """In order, without empty ones; made one that overlap, touch, or lie no further apart than `nearer_bytes`."""
    found: list[Extent] = []
    for first, last in sorted(extents):
        if first >= last:
            continue
        if found and first <= found[-1][1] + nearer_bytes:
            found[-1] = (found[-1][0], max(found[-1][1], last))
        else:
            found.append((first, last))
    return tuple(found)


def size_bytes(extents: Iterable[Extent]) -> int:
    """Of all of them, as they stand."""
    return sum(last - first for first, last in extents)


def holds(extents: Iterable[Extent], wanted: Iterable[Extent]) -> bool:
    """Whether every byte that is wanted lies in these, which are merged."""
    held = tuple(extents)
    return all(any(first <= start and end <= last for first, last in held) for start, end in merged(wanted))
