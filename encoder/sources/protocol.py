"""What a source does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """An open read. `offset` may be 0 though more was asked for: then what was read before is void."""

    offset: int
    size_bytes: int | None  # of the whole file
    validator: str | None  # a strong ETag or the like: the same value means the same bytes
    file_name: str | None  # as the source calls it; hostile text, never a path of ours
    chunks: AsyncIterator[bytes]


class Source(Protocol):
    """One input, bound to its members and credentials."""

    def open(self, *, offset: int = 0, validator: str | None = None) -> AbstractAsyncContextManager[Incoming]:
        """Read from byte `offset` of the version `validator`, in chunks of at most 1 MiB, in bounded memory.

        Raises (also while reading):
            errors.Permanent: `source_not_found`, `source_auth_failed`, `source_refused`, `source_gone`,
                `address_not_allowed`, `redirect_not_allowed`, `too_many_redirects`, `tls_error`, `path_not_allowed`.
            errors.Transient: `source_unavailable`, `timeout`; `retry_after_s` if the server said so.
        """
