"""Files that callers bring."""

from __future__ import annotations

from uuid import UUID

from encoder.model.ids import TenantId
from encoder.store.rows import NewUpload, UploadRow
from encoder.store.statements import Statement
from encoder.store.verbs.base import Verbs
from encoder.store.verbs.read import upload_of


class Uploads(Verbs):
    async def add_upload(self, upload: NewUpload) -> UploadRow:
        (row,) = await self._pool.rows(
            Statement.ADD_UPLOAD,
            upload.id,
            upload.tenant_id,
            upload.key,
            upload.file_name,
            upload.content_type,
            upload.declared_bytes,
            upload.good_for,
        )
        return upload_of(row)

    async def upload(self, tenant_id: TenantId | None, upload_id: UUID) -> UploadRow | None:
        row = await self._pool.row(Statement.UPLOAD, upload_id, tenant_id)
        return None if row is None else upload_of(row)

    async def upload_arrived(self, upload_id: UUID, *, size_bytes: int) -> UploadRow | None:
        row = await self._pool.row(Statement.UPLOAD_ARRIVED, upload_id, size_bytes)
        return None if row is None else upload_of(row)
