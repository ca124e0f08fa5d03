"""Uploads where the platform's storage is a bucket: its own server takes them in, and tells nobody."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from yarl import URL

from encoder.files.roots import Roots
from encoder.net.s3 import S3Access, Sizes
from encoder.plugins import Surroundings
from encoder.storage.protocol import Grown, Standing
from encoder.storage.s3 import Room, S3Storage
from encoder.store.postgres import PostgresStore
from encoder.suites.cargo import noise
from tests.contracts.storage_suite import PIECE
from tests.lab import databases, told, tus
from tests.lab.api import Api, running
from tests.lab.rgw import Bucket, Gateway
from tests.lab.wire import lab_web

pytestmark = pytest.mark.xdist_group("s3")
DATA = noise(1000)


@pytest.fixture
def bucket(s3_server: Gateway, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    made = s3_server.bucket()
    for name, value in made.environment.items():
        monkeypatch.setenv(name, value)
    return made


@pytest.fixture
async def api(store: PostgresStore, bucket: Bucket, tmp_path: Path) -> AsyncIterator[Api]:
    access = S3Access(pause_s=0, sizes=Sizes(piece_bytes=PIECE))
    storage = S3Storage(access, lab_web(), Room(bucket=bucket.name, prefix="enc"))
    around = Surroundings(web=lab_web(), roots=Roots(), s3=replace(access, closed=(bucket.name, "enc/")))
    changes: dict[str, Any] = {"storage": storage, "shelf": None, "keys_begin": "enc/", "surroundings": around}
    async with running(store, tmp_path, **changes) as up:
        yield up


async def announce(api: Api, **members: object) -> dict[str, Any]:
    async with api.ask("POST", "/upload", json={"file_name": "in.mp4"} | members) as response:
        told: dict[str, Any] = await response.json()
        assert response.status == 200, told
        return told


async def status(api: Api, upload: dict[str, Any]) -> dict[str, Any]:
    return dict(await api.get(f"/upload/{upload['file_id']}/status"))


async def test_what_arrives_is_seen_by_the_sweep_and_becomes_its_job(api: Api, bucket: Bucket, dsn: str) -> None:
    """U2"""
    upload = await announce(api, preset="h264")
    async with api.session.put(
        URL(upload["upload_url"], encoded=True), data=DATA, headers=upload["headers"]
    ) as response:
        assert response.status == 200
    assert (await api.get("/jobs"))["jobs"] == []  # nobody has told us
    await databases.run(dsn, "UPDATE uploads SET look_at = created_at")
    assert await api.parts.arrivals.sweep() == 1
    (job,) = (await api.get("/jobs"))["jobs"]
    assert (await status(api, upload))["job_id"] == job["id"]


async def test_the_sweep_asks_for_several_at_a_time(api: Api, dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who announces much and brings nothing keeps the others waiting for less."""
    for _ in range(2):
        await announce(api)
    await databases.run(dsn, "UPDATE uploads SET look_at = created_at")
    both, storage = asyncio.Barrier(2), api.parts.storage
    whole = storage.look

    async def look(key: str) -> Standing | None:
        await both.wait()
        return await whole(key)

    monkeypatch.setattr(storage, "look", look)
    assert await asyncio.wait_for(api.parts.arrivals.sweep(), 5.0) == 2


async def test_a_bucket_that_tells_of_it_has_its_job_begun_at_once(api: Api, bucket: Bucket) -> None:
    """U2, and no rule of ingest is needed for it."""
    upload = await announce(api, preset="h264")
    bucket.client.put_object(Bucket=bucket.name, Key=upload["s3_key"], Body=DATA, ContentType="video/mp4")
    for key, skipped in ((upload["s3_key"], "upload"), ("enc/uploads/else/source", "no_rule"), ("x.mp4", "no_rule")):
        async with api.ask("POST", "/ingest/s3", json=told.s3(bucket=bucket.name, key=key)) as response:
            assert response.status == 200, await response.text()
            (record,) = (await response.json())["records"]
            assert (record["jobId"], record["skipped"]) == (None, skipped)
    assert len((await api.get("/jobs"))["jobs"]) == 1


async def test_what_is_not_as_announced_fails_the_upload_and_is_removed(api: Api, bucket: Bucket) -> None:
    """J18: whoever has the bucket's keys may have put anything there."""
    wrong: list[tuple[dict[str, object], bytes, str, str]] = [
        ({"size_bytes": 1000}, DATA + b"x", "video/mp4", "upload_too_large"),
        ({"size_bytes": 1000}, DATA[:-1], "video/mp4", "upload_incomplete"),
        ({}, b"", "video/mp4", "upload_incomplete"),
        ({}, DATA, "text/html", "unsupported_media_type"),
    ]
    for announced, data, content_type, code in wrong:
        upload = await announce(api, **announced)
        bucket.client.put_object(Bucket=bucket.name, Key=upload["s3_key"], Body=data, ContentType=content_type)
        seen = await status(api, upload)
        assert (seen["processing_status"], seen["error"]["code"], seen["job_id"]) == ("failed", code, None)
        assert bucket.listed() == []
    assert (await api.get("/jobs"))["jobs"] == []


async def test_what_came_in_pieces_and_is_given_up_leaves_nothing_in_the_bucket(api: Api, bucket: Bucket) -> None:
    """U3"""
    data = noise(PIECE + 5000)
    upload = await announce(api, protocol="tus", size_bytes=len(data) + 1, outputs=[])
    client = tus.Client(session=api.session, url=api.url)
    assert await client.piece(upload["upload_url"], 0, io.BytesIO(data)) == (204, None)
    assert await client.offset(upload["upload_url"]) == len(data)
    assert (len(bucket.listed()), len(bucket.open_uploads())) == (1, 1)
    assert (await client.ask("DELETE", upload["upload_url"]))[0] == 204
    assert (bucket.listed(), bucket.open_uploads()) == ([], [])


async def test_as_many_files_come_in_pieces_as_there_is_memory_for(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """A12: each writer holds a part, and there may be any number of them."""
    monkeypatch.setattr("encoder.storage.s3.MOST_HELD_BYTES", PIECE)
    upload = await announce(api, protocol="tus", size_bytes=len(DATA), outputs=[])
    client = tus.Client(session=api.session, url=api.url)
    other = Grown(offset_bytes=0, size_bytes=1, content_type="video/mp4", multipart=None)
    async with api.parts.storage.grow("uploads/other/original", other):
        refused = await client.piece(upload["upload_url"], 0, io.BytesIO(DATA))
        assert refused == (503, "storage_unavailable")
    assert await client.piece(upload["upload_url"], 0, io.BytesIO(DATA)) == (204, None)
