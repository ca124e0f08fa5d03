"""Uploads in pieces by tus 1.0, over a real socket to the platform's own storage."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from encoder.api import inflow, pieces
from encoder.api.cors import Origins
from encoder.model.state import UploadEnd
from encoder.queue.arrive import Arrivals
from encoder.storage import arrival, folder
from encoder.store.kept import UploadRow
from encoder.store.postgres import PostgresStore
from encoder.suites.cargo import noise, read
from tests.lab import databases, tus
from tests.lab.api import LIMITS, Api, running

DATA = noise(300_000)
SHA1 = base64.b64encode(hashlib.sha1(DATA, usedforsecurity=False).digest()).decode()


@pytest.fixture
async def api(store: PostgresStore, tmp_path: Path) -> AsyncIterator[Api]:
    async with running(store, tmp_path) as up:
        yield up


@pytest.fixture
def client(api: Api) -> tus.Client:
    return of(api)


def of(api: Api) -> tus.Client:
    return tus.Client(session=api.session, url=api.url)


async def announce(api: Api, **members: object) -> dict[str, Any]:
    wanted = {"file_name": "in.mp4", "protocol": "tus", "size_bytes": len(DATA), "outputs": []} | members
    async with api.ask("POST", "/upload", json=wanted) as response:
        told: dict[str, Any] = await response.json()
        assert response.status == 200, told
        return told


async def status(api: Api, upload: dict[str, Any]) -> dict[str, Any]:
    return dict(await api.get(f"/upload/{upload['file_id']}/status"))


async def until(client: tus.Client, address: str, offset: int) -> None:
    while await client.offset(address) != offset:  # nobody is told when the server has noticed
        await asyncio.sleep(0.01)


async def stands(api: Api, upload: dict[str, Any]) -> bytes:
    assert [path.name for path in (api.root / upload["s3_key"]).parent.iterdir()] == ["source"]
    _, data = await read(api.storage.source(upload["s3_key"]))
    return data


async def test_what_is_spoken_is_told_to_whoever_asks(api: Api) -> None:
    async with api.ask("OPTIONS", "/upload/tus") as response:
        assert response.status == 204
        assert response.headers["Tus-Version"] == response.headers["Tus-Resumable"] == "1.0.0"
        extensions = {"creation", "creation-with-upload", "termination", "expiration", "checksum"}
        assert set(response.headers["Tus-Extension"].split(",")) == extensions
        assert response.headers["Tus-Max-Size"] == str(api.parts.limits.upload_bytes)
        assert set(response.headers["Tus-Checksum-Algorithm"].split(",")) == {"sha1", "sha256", "md5"}


async def test_a_file_that_was_announced_comes_in_pieces_and_becomes_its_job(api: Api, client: tus.Client) -> None:
    """U3"""
    upload = await announce(api, outputs=[{"preset": "h264"}])
    url = upload["upload_url"]
    assert (upload["method"], upload["headers"]["Upload-Offset"]) == ("PATCH", "0")
    code, told, _ = await client.ask("HEAD", url)
    assert (code, told["Upload-Offset"], told["Upload-Length"]) == (200, "0", str(len(DATA)))
    assert (told["Cache-Control"], told["Tus-Resumable"]) == ("no-store", "1.0.0")
    assert "Upload-Expires" in told
    assert tus.metadata(filename="in.mp4", filetype="video/mp4") == told["Upload-Metadata"]
    assert await client.piece(url, 0, DATA[:1000]) == (204, None)
    assert await client.piece(url, 1000, b"") == (204, None)
    assert await client.offset(url) == 1000
    assert (await status(api, upload))["received_bytes"] == 1000
    assert (await api.get("/jobs"))["jobs"] == []
    assert await client.piece(url, 1000, DATA[1000:]) == (204, None)
    assert await stands(api, upload) == DATA
    assert await client.offset(url) == len(DATA)
    assert (await status(api, upload))["job_id"] == (await api.get("/jobs"))["jobs"][0]["id"]
    assert await client.piece(url, len(DATA), b"x") == (409, "upload_exists")


async def test_a_client_that_knows_nothing_but_tus_creates_its_upload(api: Api, client: tus.Client) -> None:
    told = tus.metadata(filename="in.MOV", filetype="video/quicktime", preset="h264", tags=json.dumps(["x"]))
    code, headers, _ = await client.ask("POST", "/upload/tus", Upload_Length=str(len(DATA)), Upload_Metadata=told)
    assert (code, headers["Upload-Offset"]) == (201, "0")
    assert await client.piece(headers["Location"], 0, DATA) == (204, None)
    (job,) = (await api.get("/jobs"))["jobs"]
    assert (job["name"], job["tags"]) == ("in.MOV", ["x"])


async def test_the_first_piece_may_come_with_the_creation(client: tus.Client) -> None:
    told = tus.metadata(name="in.mp4", type="video/mp4", relativePath="null", outputs="[]")
    headers = {"Upload_Length": str(len(DATA)), "Upload_Metadata": told, **tus.PIECE}
    for first in (len(DATA), 1000):
        code, said, _ = await client.ask("POST", "/upload/tus", DATA[:first], **headers)
        assert (code, said["Upload-Offset"]) == (201, str(first))
        if first < len(DATA):
            assert await client.piece(said["Location"], first, DATA[first:]) == (204, None)
        assert await client.offset(said["Location"]) == len(DATA)


async def test_a_creation_that_is_refused_for_its_piece_keeps_no_upload(client: tus.Client, dsn: str) -> None:
    headers = {"Upload_Length": "5", "Upload_Metadata": tus.metadata(filename="in.mp4"), "Upload_Checksum": "sha1"}
    code, _, problem = await client.ask("POST", "/upload/tus", b"piece", **headers, **tus.PIECE)
    assert (code, problem["code"]) == (400, "invalid_header")
    assert await databases.ask(dsn, "SELECT id FROM uploads") == []


async def test_a_creation_that_is_wrong_is_refused(api: Api, client: tus.Client) -> None:
    name, most = tus.metadata(filename="in.mp4"), api.parts.limits.upload_bytes
    for headers, wanted in (
        ({"Upload_Metadata": name}, (400, "invalid_header")),
        ({"Upload_Metadata": name, "Upload_Defer_Length": "1"}, (400, "invalid_header")),
        ({"Upload_Metadata": name, "Upload_Length": "-1"}, (400, "invalid_header")),
        ({"Upload_Metadata": name, "Upload_Length": "٣"}, (400, "invalid_header")),
        ({"Upload_Metadata": "filename !", "Upload_Length": "5"}, (400, "invalid_header")),
        ({"Upload_Metadata": f"{name},{name}", "Upload_Length": "5"}, (400, "invalid_header")),
        ({"Upload_Metadata": name, "Upload_Length": str(most + 1)}, (413, "upload_too_large")),
        ({"Upload_Metadata": name, "Upload_Length": "0"}, (422, "out_of_range")),
        ({"Upload_Length": "5"}, (422, "missing_field")),
        ({"Upload_Metadata": tus.metadata(filename="a.exe"), "Upload_Length": "5"}, (422, "invalid_value")),
        ({"Upload_Metadata": f"{name},{tus.metadata(presett='x')}", "Upload_Length": "5"}, (422, "unknown_field")),
        ({"Upload_Metadata": f"{name},{tus.metadata(outputs='{')}", "Upload_Length": "5"}, (400, "invalid_json")),
        ({"Upload_Metadata": name, "Upload_Length": "5", "Tus_Resumable": "0.2.2"}, (412, "tus_version")),
        ({"Upload_Metadata": name, "Upload_Length": "5", "Tus_Resumable": ""}, (412, "tus_version")),
    ):
        sent = {key.replace("_", "-"): value for key, value in headers.items()}
        code, told, problem = await client.ask("POST", "/upload/tus", **sent)
        assert (headers, code, problem["code"]) == (headers, *wanted)
        assert told["Tus-Resumable"] == "1.0.0"
        assert ("Tus-Version" in told) == (code == 412)


async def test_an_upload_that_breaks_off_goes_on_where_it_ended(api: Api, client: tus.Client) -> None:
    """J19, U3: half a file never becomes a source."""
    for at in (1, 150_000, len(DATA) - 1):
        upload = await announce(api)
        url = upload["upload_url"]
        await client.break_off(url, 0, DATA[:at], of=len(DATA))
        await until(client, url, at)
        assert (await status(api, upload))["processing_status"] == "pending"
        assert not (api.root / upload["s3_key"]).exists()
        source = {"kind": "upload", "fileId": upload["file_id"]}
        async with api.ask("POST", "/jobs", json={"source": source, "outputs": [{"preset": "h264"}]}) as response:
            assert (response.status, (await response.json())["code"]) == (409, "upload_not_ready")
        while (told := await client.piece(url, at, DATA[at:])) == (423, "upload_locked"):
            await asyncio.sleep(0.05)  # whoever broke off has moved the offset, and not yet let go
        assert told == (204, None)
        assert await stands(api, upload) == DATA


async def test_what_a_server_wrote_that_died_before_it_moved_the_offset_is_written_again(
    api: Api, client: tus.Client, dsn: str
) -> None:
    """U3: the row is the truth, the file may hold more."""
    upload = await announce(api)
    url = upload["upload_url"]
    assert await client.piece(url, 0, DATA[:2000]) == (204, None)
    (part,) = (api.root / upload["s3_key"]).parent.iterdir()
    with part.open("ab") as file:
        file.write(b"never told of")
    await databases.run(dsn, "UPDATE uploads SET holder = id, held_until = created_at")  # it died with its turn
    assert await client.piece(url, 2000, DATA[2000:]) == (204, None)
    assert await stands(api, upload) == DATA


async def test_the_offset_moves_while_a_piece_still_comes(
    api: Api, client: tus.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder, "SETTLE_BYTES", 50_000)
    upload = await announce(api)
    gone_on = asyncio.Event()

    async def body() -> AsyncIterator[bytes]:
        yield DATA[:200_000]
        await gone_on.wait()
        yield DATA[200_000:]

    sending = asyncio.ensure_future(client.piece(upload["upload_url"], 0, body()))
    while await client.offset(upload["upload_url"]) < 100_000:
        await asyncio.sleep(0.01)
    assert await client.piece(upload["upload_url"], 100_000, b"x") == (423, "upload_locked")
    gone_on.set()
    assert await sending == (204, None)
    assert await stands(api, upload) == DATA


async def test_where_little_comes_the_offset_moves_by_the_clock(
    api: Api, client: tus.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pieces, "MOVE_S", 0.0)
    upload = await announce(api)
    await client.break_off(upload["upload_url"], 0, DATA[:10], of=len(DATA))
    await until(client, upload["upload_url"], 10)


async def test_a_piece_at_another_offset_is_refused(api: Api, client: tus.Client) -> None:
    url = (await announce(api))["upload_url"]
    assert await client.piece(url, 5, DATA[5:]) == (409, "offset_conflict")
    assert await client.piece(url, 0, DATA[:10]) == (204, None)
    for offset in (0, 9, 11):
        assert await client.piece(url, offset, DATA[10:20]) == (409, "offset_conflict")
    code, _, problem = await client.ask("PATCH", url, DATA, **tus.PIECE)
    assert (code, problem["code"]) == (400, "invalid_header")
    code, _, problem = await client.ask("PATCH", url, DATA, Upload_Offset="10", Content_Type="video/mp4")
    assert (code, problem["code"]) == (415, "unsupported_media_type")
    code, _, problem = await client.ask("PATCH", url, DATA, Upload_Offset="10", Tus_Resumable="2.0.0", **tus.PIECE)
    assert (code, problem["code"]) == (412, "tus_version")
    assert await client.offset(url) == 10


async def test_more_than_was_announced_is_refused(api: Api, client: tus.Client) -> None:
    """J18, A8: by its length, and when it is sent in chunks without one."""
    upload = await announce(api)
    url = upload["upload_url"]

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(40):
            yield DATA

    assert await client.piece(url, 0, DATA + b"x") == (413, "upload_too_large")
    headers = tus.RESUMABLE | tus.PIECE | {"Upload-Offset": "0"}
    async with api.session.patch(client.at(url), data=chunks(), headers=headers) as response:
        assert (response.status, (await response.json())["code"]) == (413, "upload_too_large")
        assert response.headers["Connection"] == "close"
    assert (await status(api, upload))["processing_status"] == "pending"
    assert await client.piece(url, 0, DATA) == (204, None)
    assert await stands(api, upload) == DATA


async def test_a_packed_piece_is_refused(api: Api, client: tus.Client) -> None:
    """A9"""
    url = (await announce(api))["upload_url"]
    assert await client.piece(url, 0, b"x", Content_Encoding="gzip") == (415, "content_encoding_not_allowed")


async def test_a_piece_that_stalls_or_trickles_ends_and_is_kept(
    api: Api, client: tus.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A12"""
    monkeypatch.setattr(inflow, "IDLE_S", 0.05)
    url = (await announce(api))["upload_url"]

    async def stalls() -> AsyncIterator[bytes]:
        yield DATA[:5000]
        await asyncio.sleep(5)

    assert await client.piece(url, 0, stalls()) == (408, "request_timeout")
    assert await client.offset(url) == 5000
    monkeypatch.setattr(inflow, "IDLE_S", 5)
    monkeypatch.setattr(inflow, "WINDOW_S", 0.05)

    async def trickles() -> AsyncIterator[bytes]:
        for _ in range(1000):
            yield b"x"
            await asyncio.sleep(0.01)

    assert await client.piece(url, 5000, trickles()) == (408, "request_timeout")
    assert 5000 < await client.offset(url) < 6000


