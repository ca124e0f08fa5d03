"""Links into folders of the platform's storage (docs/reference/answers.md): one signature for all below."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urljoin

import pytest

from encoder.store.postgres import PostgresStore
from tests.lab.api import Api, running

SEGMENT = bytes(range(256)) * 40
FILES = {
    "jobs/a/0/master.m3u8": b"#EXTM3U\n",
    "jobs/a/0/audio-eng/index.m3u8": b"#EXTM3U\n",
    "jobs/a/0/720p/00001.m4s": SEGMENT,
    "jobs/a/0/page.html": b"<script>alert(1)</script>",
    "jobs/a/00/master.m3u8": b"another output",
    "jobs/a/1.mp4": b"another output",
    "jobs/b/0/master.m3u8": b"another job",
}


@pytest.fixture
async def api(store: PostgresStore, tmp_path: Path) -> AsyncIterator[Api]:
    async with running(store, tmp_path) as up:
        for name, data in FILES.items():
            path = up.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        yield up


async def linked(api: Api, *, good_for: timedelta = timedelta(hours=1)) -> str:
    link = await api.storage.folder_link("jobs/a/0", name="master.m3u8", expires=datetime.now(UTC) + good_for)
    assert link is not None
    return link.removeprefix("http://lab")


async def fetched(api: Api, address: str) -> bytes | int:
    """What comes; the status where nothing does."""
    async with api.ask("GET", address) as response:
        return await response.read() if response.ok else int(response.status)


async def test_relative_addresses_lead_to_all_of_the_folder(api: Api) -> None:
    link = await linked(api)
    for name in ("master.m3u8", "audio-eng/index.m3u8", "720p/00001.m4s"):
        assert await fetched(api, urljoin(link, name)) == FILES[f"jobs/a/0/{name}"]
    assert await fetched(api, urljoin(urljoin(link, "audio-eng/index.m3u8"), "../720p/00001.m4s")) == SEGMENT


@pytest.mark.parametrize(
    "elsewhere",
    ["../1.mp4", "../00/master.m3u8", "../../b/0/master.m3u8", "..%2f1.mp4", "%2e%2e/1.mp4", "720p", "720p/", "none"],
)
async def test_no_address_beside_a_link_leads_out_of_its_folder(api: Api, elsewhere: str) -> None:
    link = await linked(api)
    folder = link.removesuffix("master.m3u8")
    for address in (urljoin(link, elsewhere), folder + elsewhere):
        assert await fetched(api, address) == 404
        answer = await api.raw(f"GET {address} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
        assert b" 404 " in answer.splitlines()[0]


async def test_a_link_in_the_folder_is_not_followed(api: Api, tmp_path: Path) -> None:
    (tmp_path / "outside").write_bytes(SEGMENT)
    (api.root / "jobs/a/0/file.m4s").symlink_to(tmp_path / "outside")
    (api.root / "jobs/a/0/folder").symlink_to(tmp_path)
    link = await linked(api)
    for name in ("file.m4s", "folder/outside"):
        assert await fetched(api, urljoin(link, name)) == 404


@pytest.mark.parametrize(
    ("pattern", "forged"),
    [
        (r"/folders/\d+-", "/folders/9999999999-"),
        (r"-3-", "-2-"),
        (r"-3-", "-0-"),
        (r"-3-", "-4-"),
        (r"-3-", "-999-"),
        (r"-3-", "-٣-"),
        (r"-[0-9a-f]{64}/", f"-{'0' * 64}/"),
        (r"-[0-9a-f]{64}/", "-ключ/"),
        (r"/jobs/a/0/", "/jobs/b/0/"),
        (r"/jobs/a/0/", "/jobs/a/00/"),
    ],
)
async def test_no_part_of_a_link_into_a_folder_may_be_changed(api: Api, pattern: str, forged: str) -> None:
    link = await linked(api)
    changed = re.sub(pattern, forged, link, count=1)
    assert changed != link
    assert await fetched(api, changed) == 404


async def test_a_link_to_a_file_opens_no_folder_and_the_other_way_round(api: Api) -> None:
    single = await api.storage.link("jobs/a/0", expires=datetime.now(UTC) + timedelta(hours=1), file_name="a")
    expires, signature = re.findall(r"expires=(\d+).*signature=([0-9a-f]{64})", single)[0]
    assert await fetched(api, f"/folders/{expires}-3-{signature}/jobs/a/0/master.m3u8") == 404
    expires, signature = re.findall(r"/(\d+)-3-([0-9a-f]{64})/", await linked(api))[0]
    assert await fetched(api, f"/storage/jobs/a/0?expires={expires}&name=&signature={signature}") == 404


async def test_a_link_into_a_folder_ends_for_all_that_lies_there(api: Api) -> None:
    link = await linked(api, good_for=timedelta(seconds=-5))
    for address in (link, urljoin(link, "720p/00001.m4s")):
        async with api.ask("GET", address) as response:
            assert (response.status, (await response.json())["code"]) == (403, "link_expired")


async def test_what_players_ask_for_is_answered_as_they_need_it(api: Api) -> None:
    """Types by which they choose, ranges, and a page of any origin; by another name for the server, nothing."""
    link = await linked(api)
    segment = urljoin(link, "720p/00001.m4s")
    player = {"Origin": "https://player.example.com"}
    for address, kind in ((link, "application/vnd.apple.mpegurl"), (segment, "video/iso.segment")):
        async with api.ask("GET", address, headers=player) as response:
            assert (response.status, response.content_type) == (200, kind)
            assert response.headers["Access-Control-Allow-Origin"] == "*"
            assert "Access-Control-Allow-Credentials" not in response.headers
            assert response.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    async with api.ask("GET", segment, headers={**player, "Range": "bytes=10-19"}) as response:
        assert (response.status, await response.read()) == (206, SEGMENT[10:20])
        assert response.headers["Access-Control-Expose-Headers"] == "Content-Range"
    async with api.ask("HEAD", segment, headers=player) as response:
        assert (response.status, response.headers["Content-Length"]) == (200, str(len(SEGMENT)))
    async with api.ask("GET", segment, headers={"Range": "bytes=999999-"}) as response:
        assert response.status == 416
    async with api.ask("GET", link, headers={"Host": "evil.test"}) as response:
        assert response.status == 403
    async with api.ask("POST", link, headers=player) as response:
        assert response.status == 403


async def test_nothing_of_a_folder_is_a_page_of_ours(api: Api) -> None:
    """Whoever takes ffmpeg over may leave one among the segments."""
    async with api.ask("GET", urljoin(await linked(api), "page.html")) as response:
        assert (response.status, response.content_type) == (200, "application/octet-stream")
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert "default-src 'none'" in response.headers["Content-Security-Policy"]
