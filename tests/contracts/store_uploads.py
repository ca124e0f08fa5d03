"""What every store knows of files that callers bring."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

from encoder.model.ids import DEFAULT_TENANT, TenantId
from encoder.model.state import UploadState
from encoder.store.protocol import Store
from encoder.store.rows import NewUpload, UploadRow
from tests.lab import work

OTHER_TENANT = TenantId(2)


def new_upload(*, declared_bytes: int | None = 100, tenant: TenantId = DEFAULT_TENANT) -> NewUpload:
    upload_id = uuid4()
    return NewUpload(
        id=upload_id,
        tenant_id=tenant,
        key=f"uploads/{upload_id}/source",
        file_name="../ü '; DROP TABLE.mp4",
        content_type="video/mp4",
        declared_bytes=declared_bytes,
        good_for=timedelta(hours=1),
    )


async def read(store: Store, upload: NewUpload) -> UploadRow:
    found = await store.upload(upload.tenant_id, upload.id)
    assert found is not None
    return found


class UploadSuite:
    async def test_an_upload_is_kept_as_it_was_asked_for(self, store: Store) -> None:
        for wanted in (new_upload(), new_upload(declared_bytes=None)):
            added = await store.add_upload(wanted)
            assert added == await read(store, wanted)
            assert (added.key, added.file_name, added.content_type) == (wanted.key, wanted.file_name, "video/mp4")
            assert (added.declared_bytes, added.state) == (wanted.declared_bytes, UploadState.PENDING)
            assert added.expires_at - added.created_at == wanted.good_for
            assert (added.size_bytes, added.job_id, added.uploaded_at) == (None, None, None)

    async def test_an_upload_is_seen_by_its_tenant_alone(self, store: Store) -> None:
        wanted = new_upload()
        await store.add_upload(wanted)
        assert await store.upload(OTHER_TENANT, wanted.id) is None
        assert await store.upload(DEFAULT_TENANT, uuid4()) is None
        assert await store.upload(None, wanted.id) is not None

    async def test_an_upload_arrives_once(self, store: Store) -> None:
        wanted = new_upload()
        await store.add_upload(wanted)
        rows = await asyncio.gather(*(store.upload_arrived(wanted.id, size_bytes=100) for _ in range(5)))
        assert len(set(rows)) == 1
        row = await read(store, wanted)
        assert rows[0] == row
        assert (row.state, row.size_bytes) == (UploadState.UPLOADED, 100)
        assert row.uploaded_at is not None
        assert await store.upload_arrived(wanted.id, size_bytes=7) == row
        assert await store.upload_arrived(uuid4(), size_bytes=7) is None

    async def test_an_upload_knows_the_last_job_that_uses_it(self, store: Store) -> None:
        wanted, other = new_upload(), new_upload()
        await store.add_upload(wanted)
        await store.add_upload(other)
        for _ in range(2):
            job = await store.enqueue(replace(work.new_job(), upload_id=wanted.id))
            assert (await read(store, wanted)).job_id == job.id
        assert (await read(store, other)).job_id is None

    async def test_a_job_of_another_tenant_does_not_touch_an_upload(self, store: Store) -> None:
        wanted = new_upload()
        await store.add_upload(wanted)
        await store.enqueue(replace(work.new_job(tenant=OTHER_TENANT), upload_id=wanted.id))
        assert (await read(store, wanted)).job_id is None
