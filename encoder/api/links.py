"""Links to what the platform's own storage holds: the API's answers and the pages for people carry the same ones."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from encoder import errors
from encoder.api.parts import Parts
from encoder.log import get_logger
from encoder.model.ids import OutputId
from encoder.store.rows import JobRow

log = get_logger(__name__)

_STORED = "storage:"  # how the platform's own storage begins its addresses


async def links(parts: Parts, row: JobRow) -> Mapping[OutputId, str]:
    """Fresh addresses from which anyone may read, for a while, those outputs that lie in the storage.

    A storage that cannot sign now, for it finds no credentials, keeps nobody from seeing the job.
    """
    expires = datetime.now(UTC) + parts.limits.link
    made: dict[OutputId, str] = {}
    try:
        for output, key in _stored(row):
            name = f"{row.id}-{key.rpartition('/')[2]}"
            made[output] = await parts.storage.link(key, expires=expires, file_name=name)
            await asyncio.sleep(0)  # to sign takes a while, and a page holds many
    except errors.Failure as failure:
        log.warning("links.unsigned", job=row.id, code=failure.code)
    return made


def _stored(row: JobRow) -> Iterator[tuple[OutputId, str]]:
    """The outputs of which a link can be made, and their keys: a link leads to one file, not to a folder of them."""
    for output in row.outputs:
        uri = output.delivered.uri if output.delivered else ""
        if uri.startswith(_STORED) and not uri.endswith("/"):
            yield output.id, uri.removeprefix(_STORED)