async def test_a_piece_with_a_checksum_is_kept_as_a_whole_or_not_at_all(api: Api, client: tus.Client) -> None:
    upload = await announce(api)
    url = upload["upload_url"]
    wrong = base64.b64encode(bytes(20)).decode()
    assert await client.piece(url, 0, DATA, Upload_Checksum=f"sha1 {wrong}") == (460, "checksum_mismatch")
    assert await client.offset(url) == 0
    for told in ("sha1", "sha1 !", "crc32 AAAA", "sha1  AAAA"):
        assert await client.piece(url, 0, DATA, Upload_Checksum=told) == (400, "invalid_header")
    assert await client.piece(url, 0, DATA[:100]) == (204, None)
    tail = DATA[100:200]
    for name in ("md5", "sha256"):
        digest = base64.b64encode(hashlib.new(name, tail, usedforsecurity=False).digest()).decode()
        at = await client.offset(url)
        assert await client.piece(url, at, tail, Upload_Checksum=f"{name} {digest}") == (204, None)
    other = (await announce(api))["upload_url"]
    assert await client.piece(other, 0, DATA, Upload_Checksum=f"sha1 {SHA1}") == (204, None)
    assert await client.offset(other) == len(DATA)


async def test_a_checksum_that_never_came_to_its_end_keeps_nothing(api: Api, client: tus.Client) -> None:
    url = (await announce(api))["upload_url"]

    async def stalls() -> AsyncIterator[bytes]:
        yield DATA[:5000]
        await asyncio.sleep(5)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(inflow, "IDLE_S", 0.05)
        assert await client.piece(url, 0, stalls(), Upload_Checksum=f"sha1 {SHA1}") == (408, "request_timeout")
    assert await client.offset(url) == 0


