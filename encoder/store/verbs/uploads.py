"""Files that callers bring: announced, written piece by piece, arrived, ended."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from encoder.model.ids import JobId, TenantId
from encoder.model.state import UploadEnd
from encoder.store.engine import Row, Session
from encoder.store.kept import FIRST_LOOK, NewUpload, Spent, SpentUploads, UploadRow
from encoder.store.rows import NewJob
from encoder.store.statements import Statement
from encoder.store.text import json_text
from encoder.store.verbs.base import Verbs
from encoder.store.verbs.read import spec_of
from encoder.store.verbs.read_kept import upload_of

_FIRST = Spent(id=UUID(int=0), key="", at=datetime.fromtimestamp(0, UTC))


class Uploads(Verbs, ABC):
    @abstractmethod
    async def _insert_in(self, session: Session, job: NewJob) -> tuple[JobId | None, Sequence[str]]:
        """Enqueue a job without a key, in a transaction of ours: its number, and the hints that are to follow it."""

    async def add_upload(self, upload: NewUpload) -> UploadRow:
        async def work(session: Session) -> Row:
            await session.execute(
                Statement.ADD_UPLOAD,
                upload.id,
                upload.tenant_id,
                upload.key,
                upload.file_name,
                upload.content_type,
                upload.declared_bytes,
                upload.good_for,
                upload.protocol,
                upload.look_in,
            )
            if upload.job is not None:
                await session.execute(Statement.PLAN_UPLOAD, upload.id, *_planned(upload.job))
            (row,) = await session.fetch(Statement.UPLOAD, upload.id, upload.tenant_id)
            return row

        return upload_of(await self._pool.transaction(work))

    async def upload(self, tenant_id: TenantId | None, upload_id: UUID) -> UploadRow | None:
        row = await self._pool.row(Statement.UPLOAD, upload_id, tenant_id)
        return None if row is None else upload_of(row)

    async def upload_arrived(self, upload_id: UUID, *, size_bytes: int, start: bool = True) -> UploadRow | None:
        async def work(session: Session) -> tuple[Row | None, Sequence[str]]:
            hints: Sequence[str] = ()
            await session.execute(Statement.UPLOAD_ARRIVED, upload_id, size_bytes, FIRST_LOOK)  # locks it
            planned = await session.fetchrow(Statement.TAKE_UPLOAD_JOB, upload_id) if start else None
            if planned is not None:
                _, hints = await self._insert_in(session, _job_of(planned, upload_id))
                await session.execute(Statement.UPLOAD_DONE, upload_id)
            return await session.fetchrow(Statement.UPLOAD, upload_id, None), hints

        row, hints = await self._pool.transaction(work)
        self._hints.send(*hints)
        return None if row is None else upload_of(row)

    async def end_upload(
        self, upload_id: UUID, end: UploadEnd, *, problem: str | None, late: timedelta | None = None
    ) -> bool:
        async def work(session: Session) -> bool:
            if not await session.fetch(Statement.END_UPLOAD, upload_id, end, problem, late):
                return False
            await session.fetchrow(Statement.TAKE_UPLOAD_JOB, upload_id)  # its secrets go too
            return True

        return await self._pool.transaction(work)

    async def hold_upload(self, upload_id: UUID, holder: UUID, *, lease: timedelta) -> UploadRow | None:
        async def work(session: Session) -> Row | None:
            if not await session.fetch(Statement.HOLD_UPLOAD, upload_id, holder, lease):
                return None
            return await session.fetchrow(Statement.UPLOAD, upload_id, None)

        row = await self._pool.transaction(work)
        return None if row is None else upload_of(row)

    async def move_upload(
        self,
        upload_id: UUID,
        holder: UUID,
        *,
        offset_bytes: int,
        multipart: str | None,
        lease: timedelta,
        good_for: timedelta,
    ) -> bool:
        values = upload_id, holder, offset_bytes, multipart, lease, good_for
        return await self._pool.row(Statement.MOVE_UPLOAD, *values) is not None

    async def free_upload(self, upload_id: UUID, holder: UUID) -> None:
        await self._pool.rows(Statement.FREE_UPLOAD, upload_id, holder)

    async def look_uploads(self, *, limit: int) -> Sequence[UploadRow]:
        return [upload_of(row) for row in await self._pool.rows(Statement.LOOK_UPLOADS, limit)]

    async def spent_uploads(
        self, *, spent_for: timedelta, unused_for: timedelta | None, look: int, after: Spent | None = None
    ) -> SpentUploads:
        place = after or _FIRST
        rows = await self._pool.rows(Statement.SPENT_UPLOADS, spent_for, look, place.at, place.id, unused_for)
        return SpentUploads(
            uploads=[_spent(row) for row in rows if row["spent"]], last=_spent(rows[-1]) if rows else None
        )

    async def mark_uploads(self, ids: Sequence[UUID]) -> Sequence[UUID]:
        return [row["id"] for row in await self._pool.rows(Statement.MARK_UPLOADS, list(ids))]

    async def remove_uploads(self, ids: Sequence[UUID]) -> int:
        (row,) = await self._pool.rows(Statement.REMOVE_UPLOADS, list(ids))
        return int(row["removed"])


def _spent(row: Row) -> Spent:
    return Spent(id=row["id"], key=row["key"], at=row["at"], arrived=bool(row["arrived"]), size_bytes=row["size_bytes"])


def _planned(job: NewJob) -> tuple[object, ...]:
    return job.tenant_id, job.uuid, json_text(job.spec), job.label, job.sealed, job.max_attempts


def _job_of(row: Row, upload_id: UUID) -> NewJob:
    return NewJob(
        tenant_id=TenantId(row["tenant_id"]),
        uuid=row["uuid"],
        spec=spec_of(row["spec"]),
        label=row["label"],
        sealed=row["sealed"],
        idempotency_key=None,
        body_hash=None,
        max_attempts=row["max_attempts"],
        upload_id=upload_id,
    )
