"""Links to what the platform's own storage holds: the API's answers and the pages for people carry the same ones."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

from encoder import errors
from encoder.api.parts import Parts
from encoder.log import get_logger
from encoder.model.ids import OutputId
from encoder.store.rows import JobRow, OutputRow

log = get_logger(__name__)

_STORED = "storage:"  # how the platform's own storage begins its addresses


async def links(parts: Parts, row: JobRow) -> Mapping[OutputId, str]:
    """Fresh addresses from which anyone may read, for a while, those outputs that lie in the storage.

    A storage that cannot sign now, for it finds no credentials, keeps nobody from seeing the job.
    """
    made: dict[OutputId, str] = {}
    if row.purging:
        return made
    try:
        for output, key in _stored(row):
            link = await _signed(parts, row, output, key, good_for=parts.limits.link)
            if link is not None:
                made[output.id] = link
            await asyncio.sleep(0)  # to sign takes a while, and a page holds many
    except errors.Failure as failure:
        log.warning("links.unsigned", job=row.id, code=failure.code)
    return made


def require_kept(row: JobRow) -> None:
    """Nothing of a job is handed out once its time is over.

    Raises:
        errors.Rejected: `job_expired`.
    """
    if row.purging:
        raise errors.Rejected.because("job_expired", errors.CATALOGUE["job_expired"].to_do)


def _stored(row: JobRow) -> Iterator[tuple[OutputRow, str]]:
    """The outputs that lie in the storage, and their keys."""
    for output in row.outputs:
        uri = output.delivered.uri if output.delivered else ""
        if uri.startswith(_STORED):
            yield output, uri.removeprefix(_STORED)


async def link(parts: Parts, row: JobRow, output: OutputRow, *, good_for: timedelta) -> str | None:
    """One address as `links` makes them; None where the output does not lie in the storage, or cannot be linked.

    Raises:
        errors.Rejected: `job_expired`.
        errors.Transient: the storage cannot sign.
    """
    require_kept(row)
    stored = {made.id: key for made, key in _stored(row)}.get(output.id)
    return None if stored is None else await _signed(parts, row, output, stored, good_for=good_for)


async def _signed(parts: Parts, row: JobRow, output: OutputRow, key: str, *, good_for: timedelta) -> str | None:
    """To the one file; into a folder, to what is opened first, if the storage can."""
    expires = datetime.now(UTC) + good_for
    if not key.endswith("/"):
        name = f"{row.id}-{key.rpartition('/')[2]}"
        return await parts.storage.link(key, expires=expires, file_name=name)
    first = output.plan.opened_first if output.plan else None
    return await parts.storage.folder_link(key.removesuffix("/"), name=first, expires=expires) if first else None
