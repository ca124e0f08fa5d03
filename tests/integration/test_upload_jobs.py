"""The job that an upload becomes by itself, the form by which browsers bring one, and links back to both files."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID, uuid4

import aiohttp
import pytest
from yarl import URL

from encoder import errors
from encoder.ffmpeg.codecs import TOGGLE
from encoder.model import base
from encoder.model.ids import DEFAULT_TENANT
from encoder.model.state import OutputState, UploadEnd
from encoder.queue import arrive
from encoder.queue.arrive import LATE
from encoder.queue.ceiling import Ceiling
from encoder.store.postgres import PostgresStore
from encoder.suites.cargo import noise
from tests.contracts.store_uploads import OTHER_TENANT, new_upload
from tests.lab import databases, work
from tests.lab.api import LIMITS, Api, running

DATA = noise(100_000)


@pytest.fixture
async def api(store: PostgresStore, tmp_path: Path) -> AsyncIterator[Api]:
    async with running(store, tmp_path) as up:
        yield up


async def announce(api: Api, **members: object) -> dict[str, Any]:
    async with api.ask("POST", "/upload", json={"file_name": "in.mp4"} | members) as response:
        told: dict[str, Any] = await response.json()
        assert response.status == 200, told
        return told


async def faults(api: Api, **members: object) -> list[tuple[str, str]]:
    async with api.ask("POST", "/upload", json={"file_name": "in.mp4"} | members) as response:
        told = await response.json()
        assert response.status == 422, told
        return [(fault["path"], fault["code"]) for fault in told["errors"]]


async def bring(api: Api, upload: Mapping[str, Any], data: bytes = DATA) -> int:
    """As any client does who knows nothing but the answer; `http://lab` is the server's public name."""
    url = URL(upload["upload_url"].replace("http://lab", api.url), encoded=True)
    body: object = data
    if upload["fields"]:
        body = aiohttp.FormData(upload["fields"])
        body.add_field("file", data, filename="C:\\x\\in.mp4", content_type="video/mp4")
    async with api.session.request(upload["method"], url, data=body, headers=upload["headers"]) as response:
        await response.read()
        return int(response.status)


async def status(api: Api, upload: Mapping[str, Any]) -> dict[str, Any]:
    return dict(await api.get(f"/upload/{upload['file_id']}/status"))


async def jobs(api: Api) -> list[dict[str, Any]]:
    return list((await api.get("/jobs"))["jobs"])


@pytest.mark.parametrize("protocol", ["put", "post"])
async def test_a_file_becomes_the_other_of_two_codecs_where_nothing_else_is_said(api: Api, protocol: str) -> None:
    """U2"""
    upload = await announce(api, protocol=protocol)
    assert await jobs(api) == []
    assert await bring(api, upload) == (201 if protocol == "post" else 200)
    (job,) = await jobs(api)
    assert (job["name"], job["status"]) == ("in.mp4", "queued")
    row = await api.parts.store.job(OTHER_TENANT, str(job["id"]))
    assert row is None  # of nobody else
    told = await status(api, upload)
    assert (told["processing_status"], told["job_id"]) == ("uploaded", job["id"])
    made = await api.parts.store.job(DEFAULT_TENANT, str(job["id"]))
    assert made is not None
    assert made.spec.outputs[0].video_codec == TOGGLE
    shown = await api.get(f"/jobs/{job['id']}")
    assert shown["source"] == {"kind": "upload", "fileId": upload["file_id"], "fileName": "in.mp4"}


async def test_the_job_is_made_once_whoever_sees_the_file_first(api: Api) -> None:
    """U2"""
    upload = await announce(api)
    async with api.storage.receive(upload["s3_key"], size_bytes=0) as arriving:
        await arriving.write(DATA)
        assert await arriving.stand()
    await asyncio.gather(*(status(api, upload) for _ in range(8)))
    assert len(await jobs(api)) == 1


async def test_an_announcement_says_what_is_to_be_made(api: Api) -> None:
    place = {"kind": "http", "url": "https://receiver.example/put?token=SENTINEL", "method": "PUT"}
    upload = await announce(
        api, preset="h264", destination=place, notificationUrl=work.HOOK, metadata={"a": 1}, tags=["x"], priority=7
    )
    assert await bring(api, upload) == 200
    (listed,) = await jobs(api)
    job = await api.get(f"/jobs/{listed['id']}")
    assert (job["metadata"], job["tags"], job["priority"]) == ({"a": 1}, ["x"], 7)
    made = await api.parts.store.job(DEFAULT_TENANT, str(job["id"]))
    assert made is not None
    assert made.spec.outputs[0].destination == {
        "kind": "https",
        "method": "PUT",
        "url": "https://receiver.example/put?***",
    }


