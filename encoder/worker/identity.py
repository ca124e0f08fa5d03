"""Which bytes a source has: what was planned for them is true of no others."""

from __future__ import annotations

import hashlib

from encoder import errors
from encoder.files.threads import in_thread
from encoder.worker.context import Fetched
from encoder.worker.package import digest


async def identity_of(fetched: Fetched) -> str:
    """Of a source on the disk: by what it says of its version; one that says nothing is read whole."""
    if fetched.validator is not None:
        return hashlib.sha256(f"{fetched.size_bytes} {fetched.validator}".encode()).hexdigest()
    return await in_thread(digest, fetched.path)


async def require_same(fetched: Fetched, identity: str) -> None:
    """Raises:
    errors.Permanent: `source_changed`.
    """
    if await identity_of(fetched) != identity:
        told = "The source is another one than when the job was planned: its chunks would not fit each other."
        raise errors.Permanent("source_changed", told)
