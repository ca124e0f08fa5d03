"""Files that callers bring to the platform's own storage, over a real socket."""

from __future__ import annotations

import asyncio
import gzip
import io
import zlib
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit
from uuid import uuid4

import pytest

from encoder.api import form, inflow
from encoder.api.parts import Limits
from encoder.storage import arrival
from encoder.store.postgres import PostgresStore
from encoder.suites.cargo import noise, read
from tests.contracts.store_uploads import OTHER_TENANT, new_upload
from tests.lab.api import LIMITS, Api, running

DATA = noise(300_000)
ASKED: dict[str, object] = {
    "file_name": "holiday.MOV",
    "size_bytes": len(DATA),
    "content_type": "video/quicktime",
    "outputs": [],  # the jobs of these tests are their own; those that uploads become: test_upload_jobs.py
}


@pytest.fixture
async def api(store: PostgresStore, tmp_path: Path) -> AsyncIterator[Api]:
    async with running(store, tmp_path) as up:
        yield up


async def announce(api: Api, **members: object) -> dict[str, Any]:
    """The answer to an upload that must be accepted."""
    wanted = {name: value for name, value in (ASKED | members).items() if value is not None}
    async with api.ask("POST", "/upload", json=wanted) as response:
        told: dict[str, Any] = await response.json()
        assert response.status == 200, told
        return told


def target(upload: dict[str, Any], **changed: str) -> str:
    """Path and query of the invitation, some of its parameters changed."""
    parts = urlsplit(upload["upload_url"])
    return f"{parts.path}?{urlencode(dict(parse_qsl(parts.query)) | changed)}"


async def put(
    api: Api, upload: dict[str, Any], data: object = DATA, *, to: str | None = None, **headers: str
) -> tuple[int, str | None]:
    """The status of bringing `data`, and the code of the problem if it is one."""
    sent = upload["headers"] | headers
    async with api.ask(upload["method"], to or target(upload), data=data, headers=sent) as response:
        return response.status, (await response.json()).get("code")


async def status(api: Api, upload: dict[str, Any]) -> str:
    told = await api.get(f"/upload/{upload['file_id']}/status")
    return str(told["processing_status"])


async def submit(api: Api, file_id: object) -> tuple[int, dict[str, Any]]:
    job = {"source": {"kind": "upload", "fileId": str(file_id)}, "outputs": [{"preset": "h264"}]}
    async with api.ask("POST", "/jobs", json=job) as response:
        return response.status, await response.json()


def left(api: Api, upload: dict[str, Any]) -> list[str]:
    """What lies in the folder of the upload."""
    folder = api.root / upload["s3_key"].removesuffix("/source")
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


async def test_a_file_is_announced_brought_and_used(api: Api) -> None:
    upload = await announce(api)
    assert upload["s3_key"] == f"uploads/{upload['file_id']}/source"
    assert (upload["method"], upload["headers"]) == ("PUT", {"Content-Type": "video/quicktime"})
    assert upload["expires_in"] == 3600
    assert await status(api, upload) == "pending"
    assert await put(api, upload) == (200, None)
    assert await status(api, upload) == "uploaded"
    _, data = await read(api.storage.source(upload["s3_key"]))
    assert data == DATA
    code, told = await submit(api, upload["file_id"])
    assert code == 202, told
    job = await api.get(f"/jobs/{told['id']}")
    assert job["name"] == "holiday.MOV"
    assert job["source"] == {"kind": "upload", "fileId": upload["file_id"], "fileName": "holiday.MOV"}
    assert await api.get(f"/upload/{upload['file_id']}/status") == {
        "file_id": upload["file_id"],
        "file_name": "holiday.MOV",
        "processing_status": "uploaded",  # the job has not begun
        "original_codec": None,
        "target_codec": None,
        "processing_time": None,
        "job_id": told["id"],
        "received_bytes": len(DATA),
        "error": None,
    }


