"""What every store knows of files that callers bring."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

from encoder.model.ids import DEFAULT_TENANT, TenantId
from encoder.model.state import UploadEnd, UploadState
from encoder.store.kept import FIRST_LOOK, NewUpload, UploadRow
from encoder.store.protocol import Store
from encoder.store.rows import NewJob
from tests.lab import work

OTHER_TENANT = TenantId(2)


HOUR = timedelta(hours=1)
NOW = timedelta(0)


def new_upload(
    *,
    declared_bytes: int | None = 100,
    tenant: TenantId = DEFAULT_TENANT,
    good_for: timedelta = HOUR,
    job: NewJob | None = None,
    look_in: timedelta = FIRST_LOOK,
) -> NewUpload:
    upload_id = uuid4()
    return NewUpload(
        id=upload_id,
        tenant_id=tenant,
        key=f"uploads/{upload_id}/source",
        file_name="../ü '; DROP TABLE.mp4",
        content_type="video/mp4",
        declared_bytes=declared_bytes,
        good_for=good_for,
        job=job,
        look_in=look_in,
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

    async def test_an_upload_that_arrives_becomes_its_job_once(self, store: Store) -> None:
        planned = replace(work.new_job(), sealed=b"\x01secret", label="in.mp4")
        wanted = new_upload(job=planned)
        added = await store.add_upload(wanted)
        assert (added.planned, added.job_id) == (True, None)
        rows = await asyncio.gather(*(store.upload_arrived(wanted.id, size_bytes=100) for _ in range(5)))
        made = {row.job_id for row in rows if row is not None}
        assert len(made) == 1
        row = await read(store, wanted)
        assert (row.state, row.planned, row.job_id) == (UploadState.UPLOADED, False, *made)
        job = await store.job(DEFAULT_TENANT, str(planned.uuid))
        assert job is not None
        assert (job.id, job.spec, job.label) == (row.job_id, planned.spec, "in.mp4")
        (claim,) = await work.claim(store, limit=5)
        assert claim.job_id == job.id
        assert (await store.load(claim)).sealed == b"\x01secret"

    async def test_a_job_that_finds_no_room_is_made_later(self, store: Store) -> None:
        wanted = new_upload(job=work.new_job())
        await store.add_upload(wanted)
        held_back = await store.upload_arrived(wanted.id, size_bytes=100, start=False)
        assert held_back is not None
        assert (held_back.state, held_back.planned, held_back.job_id) == (UploadState.UPLOADED, True, None)
        started = await store.upload_arrived(wanted.id, size_bytes=100)
        assert started is not None
        assert (started.planned, started.job_id is None) == (False, False)

    async def test_the_first_job_of_an_upload_has_a_receiver_who_is_told(self, store: Store) -> None:
        told = work.new_job(hook=work.HOOK)
        wanted = new_upload(job=told)
        await store.add_upload(wanted)
        row = await store.upload_arrived(wanted.id, size_bytes=100)
        assert row is not None
        assert row.job_id is not None
        (delivery,) = await work.deliveries(store, job=row.job_id)
        assert delivery.event_type == "job.submitted"

    async def test_an_upload_ends_once_and_takes_its_job_along(self, store: Store) -> None:
        wanted = new_upload(job=work.new_job())
        await store.add_upload(wanted)
        assert await store.end_upload(wanted.id, UploadEnd.FAILED, problem="upload_expired")
        assert not await store.end_upload(wanted.id, UploadEnd.CANCELLED, problem=None)
        late = await store.upload_arrived(wanted.id, size_bytes=100)
        assert late is not None
        assert (late.state, late.ended, late.problem) == (UploadState.PENDING, UploadEnd.FAILED, "upload_expired")
        assert (late.planned, late.job_id) == (False, None)
        arrived = new_upload()
        await store.add_upload(arrived)
        await store.upload_arrived(arrived.id, size_bytes=100)
        assert not await store.end_upload(arrived.id, UploadEnd.CANCELLED, problem=None)

    async def test_an_upload_is_written_by_one_at_a_time(self, store: Store) -> None:
        wanted, first, second = new_upload(), uuid4(), uuid4()
        await store.add_upload(wanted)
        assert await store.hold_upload(wanted.id, first, lease=HOUR) is not None
        assert await store.hold_upload(wanted.id, second, lease=HOUR) is None
        assert await moved(store, wanted, first, 40)
        assert not await moved(store, wanted, second, 60)
        await store.free_upload(wanted.id, second)
        assert await store.hold_upload(wanted.id, second, lease=HOUR) is None
        await store.free_upload(wanted.id, first)
        taken = await store.hold_upload(wanted.id, second, lease=-HOUR)
        assert taken is not None
        assert (taken.offset_bytes, taken.multipart) == (40, "m")
        assert await store.hold_upload(wanted.id, first, lease=HOUR) is not None  # who is not heard of loses its turn
        assert not await moved(store, wanted, second, 60)

    async def test_nothing_more_is_written_to_what_has_arrived_or_ended_or_expired(self, store: Store) -> None:
        arrived, ended, expired, holder = new_upload(), new_upload(), new_upload(good_for=-HOUR), uuid4()
        for each in (arrived, ended, expired):
            await store.add_upload(each)
        assert await store.hold_upload(ended.id, holder, lease=HOUR) is not None
        await store.upload_arrived(arrived.id, size_bytes=100)
        await store.end_upload(ended.id, UploadEnd.CANCELLED, problem=None)
        assert not await moved(store, ended, holder, 60)
        for each in (arrived, ended, expired):
            assert await store.hold_upload(each.id, holder, lease=HOUR) is None

    async def test_each_piece_puts_the_end_of_an_invitation_off(self, store: Store) -> None:
        wanted, holder = new_upload(good_for=timedelta(seconds=30)), uuid4()
        added = await store.add_upload(wanted)
        await store.hold_upload(wanted.id, holder, lease=HOUR)
        assert await moved(store, wanted, holder, 40)
        assert (await read(store, wanted)).expires_at > added.expires_at + timedelta(minutes=50)

    async def test_no_invitation_is_over_while_a_piece_comes(self, store: Store) -> None:
        held, free, holder = new_upload(good_for=timedelta(milliseconds=300)), new_upload(good_for=NOW), uuid4()
        fresh = new_upload()
        for each in (held, free, fresh):
            await store.add_upload(each)
        assert await store.hold_upload(held.id, holder, lease=timedelta(minutes=1)) is not None
        await asyncio.sleep(0.35)
        assert [(await read(store, each)).is_over for each in (held, free, fresh)] == [False, True, False]
        ended = [
            await store.end_upload(each.id, UploadEnd.FAILED, problem="upload_expired", late=late)
            for each, late in ((held, NOW), (fresh, NOW), (free, HOUR), (free, NOW))
        ]
        assert ended == [False, False, False, True]
        assert await moved(store, held, holder, 40)

    async def test_those_who_look_share_the_uploads_out(self, store: Store) -> None:
        wanted = [new_upload(look_in=NOW) for _ in range(6)]
        later, arrived, ended = new_upload(), new_upload(look_in=NOW), new_upload(look_in=NOW)
        for each in (*wanted, later, arrived, ended):
            await store.add_upload(each)
        await store.upload_arrived(arrived.id, size_bytes=100)
        await store.end_upload(ended.id, UploadEnd.FAILED, problem="upload_expired")
        found = await asyncio.gather(*(store.look_uploads(limit=3) for _ in range(3)))
        assert sorted(row.id for rows in found for row in rows) == sorted(each.id for each in wanted)
        assert {row.key for rows in found for row in rows} == {each.key for each in wanted}
        assert await store.look_uploads(limit=10) == []

    async def test_what_is_of_no_use_any_more_is_told_and_removed(self, store: Store) -> None:
        never = new_upload(good_for=-HOUR, job=work.new_job())
        ended, unused, used, fresh = (new_upload(good_for=good) for good in (-HOUR, -HOUR, -HOUR, HOUR))
        for each in (never, ended, unused, used, fresh):
            await store.add_upload(each)
        await store.end_upload(ended.id, UploadEnd.FAILED, problem="upload_expired")
        await store.upload_arrived(unused.id, size_bytes=100)
        await store.enqueue(replace(work.new_job(), upload_id=used.id))
        await store.upload_arrived(used.id, size_bytes=100)
        assert (await store.spent_uploads(spent_for=2 * HOUR, unused_for=2 * HOUR, look=10)).last is None
        looked = await store.spent_uploads(spent_for=NOW, unused_for=NOW, look=10)
        spent = looked.uploads
        assert looked.last is not None
        assert looked.last.id == fresh.id  # which is not spent
        assert [(each.id, each.key) for each in spent] == [(each.id, each.key) for each in (never, ended, unused)]
        assert [(each.arrived, each.size_bytes) for each in spent] == [(False, None), (False, None), (True, 100)]
        rest = await store.spent_uploads(spent_for=NOW, unused_for=NOW, look=1, after=spent[1])
        assert (rest.uploads, rest.last) == ([spent[2]], spent[2])
        assert (await store.spent_uploads(spent_for=NOW, unused_for=None, look=10)).uploads == spent[:2]
        assert sorted(await store.mark_uploads([each.id for each in (never, unused, used)])) == sorted(
            [never.id, unused.id]
        )
        assert await store.upload(DEFAULT_TENANT, unused.id) is None
        assert (await store.spent_uploads(spent_for=NOW, unused_for=None, look=10)).uploads == spent
        assert await store.uploads_there([each.id for each in (ended, used, fresh, new_upload())]) == {
            ended.id: False, used.id: False, fresh.id: True,
        }  # fmt: skip
        assert await store.remove_uploads([each.id for each in spent]) == 3
        assert await store.remove_uploads([each.id for each in spent]) == 0
        assert await store.upload(None, never.id) is None
        assert await store.upload(None, fresh.id) is not None


async def moved(store: Store, upload: NewUpload, holder: UUID, offset_bytes: int) -> bool:
    return await store.move_upload(
        upload.id, holder, offset_bytes=offset_bytes, multipart="m", lease=HOUR, good_for=HOUR
    )
