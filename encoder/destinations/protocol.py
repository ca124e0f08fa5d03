"""What a destination does."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """One proven local file on its way."""

    path: Path
    size_bytes: int
    sha256: str  # hex
    content_type: str
    token: str  # names the attempt, `<task>-<epoch>`: what is half-written carries it


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What stands at the final name. `sha256` is None where the other side cannot tell."""

    uri: str  # without userinfo, query or other secrets
    size_bytes: int
    sha256: str | None


class Destination(Protocol):
    """One final name, bound to its members and credentials. A name that ends in `/` is a folder, for packages.

    Connections are opened on first use and kept until `close`.

    All methods but `within` and `close` raise:
        errors.Permanent: `destination_auth_failed`, `destination_not_found`, `address_not_allowed`, `tls_error`, …
        errors.Transient: `destination_unavailable`, `integrity_error`, `timeout`.
        errors.Resource: `disk_full` (file and folder only).
    """

    @property
    def uri(self) -> str:
        """The final name, without userinfo, query or other secrets."""

    @property
    def tells_sha256(self) -> bool:
        """Whether `look` may tell the SHA-256 of what we made. Where it never does, it proves nothing: nobody looks."""

    async def look(self) -> Receipt | None:
        """What stands at the final name now; None if nothing does or it cannot be known.

        So None is no promise that a publish would replace nothing.
        """

    async def publish(
        self, parcel: Parcel, *, sent: Callable[[int], None], fence: Callable[[], Awaitable[None]]
    ) -> Receipt:
        """Make the parcel stand at the final name, whole or not at all, replacing what stood there.

        `sent` is told each time bytes have left (their number). `fence` is awaited as late as can be before the act
        that makes the object visible; if it raises, nothing becomes visible and what was written is removed.
        """

    async def discard(self, token: str) -> None:
        """Remove what an attempt left half-written; nothing there is no error."""

    def within(self, name: str) -> Destination:
        """The file `name` of this folder; `name` is ours, of clean segments. It shares this one's connections."""

    async def close(self) -> None:
        """Let go of all connections; those of `within` are this one's. Never raises."""