async def test_the_size_may_be_left_open_and_the_type_too(api: Api) -> None:
    upload = await announce(api, size_bytes=None, content_type=None)
    assert upload["headers"] == {"Content-Type": "video/quicktime"}
    assert await put(api, upload, _pieces(DATA)) == (200, None)
    assert await status(api, upload) == "uploaded"


@pytest.mark.parametrize("name", ["data:text/html,a.mp4", "data:a/b;x=\u20ac,a.mp4"])
async def test_a_name_tells_no_type_but_by_its_suffix(api: Api, name: str) -> None:
    upload = await announce(api, file_name=name, content_type=None)
    assert upload["headers"] == {"Content-Type": "video/mp4"}
    assert await put(api, upload) == (200, None)


async def test_a_type_that_a_browser_would_run_is_told_by_no_suffix(store: PostgresStore, tmp_path: Path) -> None:
    async with running(store, tmp_path, limits=Limits(upload_suffixes=(".html",))) as api:
        upload = await announce(api, file_name="a.html", content_type=None)
        assert upload["headers"] == {"Content-Type": "application/octet-stream"}


async def _pieces(data: bytes) -> AsyncIterator[bytes]:
    for at in range(0, len(data), 10_000):
        yield data[at : at + 10_000]


@pytest.mark.parametrize(
    ("members", "faults"),
    [
        ({"file_name": "a.exe"}, [("/file_name", "invalid_value")]),
        ({"file_name": "mp4"}, [("/file_name", "invalid_value")]),
        ({"file_name": "a\n.mp4"}, [("/file_name", "invalid_text")]),
        ({"file_name": "a" * 300 + ".mp4"}, [("/file_name", "out_of_range")]),
        ({"file_name": None}, [("/file_name", "missing_field")]),
        ({"size_bytes": 0}, [("/size_bytes", "out_of_range")]),
        ({"size_bytes": "5"}, [("/size_bytes", "invalid_type")]),
        ({"size_bytes": True}, [("/size_bytes", "invalid_type")]),
        ({"size_bytes": 50 * 1024**3 + 1}, [("/size_bytes", "out_of_range")]),
        ({"size_bytes": 2**53}, [("/size_bytes", "out_of_range")]),
        ({"content_type": "text/html"}, [("/content_type", "invalid_value")]),
        ({"content_type": "video/mp4\r\nX: y"}, [("/content_type", "invalid_value")]),
        ({"fileName": "a.mp4"}, [("/fileName", "unknown_field")]),
        ({"status": "uploaded"}, [("/status", "unknown_field")]),
    ],
)
async def test_a_wrong_announcement_is_refused_with_each_fault(
    api: Api, members: dict[str, object], faults: list[tuple[str, str]]
) -> None:
    wanted = {name: value for name, value in (ASKED | members).items() if value is not None}
    async with api.ask("POST", "/upload", json=wanted) as response:
        told = await response.json()
    assert [(fault["path"], fault["code"]) for fault in told["errors"]] == faults
    assert response.status == 422


async def test_a_body_that_is_not_as_announced_is_answered_with_what_was(api: Api) -> None:
    upload = await announce(api)
    for changed, data, wanted in (
        ({"Content-Type": "video/mp4"}, DATA, "Send `Content-Type: video/quicktime`"),
        ({}, DATA + b"x", "at most 300000 bytes"),
    ):
        async with api.ask("PUT", target(upload), data=data, headers=upload["headers"] | changed) as response:
            assert response.status in {413, 415}
            assert wanted in (await response.json())["detail"]


async def test_a_type_that_is_not_taken_is_answered_with_those_that_are(api: Api) -> None:
    async with api.ask("POST", "/upload", json=ASKED | {"content_type": "text/html"}) as response:
        (fault,) = (await response.json())["errors"]
        assert (response.status, fault["path"]) == (422, "/content_type")
    assert fault["message"] == "must be video/…, audio/…, application/mxf or application/octet-stream"


