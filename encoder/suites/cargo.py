"""Files to move, and what a careful reader and writer does with them."""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass
from pathlib import Path

from encoder.destinations.protocol import Parcel
from encoder.sources.protocol import Incoming, Source


def noise(size_bytes: int, *, seed: int = 1) -> bytes:
    """Bytes that are the same on each run, and no two parts of which are equal."""
    return random.Random(seed).randbytes(size_bytes)  # noqa: S311  # no secret


def parcel(folder: Path, data: bytes, *, attempt: str = "7-1", name: str = "made.mp4") -> Parcel:
    """A proven local file."""
    path = folder / name
    path.write_bytes(data)
    return Parcel(
        path=path,
        size_bytes=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        content_type="video/mp4",
        token=attempt,
    )


async def read(source: Source, *, offset: int = 0, validator: str | None = None) -> tuple[Incoming, bytes]:
    """What an open of `source` says, and all bytes that it then gives."""
    async with source.open(offset=offset, validator=validator) as incoming:
        return incoming, b"".join([chunk async for chunk in incoming.chunks])


@dataclass(kw_only=True)
class Gate:
    """A fence that counts how often it was asked; `shut`: what it raises."""

    shut: Exception | None = None
    asked: int = 0

    async def fence(self) -> None:
        self.asked += 1
        if self.shut is not None:
            raise self.shut