async def test_an_announcement_may_name_many_outputs(api: Api) -> None:
    upload = await announce(api, outputs=[{"preset": "h264"}, {"container": "webm"}])
    assert await bring(api, upload) == 200
    (job,) = await jobs(api)
    assert len((await api.get(f"/jobs/{job['id']}"))["outputs"]) == 2


async def test_without_outputs_no_job_is_made(api: Api) -> None:
    upload = await announce(api, outputs=[])
    assert await bring(api, upload) == 200
    assert (await jobs(api), (await status(api, upload))["processing_status"]) == ([], "uploaded")


WRONG: list[tuple[dict[str, object], list[tuple[str, str]]]] = [
    ({"preset": "h265"}, [("/preset", "unknown_preset")]),
    ({"preset": 5}, [("/preset", "invalid_type")]),
    ({"destination": {"kind": "s3", "bucket": "x-bucket"}}, [("/destination/path", "missing_field")]),
    ({"destination": {"kind": "http", "url": "http://127.0.0.1/x"}}, [("/destination/url", "address_not_allowed")]),
    ({"outputs": [{"preset": "h264", "widht": 5}]}, [("/outputs/0/widht", "unknown_field")]),
    ({"outputs": [{"container": "webm", "videoCodec": "libx264"}]},
     [("/outputs/0/videoCodec", "unsupported_combination")]),
    ({"outputs": [], "preset": "h264"}, [("/preset", "unsupported_combination")]),
    ({"outputs": [], "tags": ["x"]}, [("/tags", "unsupported_combination")]),
    ({"outputs": [{"preset": "h264"}], "destination": {"kind": "http", "url": "https://a.example/x"}},
     [("/destination", "unsupported_combination")]),
    ({"notificationUrl": "http://127.0.0.1/"}, [("/notificationUrl", "address_not_allowed")]),
    ({"queue": "nobodys"}, [("/queue", "unknown_queue")]),
    ({"protocol": "ftp"}, [("/protocol", "invalid_value")]),
    ({"protocol": "tus"}, [("/size_bytes", "missing_field")]),
    ({"file_name": "a.exe", "preset": "h265"}, [("/file_name", "invalid_value"), ("/preset", "unknown_preset")]),
]  # fmt: skip


async def test_what_is_wrong_with_the_job_is_told_before_a_byte_is_sent(api: Api) -> None:
    for members, wanted in WRONG:
        assert await faults(api, **members) == wanted


async def test_secrets_of_an_announcement_are_kept_sealed_only_and_go_with_it(api: Api, dsn: str) -> None:
    """P1: the announcement keeps them until the file comes; what never comes takes them along."""
    place = {"kind": "http", "url": "https://receiver.example/x?sig=SENTINEL", "headers": {"X-Key": "SENTINEL"}}
    upload = await announce(api, preset="h264", destination=place)
    told = await databases.rows(dsn)
    assert [table for table, row in told if "SENTINEL" in row] == []
    assert [table for table, _ in told if table == "upload_jobs"] == ["upload_jobs"]
    row = await api.parts.store.upload(None, UUID(upload["file_id"]))
    assert row is not None
    await api.parts.arrivals.end(row, UploadEnd.FAILED, problem="upload_expired")
    assert [table for table, _ in await databases.rows(dsn) if table == "upload_jobs"] == []


async def test_a_job_that_finds_the_queue_full_is_made_when_there_is_room(store: PostgresStore, tmp_path: Path) -> None:
    """N4"""
    ticks = count(0, 10)
    async with running(store, tmp_path, ceiling=Ceiling(store, most=1, clock=lambda: float(next(ticks)))) as api:
        first = await work.enqueue(store)
        upload = await announce(api)
        assert await bring(api, upload) == 200
        told = await status(api, upload)
        assert (told["processing_status"], told["job_id"], len(await jobs(api))) == ("uploaded", None, 1)
        await store.cancel(first.id)
        await status(api, upload)
        assert (await status(api, upload))["job_id"] is not None


async def test_what_arrived_and_nobody_asked_for_is_seen_by_the_sweep(api: Api, dsn: str) -> None:
    upload = await announce(api)
    async with api.storage.receive(upload["s3_key"], size_bytes=0) as arriving:
        await arriving.write(DATA)
        assert await arriving.stand()
    assert await api.parts.arrivals.sweep() == 0  # it has some seconds
    await databases.run(dsn, "UPDATE uploads SET look_at = created_at")
    assert await api.parts.arrivals.sweep() == 1
    assert len(await jobs(api)) == 1
    await databases.run(dsn, "UPDATE uploads SET look_at = created_at WHERE look_at IS NOT NULL")
    assert await api.parts.arrivals.sweep() == 0


