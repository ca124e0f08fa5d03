"""What the platform's own store does. Keys are ours: relative, `/`-separated, of clean segments."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from encoder.destinations.protocol import Destination


class Storage(Protocol):
    def destination(self, key: str) -> Destination:
        """Where an output without a destination goes."""

    def link(self, key: str, *, expires: datetime, file_name: str) -> str:
        """An address, absolute, from which anyone may read the object until `expires` (UTC)."""

    async def remove(self, prefix: str) -> int:
        """Remove every object below `prefix/`; how many there were."""