async def test_an_upload_that_is_given_up_is_gone_with_all_that_came(api: Api, client: tus.Client) -> None:
    upload = await announce(api, outputs=[{"preset": "h264"}])
    url = upload["upload_url"]
    assert await client.piece(url, 0, DATA[:10]) == (204, None)
    assert (await client.ask("DELETE", url))[0] == 204
    assert not (api.root / upload["s3_key"]).parent.exists()
    assert (await status(api, upload))["processing_status"] == "cancelled"
    assert (await client.ask("HEAD", url))[0] == 410
    assert await client.piece(url, 10, DATA[10:]) == (410, "upload_expired")
    assert (await client.ask("DELETE", url))[0] == 410
    arrived = await announce(api)
    await client.piece(arrived["upload_url"], 0, DATA)
    assert (await client.ask("DELETE", arrived["upload_url"]))[0] == 409


async def test_an_upload_that_ends_while_a_piece_comes_leaves_nothing(
    api: Api, client: tus.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder, "SETTLE_BYTES", 1)
    upload = await announce(api)
    ended = asyncio.Event()

    async def body() -> AsyncIterator[bytes]:
        yield DATA[:1000]
        await ended.wait()
        yield DATA[1000:2000]

    sending = asyncio.ensure_future(client.piece(upload["upload_url"], 0, body()))
    await until(client, upload["upload_url"], 1000)
    row = await api.parts.store.upload(None, UUID(upload["file_id"]))
    assert row is not None
    await api.parts.arrivals.end(row, UploadEnd.CANCELLED, problem=None)
    ended.set()
    assert await sending == (410, "upload_expired")
    assert not (api.root / upload["s3_key"]).parent.exists()


