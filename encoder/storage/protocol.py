"""What the platform's own store does. Keys are ours: relative, `/`-separated, of clean segments."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from encoder.destinations.protocol import Destination
from encoder.sources.protocol import Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """How to bring one object: a single request with `method` and `headers` as they stand, and the file as its body.

    With `fields` it is a form (`multipart/form-data`): these as they stand, and the file as the last one, `file`.
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    fields: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What stands at a key. `content_type` None: the storage keeps none."""

    size_bytes: int
    content_type: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Some of an object's bytes, from `offset` on, of all `size_bytes`; read while its block lasts.

    `version`: the same one means the same bytes.
    """

    offset: int
    size_bytes: int
    version: str | None
    chunks: AsyncIterator[bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Grown:
    """An object that comes piece by piece, as it stands before the next one.

    `offset_bytes` of `size_bytes` are there for good. `multipart`: what the storage calls it; None: nothing yet.
    """

    offset_bytes: int
    size_bytes: int
    content_type: str
    multipart: str | None


class Growing(Protocol):
    """An object that is being written on. All but the properties raise errors.Resource and errors.Transient."""

    @property
    def settled_bytes(self) -> int:
        """So many of its bytes are there for good, and will be found by whoever goes on."""

    @property
    def multipart(self) -> str | None:
        """What the storage calls it by now."""

    async def write(self, chunk: bytes) -> None: ...

    async def settle(self) -> None:
        """All that was written is there for good."""

    async def stand(self) -> None:
        """All of it has been written: it stands under its key. One that stands there already stays."""


class Storage(Protocol):
    """All but `destination` and `source`, which only name a thing, raise errors.Transient: `storage_unavailable`."""

    def destination(self, key: str) -> Destination:
        """Where an output without a destination goes."""

    def source(self, key: str) -> Source:
        """What was brought under `key`."""

    async def link(self, key: str, *, expires: datetime, file_name: str) -> str:
        """An address, absolute, from which anyone may read the object until `expires` (UTC)."""

    async def folder_link(self, prefix: str, *, name: str, expires: datetime) -> str | None:
        """An address of the object `prefix/name`, from which relative addresses lead to all that lies below `prefix/`.

        Until `expires` (UTC) anyone may read from there. None: this storage signs single objects only.
        """

    async def invite(self, key: str, *, expires: datetime, size_bytes: int | None, content_type: str) -> Invitation:
        """Let anyone who holds the invitation bring `key` until `expires`, with just that size (None: any) and type."""

    async def invite_form(
        self, key: str, *, expires: datetime, size_bytes: int | None, most_bytes: int, content_type: str
    ) -> Invitation:
        """As `invite`, by a form, as browsers send one. A size that is None is bounded by `most_bytes`."""

    def grow(self, key: str, grown: Grown) -> AbstractAsyncContextManager[Growing]:
        """Write on at `key`, from the offset on; by one at a time. Raises as `Growing`."""

    async def look(self, key: str) -> Standing | None:
        """What stands at `key`; None if nothing does."""

    def read(self, key: str, *, first: int = 0, last: int | None = None) -> AbstractAsyncContextManager[Part | None]:
        """The bytes from `first` to `last` (that one too; None: to the end), in chunks of at most 1 MiB.

        None: nothing stands there, or it ends before `first`.
        """

    async def remove(self, prefix: str) -> int:
        """Remove every object below `prefix/`; how many there were."""
