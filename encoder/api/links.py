"""Links to what the platform's own storage holds: the API's answers and the pages for people carry the same ones."""

from __future__ import annotations

from datetime import UTC, datetime

from encoder.api.parts import Parts
from encoder.store.rows import JobRow, OutputRow

_STORED = "storage:"  # how the platform's own storage begins its addresses


def link(parts: Parts, row: JobRow, output: OutputRow) -> str | None:
    """A fresh address from which anyone may read the output for a while; None if it does not lie in the storage."""
    uri = output.delivered.uri if output.delivered else ""
    if not uri.startswith(_STORED):
        return None
    key = uri.removeprefix(_STORED)
    expires = datetime.now(UTC) + parts.limits.link
    return parts.shelf.link(key, expires=expires, file_name=f"{row.id}-{key.rpartition('/')[2]}")
