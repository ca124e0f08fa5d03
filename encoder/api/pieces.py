"""Takes in one piece of an upload: written as it comes, and what has come is kept, however the piece ends.

One writer at a time holds an upload, for as long as it is heard of. First the bytes are there for good, then the offset
is moved: who comes next finds as many bytes as the row says, on whatever machine.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from uuid import UUID, uuid4

from encoder import errors
from encoder.api import problems
from encoder.api.inflow import Reads, inflow
from encoder.api.operations import Asker
from encoder.api.receive import noted, refusal, too_large
from encoder.api.tus_headers import Checksum
from encoder.errors import Rejected
from encoder.model.state import UploadState
from encoder.storage.protocol import Growing, Grown
from encoder.store.kept import UploadRow

LEASE = timedelta(seconds=90)  # more than a writer is silent: the longest wait for bytes, and for a part to be sent
MOVE_S = 20.0  # so often the offset is moved where little comes


async def take(
    call: Asker, row: UploadRow, reads: Reads, *, offset_bytes: int, checksum: Checksum | None = None
) -> UploadRow:
    """The upload after a piece that `reads` gives. With `checksum` it is kept as a whole or not at all.

    Raises:
        ConnectionError: it broke off; what has come is kept.
        errors.Rejected: `request_timeout`, `upload_incomplete`, the same; `upload_locked`, `offset_conflict`,
            `upload_exists`, `upload_expired`, `upload_too_large`, `checksum_mismatch`, `storage_full`.
        errors.Transient: the storage is away.
    """
    async with _held(call, row) as writer:
        return await writer.take(reads, offset_bytes=offset_bytes, checksum=checksum)


@asynccontextmanager
async def _held(call: Asker, row: UploadRow) -> AsyncIterator[_Writer]:
    store, holder = call.parts.store, uuid4()
    held = await store.hold_upload(row.id, holder, lease=LEASE)
    if held is None:
        raise await _why_not(call, row.id)
    try:
        yield _Writer(call, held, holder)
    finally:
        with suppress(errors.StoreUnavailable):  # then its time runs out
            await store.free_upload(row.id, holder)


class _Writer:
    """Whoever holds the upload."""

    def __init__(self, call: Asker, row: UploadRow, holder: UUID) -> None:
        self._call = call
        self._row = row
        self._holder = holder
        self._size_bytes = row.declared_bytes or 0
        self._reached = self._moved = row.offset_bytes
        self._clock = asyncio.get_running_loop().time
        self._moved_at = self._clock()
        self._broken: Exception | None = None

    async def take(self, reads: Reads, *, offset_bytes: int, checksum: Checksum | None) -> UploadRow:
        row = self._row
        if offset_bytes != row.offset_bytes:
            told = f"{row.offset_bytes} bytes are here; the piece begins at {offset_bytes}."
            raise Rejected.because("offset_conflict", told)
        grown = Grown(
            offset_bytes=row.offset_bytes,
            size_bytes=self._size_bytes,
            content_type=row.content_type,
            multipart=row.multipart,
        )
        try:
            async with self._call.parts.storage.grow(row.key, grown) as growing:
                await self._write(growing, inflow(reads), checksum)
        except errors.Resource:
            raise refusal("storage_full") from None
        if self._reached == self._size_bytes:
            return await noted(self._call, row, size_bytes=self._size_bytes)
        if self._broken is not None:
            raise self._broken
        return await self._call.parts.store.upload(None, row.id) or row

    async def _write(self, growing: Growing, chunks: AsyncIterator[bytes], checksum: Checksum | None) -> None:
        async for chunk in self._coming(chunks):
            if self._reached + len(chunk) > self._size_bytes:
                raise too_large(self._size_bytes)
            await growing.write(chunk)
            self._reached += len(chunk)
            if checksum is None:
                await self._keep(growing)
            else:
                checksum.update(chunk)
                await self._stay(growing)
        if checksum is not None and (self._broken is not None or not checksum.fits):
            raise self._broken or refusal("checksum_mismatch")
        if self._reached == self._size_bytes:
            await growing.stand()  # not before: who asks for the offset must not take it for done
            return
        await growing.settle()
        await self._move(growing.settled_bytes, growing)

    async def _coming(self, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """What comes until it ends or breaks off."""
        try:
            async for chunk in chunks:
                yield chunk
        except (ConnectionError, Rejected) as broken:
            self._broken = broken

    async def _keep(self, growing: Growing) -> None:
        """Move the offset to what is there for good; where little comes, make it so now and then."""
        if self._is_due and self._reached < self._size_bytes:
            await growing.settle()
        if growing.settled_bytes > self._moved:
            await self._move(growing.settled_bytes, growing)

    async def _stay(self, growing: Growing) -> None:
        """Be heard of, though nothing is kept yet."""
        if self._is_due:
            await self._move(self._moved, growing)

    @property
    def _is_due(self) -> bool:
        return self._clock() - self._moved_at > MOVE_S

    async def _move(self, offset_bytes: int, growing: Growing) -> None:
        """Raises errors.Rejected: the upload is over, or another's by now."""
        noted = await self._call.parts.store.move_upload(
            self._row.id,
            self._holder,
            offset_bytes=offset_bytes,
            multipart=growing.multipart,
            lease=LEASE,
            good_for=self._call.parts.limits.upload,
        )
        if not noted:
            why_not = await _why_not(self._call, self._row.id)
            if why_not.faults[0].code == "upload_expired":  # while this was written: nobody else clears it away
                await self._call.parts.storage.remove(self._row.key.rpartition("/")[0])
            raise why_not
        self._moved, self._moved_at = offset_bytes, self._clock()


async def _why_not(call: Asker, upload_id: UUID) -> Rejected:
    """Why nobody may write now, or not this one."""
    row = await call.parts.store.upload(None, upload_id)
    if row is None:
        return problems.not_found("There is no such upload any more.")
    if row.state is UploadState.UPLOADED:
        return refusal("upload_exists")
    return refusal("upload_expired" if row.is_over else "upload_locked")
