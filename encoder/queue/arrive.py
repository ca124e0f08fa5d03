"""What becomes of an upload whose file has come: noted once, with the job that was to be made of it (U1, U2).

A storage that is not a folder of ours tells nobody what arrives: it is asked, when somebody wants to know and now and
then of our own accord. Any API process does it, none is elected; several at once do no harm.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import timedelta

from encoder import errors
from encoder.log import get_logger
from encoder.metrics.api import submitted
from encoder.model.state import UploadEnd, UploadProtocol, UploadState
from encoder.queue.backoff import Uniform
from encoder.queue.ceiling import Ceiling
from encoder.storage.protocol import Standing, Storage
from encoder.store.kept import UploadRow
from encoder.store.protocol import Uploads

log = get_logger(__name__)

PERIOD_S = 2.0
BATCH = 50
AT_ONCE = 8  # of them the storage is asked for
LATE = timedelta(hours=24)  # an upload that began in time may take so long beyond it


class Arrivals:
    """`most_bytes`: of a file whose size was not told. `ceiling`: how many jobs of a tenant."""

    def __init__(self, store: Uploads, storage: Storage, ceiling: Ceiling, *, most_bytes: int) -> None:
        self._store = store
        self._storage = storage
        self._ceiling = ceiling
        self._most_bytes = most_bytes

    async def look(self, row: UploadRow) -> UploadRow:
        """The upload as it stands now. What has arrived is noted, and what should not have come is removed.

        Raises:
            errors.Transient: the storage is away.
        """
        if row.ended is not None:
            return row
        if row.state is UploadState.UPLOADED:
            return await self._started(row) if row.planned else row
        standing = await self._storage.look(row.key)
        if standing is None:
            return await self._expire(row) if row.read_at > row.expires_at + _late(row) else row
        problem = misfit(row, standing, self._most_bytes)
        if problem is not None:
            return await self.end(row, UploadEnd.FAILED, problem=problem)
        return await self.arrived(row, size_bytes=standing.size_bytes)

    async def arrived(self, row: UploadRow, *, size_bytes: int) -> UploadRow:
        """Note that the file stands in the storage, and make the job that waits for it if there is room for one.

        If the upload has ended meanwhile, the file is removed.
        """
        if not row.planned:
            return await self._noted(row, size_bytes=size_bytes, start=True)
        async with self._ceiling.place(row.tenant_id) as found:
            noted = await self._noted(row, size_bytes=size_bytes, start=found)
        if noted.job_id is not None:
            submitted.of("accepted").inc()
            log.info("upload.job_made", upload=str(row.id), job=noted.job_id)
        return noted

    async def end(
        self, row: UploadRow, end: UploadEnd, *, problem: str | None, late: timedelta | None = None
    ) -> UploadRow:
        """No file is to come any more; what lies of it in the storage is removed, open uploads too.

        `late`: as the store's `end_upload`.
        """
        if await self._store.end_upload(row.id, end, problem=problem, late=late):
            log.info("upload.ended", upload=str(row.id), end=end, problem=problem)
            await self._clear(row)
        return await self._store.upload(None, row.id) or row

    async def run(self, *, uniform: Uniform) -> None:
        """Look for ever at what may have arrived."""
        while True:
            try:
                while await self.sweep() == BATCH:
                    pass
            except errors.StoreUnavailable as error:
                log.warning("uploads.unavailable", reason=str(error))
            except Exception:  # what cannot be read here, some newer release may have written: the API goes on
                log.exception("uploads.defect")
            await asyncio.sleep(PERIOD_S * uniform(0.8, 1.2))

    async def sweep(self) -> int:
        """Look at those for which it is time; how many they were."""
        rows, at_once = await self._store.look_uploads(limit=BATCH), asyncio.Semaphore(AT_ONCE)

        async def seen(row: UploadRow) -> None:
            async with at_once:
                await self._seen(row)

        for away in await asyncio.gather(*map(seen, rows), return_exceptions=True):
            if away is not None:
                raise away
        return len(rows)

    async def _seen(self, row: UploadRow) -> None:
        try:
            await self.look(row)
        except errors.Failure as failure:
            log.warning("uploads.unseen", upload=str(row.id), code=failure.code)
        except errors.StoreUnavailable:
            raise
        except Exception:  # one upload with which nothing can be done must not keep us from the others
            log.exception("uploads.defect", upload=str(row.id))

    async def _started(self, row: UploadRow) -> UploadRow:
        return await self.arrived(row, size_bytes=row.size_bytes or 0)

    async def _noted(self, row: UploadRow, *, size_bytes: int, start: bool) -> UploadRow:
        noted = await self._store.upload_arrived(row.id, size_bytes=size_bytes, start=start) or row
        if noted.ended is not None:  # while it came, and whoever ended it found nothing yet
            await self._clear(row)
        return noted

    async def _expire(self, row: UploadRow) -> UploadRow:
        return await self.end(row, UploadEnd.FAILED, problem="upload_expired", late=_late(row))

    async def _clear(self, row: UploadRow) -> None:
        with suppress(errors.Transient):  # retention comes by once more
            await self._storage.remove(row.key.rpartition("/")[0])


def misfit(row: UploadRow, standing: Standing, most_bytes: int) -> str | None:
    """Why what stands there is not what was announced, as a code; None if it is."""
    if standing.size_bytes > (row.declared_bytes or most_bytes):
        return "upload_too_large"
    if standing.size_bytes == 0 or standing.size_bytes < (row.declared_bytes or 0):
        return "upload_incomplete"
    if standing.content_type is not None and standing.content_type.lower() != row.content_type.lower():
        return "unsupported_media_type"
    return None


def _late(row: UploadRow) -> timedelta:
    """Pieces put the end off themselves; one request that began in time is given longer."""
    return timedelta(0) if row.protocol is UploadProtocol.TUS else LATE