async def test_an_invitation_that_has_expired_is_refused(api: Api, tmp_path: Path) -> None:
    """J18"""
    past = replace(LIMITS, upload=timedelta(seconds=-1))
    (tmp_path / "past").mkdir()
    async with running(api.parts.store, tmp_path / "past", limits=past) as late:
        upload = await announce(late)
        assert await put(late, upload) == (403, "link_expired")
        assert left(late, upload) == []


async def test_an_invitation_that_is_none_of_ours_leads_nowhere(api: Api) -> None:
    """J18"""
    upload, other = await announce(api), await announce(api)
    for forged in (
        target(upload).replace(upload["file_id"], other["file_id"]),
        target(upload).replace("/source", "/else"),
        target(upload, expires="9999999999"),
        target(upload, size=str(len(DATA) + 1)),
        target(upload, size="any"),
        target(upload, type="text/html"),
        target(upload, signature="0" * 64),
    ):
        assert forged != target(upload)
        assert await put(api, upload, to=forged) == (404, "not_found")
    for odd in (target(upload).replace("expires=", "until="), target(upload).partition("?")[0]):
        assert await put(api, upload, to=odd) == (404, "not_found")
    assert left(api, upload) == left(api, other) == []


async def test_an_invitation_to_what_is_gone_leads_nowhere(api: Api) -> None:
    key = new_upload().key
    row = await api.parts.store.add_upload(new_upload())
    invitation = await api.storage.invite(key, expires=row.expires_at, size_bytes=1, content_type="video/mp4")
    upload = {"upload_url": invitation.url, "method": "PUT", "headers": dict(invitation.headers)}
    assert await put(api, upload, b"x") == (404, "not_found")


async def test_another_tenants_upload_is_not_there(api: Api) -> None:
    """J18"""
    foreign = new_upload(tenant=OTHER_TENANT)
    await api.parts.store.add_upload(foreign)
    await api.parts.store.upload_arrived(foreign.id, size_bytes=1)
    for file_id in (foreign.id, uuid4()):
        async with api.ask("GET", f"/upload/{file_id}/status") as response:
            assert response.status == 404
        code, told = await submit(api, file_id)
        assert (code, told["code"], told["errors"][0]["path"]) == (404, "not_found", "/source/fileId")
    for ref in ("nonsense", uuid4().hex):
        async with api.ask("GET", f"/upload/{ref}/status") as response:
            assert response.status == 404


async def test_more_than_was_announced_is_refused_and_the_connection_closed(api: Api) -> None:
    """J18"""
    upload = await announce(api)
    assert await put(api, upload, DATA + b"x") == (413, "upload_too_large")
    assert await put(api, upload, _pieces(DATA + b"x")) == (413, "upload_too_large")
    for data in (io.BytesIO(20 * DATA), _pieces(20 * DATA)):
        async with api.ask("PUT", target(upload), data=data, headers=upload["headers"]) as response:
            assert (response.status, (await response.json())["code"]) == (413, "upload_too_large")
            assert response.headers["Connection"] == "close"
    assert (left(api, upload), await status(api, upload)) == ([], "pending")


async def test_what_was_announced_by_nobody_is_bounded_by_the_operator(store: PostgresStore, tmp_path: Path) -> None:
    """J18"""
    async with running(store, tmp_path, limits=Limits(upload_bytes=1000)) as api:
        upload = await announce(api, size_bytes=None)
        assert await put(api, upload, _pieces(DATA)) == (413, "upload_too_large")
        assert left(api, upload) == []
        assert await put(api, upload, DATA[:1000]) == (200, None)


async def test_a_head_that_tells_of_too_much_is_enough(store: PostgresStore, tmp_path: Path) -> None:
    """E8"""
    async with running(store, tmp_path, limits=Limits(upload_bytes=1000)) as api:
        upload = await announce(api, size_bytes=None)
        head = f"PUT {target(upload)} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: video/quicktime\r\n"
        for length, status in ((1001, 413), (10**13, 413)):
            reader, writer = await asyncio.open_connection("127.0.0.1", api.port)
            writer.write(f"{head}Content-Length: {length}\r\n\r\n".encode())
            assert int((await reader.readline()).split()[1]) == status
            writer.close()
            await writer.wait_closed()


