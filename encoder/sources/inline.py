"""A source that came within the job itself, as base64."""

from __future__ import annotations

import asyncio
import binascii
import hashlib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

from encoder import errors
from encoder.errors import Fault
from encoder.model.base import Record
from encoder.plugins import Kind, Surroundings
from encoder.sources.protocol import Incoming, Source

MOST_BYTES = 12 * 1024 * 1024  # decoded

_CHUNK_BYTES = 1024 * 1024


class Members(Record):
    data: str
    file_name: str | None = None


def check(members: Members, _surroundings: Surroundings) -> Iterator[Fault]:
    if len(members.data) * 3 // 4 > MOST_BYTES + 2:  # up to two of them are padding
        yield Fault(path="/data", code="body_too_large", message=f"The data is larger than {MOST_BYTES} bytes.")
    elif not _decode(members.data):
        message = "The data is empty, or no base64 of the standard alphabet with padding and without spaces."
        yield Fault(path="/data", code="invalid_base64", message=message)


class InlineSource:
    def __init__(self, members: Members, _surroundings: Surroundings) -> None:
        self._members = members

    @asynccontextmanager
    async def open(self, *, offset: int = 0, validator: str | None = None) -> AsyncIterator[Incoming]:
        data = await asyncio.to_thread(_decode, self._members.data)
        if data is None:
            raise errors.Permanent("invalid_base64", "The data is no base64.")
        digest = hashlib.sha256(data).hexdigest()
        start = offset if validator == digest and offset <= len(data) else 0
        yield Incoming(
            offset=start,
            size_bytes=len(data),
            validator=digest,
            file_name=self._members.file_name,
            chunks=_chunks(data, start),
        )


async def _chunks(data: bytes, start: int) -> AsyncIterator[bytes]:
    for at in range(start, len(data), _CHUNK_BYTES):
        yield data[at : at + _CHUNK_BYTES]


def _decode(text: str) -> bytes | None:
    try:
        return binascii.a2b_base64(text.encode("ascii"), strict_mode=True)
    except ValueError:  # binascii.Error and UnicodeEncodeError are both
        return None


KIND: Kind[Members, Source] = Kind(members=Members, make=InlineSource, check=check)