async def test_an_upload_that_ends_while_its_last_piece_comes_leaves_nothing(
    api: Api, client: tus.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """U3: whoever ends it finds nothing to remove, for the file stands only afterwards."""
    upload = await announce(api)
    whole = Arrivals.arrived

    async def arrived(arrivals: Arrivals, row: UploadRow, *, size_bytes: int) -> UploadRow:
        assert await api.parts.store.end_upload(row.id, UploadEnd.CANCELLED, problem=None)
        return await whole(arrivals, row, size_bytes=size_bytes)

    monkeypatch.setattr(Arrivals, "arrived", arrived)
    assert await client.piece(upload["upload_url"], 0, DATA) == (410, "upload_expired")
    assert not (api.root / upload["s3_key"]).parent.exists()


async def test_an_upload_whose_time_is_over_is_gone(store: PostgresStore, tmp_path: Path) -> None:
    """J18"""
    async with running(store, tmp_path, limits=replace(LIMITS, upload=timedelta(seconds=-1))) as api:
        upload = await announce(api)
        client = of(api)
        assert await client.piece(upload["upload_url"], 0, DATA) == (410, "upload_expired")
        assert (await client.ask("HEAD", upload["upload_url"]))[0] == 410
        assert (await status(api, upload))["error"]["code"] == "upload_expired"


async def test_an_address_that_is_none_of_ours_leads_nowhere(api: Api, client: tus.Client) -> None:
    """J18"""
    upload, other = await announce(api), await announce(api)
    url = upload["upload_url"]
    for forged in (url[:-1], url[:-1] + ("0" if url[-1] != "0" else "1"), "/upload/tus/x", f"/upload/tus/{uuid4()}"):
        assert await client.piece(forged, 0, DATA) == (404, "not_found")
        assert (await client.ask("HEAD", forged))[0] == 404
    mixed = url.replace(upload["file_id"], other["file_id"])
    assert await client.piece(mixed, 0, DATA) == (404, "not_found")


async def test_who_can_send_nothing_but_post_says_what_is_meant(api: Api, client: tus.Client) -> None:
    upload = await announce(api)
    meant = {"X-HTTP-Method-Override": "PATCH", "Upload-Offset": "0", **tus.PIECE}
    code, told, _ = await client.ask("POST", upload["upload_url"], DATA[:10], **meant)
    assert (code, told["Upload-Offset"]) == (204, "10")
    code, _, problem = await client.ask("POST", upload["upload_url"])
    assert (code, problem["code"]) == (400, "invalid_header")


async def test_a_full_storage_takes_no_piece(api: Api, client: tus.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    url = (await announce(api))["upload_url"]
    monkeypatch.setattr(arrival, "LEAST_FREE_BYTES", 1 << 62)
    assert await client.piece(url, 0, DATA) == (507, "storage_full")


async def test_pages_of_an_origin_that_was_named_may_bring_a_file_and_no_others(
    store: PostgresStore, tmp_path: Path
) -> None:
    page = "https://app.example.com"
    async with running(store, tmp_path, origins=Origins([page])) as api:
        upload = await announce(api)
        path = of(api).at(upload["upload_url"]).removeprefix(api.url)
        asks = {"Access-Control-Request-Method": "PATCH", "Access-Control-Request-Headers": "upload-offset"}
        for method, at in (("PATCH", path), ("POST", "/upload/tus"), ("POST", "/upload")):
            asked = asks | {"Access-Control-Request-Method": method, "Origin": page}
            async with api.ask("OPTIONS", at, headers=asked) as response:
                assert (response.status, response.headers["Access-Control-Allow-Origin"]) == (204, page)
                assert method in response.headers["Access-Control-Allow-Methods"]
                allowed = response.headers["Access-Control-Allow-Headers"].lower().split(", ")
                wanted = {"authorization", "tus-resumable", "upload-length", "upload-metadata", "upload-offset"}
                assert {*wanted, "content-type"} <= set(allowed)
        headers = tus.RESUMABLE | {"Origin": page}
        async with api.ask("HEAD", path, headers=headers) as response:
            assert response.status == 200
            shown = set(response.headers["Access-Control-Expose-Headers"].split(", "))
            assert {"Location", "Upload-Offset", "Upload-Length", "Tus-Resumable", "Tus-Version"} <= shown
            assert response.headers["Vary"] == "Origin"
        for other in ("https://evil.example", "null", page.upper()):
            async with api.ask("OPTIONS", path, headers=asks | {"Origin": other}) as response:
                assert response.status in {403, 405}
                assert "Access-Control-Allow-Origin" not in response.headers


async def test_no_page_of_another_origin_is_let_in_where_none_was_named(api: Api) -> None:
    asks = {"Access-Control-Request-Method": "POST", "Origin": "https://app.example.com"}
    async with api.ask("OPTIONS", "/upload/tus", headers=asks) as response:
        assert (response.status, "Access-Control-Allow-Origin" in response.headers) == (403, False)