async def test_less_than_was_announced_is_refused(api: Api) -> None:
    """J19"""
    upload = await announce(api)
    for data in (DATA[:-1], _pieces(DATA[:-1]), b""):
        assert await put(api, upload, data) == (400, "upload_incomplete")
    assert (left(api, upload), await status(api, upload)) == ([], "pending")
    assert await put(api, await announce(api, size_bytes=None), b"") == (400, "upload_incomplete")


async def test_an_upload_is_brought_once(api: Api) -> None:
    """J18"""
    upload = await announce(api)
    assert await put(api, upload) == (200, None)
    assert await put(api, upload, noise(len(DATA), seed=2)) == (409, "upload_exists")
    _, data = await read(api.storage.source(upload["s3_key"]))
    assert data == DATA


async def test_of_two_at_the_same_time_one_is_taken(api: Api) -> None:
    """J18"""
    upload = await announce(api)
    halves = [asyncio.Event(), asyncio.Event()]

    async def body(number: int) -> AsyncIterator[bytes]:
        yield DATA[:1000]
        halves[number].set()
        await halves[1 - number].wait()
        yield DATA[1000:]

    answers = await asyncio.gather(put(api, upload, body(0)), put(api, upload, body(1)))
    assert sorted(answers) == [(200, None), (409, "upload_exists")]
    assert left(api, upload) == ["source"]


async def test_what_has_not_arrived_is_no_source_yet(api: Api) -> None:
    """J18"""
    upload = await announce(api)
    code, told = await submit(api, upload["file_id"])
    assert (code, told["code"], told["errors"][0]["path"]) == (409, "upload_not_ready", "/source/fileId")
    probe = {"source": {"kind": "upload", "fileId": upload["file_id"]}}
    async with api.ask("POST", "/probe", json=probe) as response:
        assert (response.status, (await response.json())["code"]) == (409, "upload_not_ready")
    await put(api, upload)
    assert (await submit(api, upload["file_id"]))[0] == 202


