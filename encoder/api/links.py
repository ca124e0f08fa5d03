"""Links to what the platform's own storage holds: the API's answers and the pages for people carry the same ones."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime

from encoder.api.parts import Parts
from encoder.model.ids import OutputId
from encoder.store.rows import JobRow

_STORED = "storage:"  # how the platform's own storage begins its addresses


async def links(parts: Parts, row: JobRow) -> Mapping[OutputId, str]:
    """Fresh addresses from which anyone may read, for a while, those outputs that lie in the storage."""
    expires = datetime.now(UTC) + parts.limits.link
    made = {}
    for output in row.outputs:
        uri = output.delivered.uri if output.delivered else ""
        if uri.startswith(_STORED) and not uri.endswith("/"):  # a link leads to one file, not to a folder of them
            key = uri.removeprefix(_STORED)
            name = f"{row.id}-{key.rpartition('/')[2]}"
            made[output.id] = await parts.storage.link(key, expires=expires, file_name=name)
            await asyncio.sleep(0)  # to sign takes a while, and a page holds many
    return made
