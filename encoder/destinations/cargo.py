"""Reads a parcel on its way out: what leaves must be what was proven."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import AsyncGenerator, Callable

from encoder import errors
from encoder.destinations.protocol import Parcel
from encoder.files.threads import ended, in_thread


async def chunks(parcel: Parcel, size_bytes: int, *, sent: Callable[[int], None]) -> AsyncGenerator[bytes, None]:
    """The parcel's bytes, `size_bytes` at a time, one chunk ahead; each counts as sent when the next is asked for.

    Raises:
        errors.Transient: `integrity_error`, at the end or before a byte too many: they are not those that were proven.
    """
    digest, left = hashlib.sha256(), parcel.size_bytes
    with parcel.path.open("rb", buffering=0) as file:
        reading = asyncio.ensure_future(in_thread(_read, file.fileno(), size_bytes, digest))
        try:
            while (chunk := await reading) and (left := left - len(chunk)) >= 0:
                reading = asyncio.ensure_future(in_thread(_read, file.fileno(), size_bytes, digest))
                yield chunk
                sent(len(chunk))
        finally:
            reading.cancel()  # it still ends before the file is closed
            await ended(reading)
    if digest.hexdigest() != parcel.sha256:
        raise errors.Transient("integrity_error", "The file changed on its way from the scratch folder.")


def _read(descriptor: int, size_bytes: int, digest: hashlib._Hash) -> bytes:
    chunk = os.read(descriptor, size_bytes)
    digest.update(chunk)
    return chunk