@pytest.mark.parametrize("framing", [f"Content-Length: {len(DATA)}", "Transfer-Encoding: chunked"])
@pytest.mark.parametrize("announced", [len(DATA), None])
async def test_half_a_file_never_becomes_a_source_and_the_whole_may_follow(
    api: Api, framing: str, announced: int | None
) -> None:
    """J19"""
    upload = await announce(api, size_bytes=announced)
    head = f"PUT {target(upload)} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: video/quicktime\r\n{framing}\r\n\r\n"
    half = DATA[: len(DATA) // 2]
    _, writer = await asyncio.open_connection("127.0.0.1", api.port)
    chunked = b"%x\r\n%b\r\n" % (len(half), half)
    writer.write(head.encode() + (chunked if "chunked" in framing else half))
    await writer.drain()
    while not (parts := left(api, upload)):  # the server tells nobody that it has begun
        await asyncio.sleep(0.01)
    assert parts != ["source"]
    assert (await submit(api, upload["file_id"]))[0] == 409
    writer.close()
    await writer.wait_closed()
    while left(api, upload):
        await asyncio.sleep(0.01)
    assert await status(api, upload) == "pending"
    assert await put(api, upload) == (200, None)
    assert left(api, upload) == ["source"]


async def test_a_file_that_stands_there_though_nobody_noted_it_has_arrived(api: Api) -> None:
    """The server died between the file and its row; or the storage is not ours, and tells us nothing."""
    upload = await announce(api)
    async with api.storage.receive(upload["s3_key"], size_bytes=0) as arriving:
        await arriving.write(DATA)
        assert await arriving.stand()
    assert await put(api, upload) == (409, "upload_exists")
    assert await status(api, upload) == "uploaded"
    assert (await submit(api, upload["file_id"]))[0] == 202


async def test_a_file_of_another_size_ends_the_upload_and_is_removed(api: Api) -> None:
    upload = await announce(api)
    async with api.storage.receive(upload["s3_key"], size_bytes=0) as arriving:
        await arriving.write(DATA[:-1])
        assert await arriving.stand()
    assert await status(api, upload) == "failed"
    assert left(api, upload) == []
    assert (await submit(api, upload["file_id"]))[0] == 409
    assert await put(api, upload) == (410, "upload_expired")


async def test_a_packed_body_or_another_type_is_not_taken(api: Api) -> None:
    """A9"""
    upload = await announce(api)
    bomb = bytes(50_000_000)
    for packing, packed in (("gzip", gzip.compress(bomb)), ("deflate", zlib.compress(bomb)), ("compress", DATA)):
        refused = await put(api, upload, packed, **{"Content-Encoding": packing})
        assert refused == (415, "content_encoding_not_allowed")
    assert await put(api, upload, **{"Content-Type": "video/mp4"}) == (415, "unsupported_media_type")
    assert left(api, upload) == []
    assert await put(api, upload, **{"Content-Encoding": "identity"}) == (200, None)


async def test_a_body_that_stalls_is_given_up(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """A12"""
    monkeypatch.setattr(inflow, "IDLE_S", 0.1)
    upload = await announce(api)
    head = f"PUT {target(upload)} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: video/quicktime\r\n"
    answer = await api.raw(f"{head}Content-Length: {len(DATA)}\r\n\r\nx".encode())
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b'"request_timeout"' in answer
    assert left(api, upload) == []


async def test_a_body_that_trickles_is_given_up(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """A12"""
    monkeypatch.setattr(inflow, "WINDOW_S", 0.1)
    upload = await announce(api)

    async def trickle() -> AsyncIterator[bytes]:
        for _ in range(1000):
            yield b"x"
            await asyncio.sleep(0.01)

    assert await put(api, upload, trickle()) == (408, "request_timeout")
    assert left(api, upload) == []


async def test_a_form_whose_fields_trickle_is_given_up(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """A12: they are read before anybody knows who sends them."""
    monkeypatch.setattr(form, "FIELDS_S", 0.2)
    upload = await announce(api, protocol="post")

    async def trickle() -> AsyncIterator[bytes]:
        yield b'--b\r\nContent-Disposition: form-data; name="x"\r\n\r\n'
        for _ in range(300):
            yield b"x"
            await asyncio.sleep(0.01)

    head = {"Content-Type": "multipart/form-data; boundary=b"}
    at = f"{api.url}{urlsplit(upload['upload_url']).path}"
    async with api.session.post(at, data=trickle(), headers=head) as response:
        assert (response.status, (await response.json())["code"]) == (408, "request_timeout")


async def test_a_full_storage_takes_nothing(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    upload, open_size = await announce(api), await announce(api, size_bytes=None)
    monkeypatch.setattr(arrival, "LEAST_FREE_BYTES", 1 << 62)
    for each in (upload, open_size):
        assert await put(api, each) == (507, "storage_full")
        assert left(api, each) == []


async def test_links_to_read_and_to_write_are_not_each_other(api: Api) -> None:
    upload = await announce(api)
    async with api.ask("GET", target(upload)) as response:
        assert response.status == 404
    await put(api, upload)
    async with api.ask("GET", target(upload)) as response:
        assert response.status == 404


async def test_where_the_storage_is_not_a_folder_there_is_nothing_to_serve(
    store: PostgresStore, tmp_path: Path
) -> None:
    async with running(store, tmp_path, shelf=None) as api:
        upload = await announce(api)
        for method in ("GET", "HEAD", "PUT"):
            async with api.ask(method, target(upload)) as response:
                assert response.status == 404
        document = await api.get("/openapi.json")
        assert "/storage/{key}" not in document["paths"]
        assert "/upload" in document["paths"]
        async with api.storage.receive(upload["s3_key"], size_bytes=0) as arriving:
            await arriving.write(DATA)
            await arriving.stand()
        assert (await submit(api, upload["file_id"]))[0] == 202