@pytest.mark.both_databases
async def test_an_upload_with_which_nothing_can_be_done_holds_up_no_other(api: Api, dsn: str) -> None:
    """Its job is of another release, say."""
    for name in ("first.mp4", "second.mp4"):
        upload = await announce(api, file_name=name)
        async with api.storage.receive(upload["s3_key"], size_bytes=0) as arriving:
            await arriving.write(DATA)
            assert await arriving.stand()
    await databases.run(
        dsn,
        """UPDATE upload_jobs SET spec = '{"new": 1}' WHERE label = 'first.mp4'""",
        "UPDATE uploads SET look_at = created_at",
    )
    assert await api.parts.arrivals.sweep() == 2
    assert [job["name"] for job in await jobs(api)] == ["second.mp4"]


async def test_no_defect_ends_the_sweeps(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """What they run beside is the whole API."""
    looks = asyncio.Queue[None]()

    async def broken(**_: object) -> None:
        looks.put_nowait(None)
        raise errors.Defect("a row that nobody can read")

    monkeypatch.setattr(api.parts.store, "look_uploads", broken)
    monkeypatch.setattr(arrive, "PERIOD_S", 0.01)
    sweeps = asyncio.create_task(api.parts.arrivals.run(uniform=random.uniform))
    for _ in range(2):
        await asyncio.wait_for(looks.get(), 5)
    assert not sweeps.done()
    sweeps.cancel()


async def test_what_never_comes_fails_a_day_after_it_was_to_begin(store: PostgresStore, tmp_path: Path) -> None:
    for late, wanted in ((timedelta(), "pending"), (LATE, "failed")):
        folder = tmp_path / wanted
        folder.mkdir()
        async with running(store, folder, limits=replace(LIMITS, upload=-late - timedelta(minutes=1))) as api:
            upload = await announce(api)
            told = await status(api, upload)
            assert told["processing_status"] == wanted
            assert (told["error"] or {}).get("code") == ("upload_expired" if late else None)


async def test_links_lead_back_to_both_files_for_an_hour(api: Api) -> None:
    upload = await announce(api, preset="h264")
    for which in ("original", "processed"):
        code, told = await download(api, upload, which)
        assert (code, told["code"]) == (404, "upload_not_there")
        assert "pending" in told["detail"]
    await bring(api, upload)
    code, told = await download(api, upload, "original")
    assert code == 200
    query = dict(parse_qsl(urlsplit(told["download_url"]).query))
    assert 3590 <= int(query["expires"]) - time.time() <= 3600
    url = URL(told["download_url"].replace("http://lab", api.url), encoded=True)
    async with api.session.get(url) as response:
        assert (response.status, await response.read()) == (200, DATA)
        assert response.headers["Content-Disposition"] == "attachment; filename*=UTF-8''in.mp4"
    code, told = await download(api, upload, "processed")
    assert (code, "uploaded" in told["detail"]) == (404, True)
    job = (await status(api, upload))["job_id"]
    await finish(api, job, "storage:jobs/x/0.mp4")
    code, told = await download(api, upload, "processed")
    assert (code, "/storage/jobs/x/0.mp4" in told["download_url"]) == (200, True)


async def test_what_was_delivered_elsewhere_has_no_link_of_ours(api: Api) -> None:
    upload = await announce(api, preset="h264", destination={"kind": "http", "url": "https://receiver.example/x"})
    await bring(api, upload)
    await finish(api, (await status(api, upload))["job_id"], "https://receiver.example/x")
    code, told = await download(api, upload, "processed")
    assert (code, told["code"], "completed" in told["detail"]) == (404, "upload_not_there", True)


async def test_another_tenants_upload_gives_no_links(api: Api) -> None:
    """J18, and byte for byte as one that is not there."""
    foreign = new_upload(tenant=OTHER_TENANT)
    await api.parts.store.add_upload(foreign)
    for path in ("status", "download/original", "download/processed"):
        there, absent = [await told(api, f"/upload/{upload_id}/{path}") for upload_id in (foreign.id, uuid4())]
        assert there == absent
        assert there[0] == 404


async def told(api: Api, path: str) -> tuple[int, str]:
    async with api.ask("GET", path) as response:
        text = await response.text()
        return response.status, text.replace(response.headers["X-Request-Id"], "")


async def finish(api: Api, job_id: int, uri: str) -> None:
    """The job, done: its output stands at `uri`."""
    claim = await work.claim_one(api.parts.store)
    assert claim.job_id == job_id
    delivered = base.replace(work.made(0), uri=uri)
    change = work.change(0, OutputState.UPLOADED, delivered=delivered)
    await api.parts.store.settle(claim, replace(work.DONE, changes=(change,)))


async def download(api: Api, upload: Mapping[str, Any], which: str) -> tuple[int, dict[str, Any]]:
    async with api.ask("GET", f"/upload/{upload['file_id']}/download/{which}") as response:
        return response.status, await response.json()


FORMS: list[tuple[str, Callable[[dict[str, str]], list[tuple[str, object]]], tuple[int, str]]] = [
    ("forged", lambda f: [*(f | {"size": "any"}).items(), ("file", DATA)], (404, "not_found")),
    ("of another type", lambda f: [*(f | {"Content-Type": "text/html"}).items(), ("file", DATA)], (404, "not_found")),
    ("unsigned", lambda _: [("file", DATA)], (404, "not_found")),
    ("no file", lambda f: [*f.items()], (400, "upload_incomplete")),
    ("more behind the file", lambda f: [*f.items(), ("file", DATA), ("x", "y")], (400, "upload_incomplete")),
    ("too many fields", lambda f: [*f.items(), *((f"x{n}", "y") for n in range(20)), ("file", DATA)],
     (400, "upload_incomplete")),
    ("a long field", lambda f: [*f.items(), ("x", "y" * 5000), ("file", DATA)], (400, "upload_incomplete")),
    ("too large", lambda f: [*f.items(), ("file", DATA + b"x")], (413, "upload_too_large")),
    ("much too large", lambda f: [*f.items(), ("file", DATA + bytes(100_000))], (413, "upload_too_large")),
    ("too small", lambda f: [*f.items(), ("file", DATA[:-1])], (400, "upload_incomplete")),
    ("empty", lambda f: [*f.items(), ("file", b"")], (400, "upload_incomplete")),
]  # fmt: skip


async def test_a_form_that_is_not_as_it_was_invited_is_refused(api: Api) -> None:
    """J18"""
    upload = await announce(api, protocol="post", size_bytes=len(DATA))
    for about, form, wanted in FORMS:
        data = aiohttp.FormData(default_to_multipart=True)
        for name, value in form(upload["fields"]):
            data.add_field(name, value, filename="x" if name == "file" else None)
        assert (about, await post(api, upload, data)) == (about, wanted)
    assert (await status(api, upload))["processing_status"] == "pending"
    assert list((api.root / upload["s3_key"]).parent.glob("*")) == []


NO_FORMS = [
    ("application/x-www-form-urlencoded", b"a=b", (415, "unsupported_media_type")),
    ("multipart/form-data", b"x", (400, "upload_incomplete")),
    ("multipart/form-data; boundary=b", b"--b\r\n\r\n", (400, "upload_incomplete")),
    ("multipart/form-data; boundary=b", b"nothing of the kind", (400, "upload_incomplete")),
    ("multipart/form-data; boundary=b", b"--b\r\nnonsense\r\n\r\nx\r\n--b--\r\n", (400, "upload_incomplete")),
]


async def test_what_is_no_form_is_refused(api: Api) -> None:
    upload = await announce(api, protocol="post")
    for kind, body, wanted in NO_FORMS:
        assert (body, await post(api, upload, body, **{"Content-Type": kind})) == (body, wanted)


async def test_a_form_is_taken_once_and_not_after_its_time(store: PostgresStore, tmp_path: Path) -> None:
    """J18"""
    async with running(store, tmp_path) as api:
        upload = await announce(api, protocol="post")
        assert await bring(api, upload) == 201
        assert await bring(api, upload) == 409
    (tmp_path / "late").mkdir()
    async with running(store, tmp_path / "late", limits=replace(LIMITS, upload=timedelta(seconds=-1))) as api:
        assert await bring(api, await announce(api, protocol="post")) == 403


async def test_half_a_form_leaves_nothing(api: Api) -> None:
    """J19"""
    upload = await announce(api, protocol="post", size_bytes=len(DATA))
    head = (
        f"POST /storage/{upload['s3_key']} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: multipart/form-data; boundary=b"
    )
    part = '--b\r\nContent-Disposition: form-data; name="{}"\r\n\r\n'
    fields = "".join(part.format(name) + f"{value}\r\n" for name, value in upload["fields"].items())
    body = (fields + part.format("file")).encode() + DATA + b"\r\n--b--\r\n"
    _, writer = await asyncio.open_connection("127.0.0.1", api.port)
    writer.write(f"{head}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body[: len(body) // 2])
    await writer.drain()
    folder = (api.root / upload["s3_key"]).parent
    while not folder.exists() or not list(folder.iterdir()):
        await asyncio.sleep(0.01)
    writer.close()
    await writer.wait_closed()
    while list(folder.iterdir()):
        await asyncio.sleep(0.01)
    assert (await status(api, upload))["processing_status"] == "pending"
    assert await bring(api, upload) == 201


async def post(api: Api, upload: Mapping[str, Any], data: object, **headers: str) -> tuple[int, str | None]:
    url = URL(upload["upload_url"].replace("http://lab", api.url), encoded=True)
    async with api.session.post(url, data=data, headers=headers) as response:
        return response.status, (await response.json()).get("code")
