"""S3 against a real server: as a source, a destination, a folder, and the platform's own storage."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import aiohttp
import pytest
import yarl

from encoder.destinations.protocol import Destination
from encoder.destinations.registry import Destinations
from encoder.net.s3 import S3Access, Sizes
from encoder.plugins import Surroundings
from encoder.sources.protocol import Source
from encoder.sources.registry import Sources
from encoder.storage.protocol import Invitation, Storage
from encoder.storage.s3 import Room, S3Storage
from encoder.suites.destination import DestinationBench, DestinationSuite, FolderBench, FolderSuite
from encoder.suites.source import SourceBench, SourceSuite
from tests.contracts.storage_suite import HOUR, PIECE, StorageBench, StorageSuite, put
from tests.lab.rgw import Bucket, Gateway
from tests.lab.wire import lab_web

pytestmark = pytest.mark.xdist_group("s3")

MEBIBYTE = 1024 * 1024


@pytest.fixture
def bucket(s3_server: Gateway) -> Bucket:
    return s3_server.bucket()


def surroundings(sizes: Sizes) -> Surroundings:
    return Surroundings(web=lab_web(), s3=S3Access(sizes=sizes, pause_s=0))


class _Source:
    name = "in ü.mov"

    def __init__(self, bucket: Bucket, sizes: Sizes) -> None:
        self._bucket = bucket
        self._surroundings = surroundings(sizes)
        self._key = f"a b/{self.name}"

    async def source(self, data: bytes) -> Source:
        self._bucket.put(self._key, data)
        return Sources(self._surroundings).make(self._bucket.place(self._key))

    async def change(self, data: bytes) -> None:
        self._bucket.put(self._key, data)

    async def remove(self) -> None:
        self._bucket.remove(self._key)


class TestSource(SourceSuite):
    @pytest.fixture(params=[8 * MEBIBYTE, MEBIBYTE - 7], ids=["one range", "ranges"])
    def bench(self, request: pytest.FixtureRequest, bucket: Bucket) -> SourceBench:
        return _Source(bucket, Sizes(window_bytes=request.param))


class _Destination:
    def __init__(self, bucket: Bucket, key: str, sizes: Sizes) -> None:
        self._bucket = bucket
        self._key = key
        self._destinations = Destinations(surroundings(sizes), stored=_no_storage)

    def destination(self) -> Destination:
        return self._destinations.make(self._bucket.place(self._key), "jobs/0191b2c4/0.mp4")

    def stands(self) -> bytes | None:
        return self._bucket.get(self._key)

    def left_over(self) -> list[str]:
        beside = [key for key in self._bucket.listed() if key != self._key]
        return beside + [f"open: {key}" for key in self._bucket.open_uploads()]

    def folder(self) -> Destination:
        return self._destinations.make(self._bucket.place(self._key), "jobs/0191b2c4/0/")

    def files(self) -> Mapping[str, bytes]:
        return {key.removeprefix(self._key): self._bucket.get(key) or b"" for key in self._bucket.listed()}


def _no_storage(_key: str) -> Destination:
    raise AssertionError("the place is given")


WAYS = [
    pytest.param(Sizes(), id="at once"),
    pytest.param(Sizes(multipart_from_bytes=1, part_bytes=5 * MEBIBYTE), id="in parts"),
]


class TestDestination(DestinationSuite):
    @pytest.fixture(params=WAYS)
    def bench(self, request: pytest.FixtureRequest, bucket: Bucket) -> DestinationBench:
        return _Destination(bucket, "deep down/ü.mp4", request.param)


class TestFolder(FolderSuite):
    @pytest.fixture(params=WAYS)
    def bench(self, request: pytest.FixtureRequest, bucket: Bucket) -> FolderBench:
        return _Destination(bucket, "hls 1/", request.param)


class _Storage:
    def __init__(self, bucket: Bucket) -> None:
        self.now = datetime.now(UTC)
        self._bucket = bucket
        self._storage = S3Storage(
            S3Access(pause_s=0, sizes=Sizes(piece_bytes=PIECE)), lab_web(), Room(bucket=bucket.name, prefix="enc")
        )

    def storage(self) -> Storage:
        return self._storage

    async def follow(self, link: str) -> bytes | None:
        async with aiohttp.ClientSession() as session, session.get(yarl.URL(link, encoded=True)) as response:
            return await response.read() if response.ok else None

    async def bring(self, invitation: Invitation, data: bytes) -> bool:
        body: object = data
        if invitation.fields:
            body = aiohttp.FormData(invitation.fields)
            body.add_field("file", data, filename="x", content_type="text/html")
        url = yarl.URL(invitation.url, encoded=True)
        async with (
            aiohttp.ClientSession() as session,
            session.request(invitation.method, url, headers=invitation.headers, data=body) as response,
        ):
            return response.ok


class TestStorage(StorageSuite):
    @pytest.fixture
    def bench(self, bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> StorageBench:
        for name, value in bucket.environment.items():
            monkeypatch.setenv(name, value)
        return _Storage(bucket)

    @pytest.mark.parametrize("part", ["/a/", "X-Amz-Expires=", "filename%2A%3DUTF-8%27%27a", "X-Amz-Signature="])
    async def test_no_part_of_a_link_may_be_changed(  # type: ignore[override]  # S3 has its own words for the parts
        self, bench: StorageBench, tmp_path: Path, part: str
    ) -> None:
        for key in ("jobs/a/0.mp4", "jobs/b/0.mp4"):
            await put(bench, key, tmp_path)
        link = await bench.storage().link("jobs/a/0.mp4", expires=bench.now + HOUR, file_name="a")
        assert part in link
        forged = "/b/" if part == "/a/" else f"{part}9"
        assert await bench.follow(link.replace(part, forged)) is None

    async def test_a_link_says_how_the_file_is_called(self, bench: StorageBench, tmp_path: Path) -> None:
        await put(bench, "jobs/a/0.mp4", tmp_path)
        link = await bench.storage().link("jobs/a/0.mp4", expires=bench.now + HOUR, file_name='Ä "b".mp4')
        query = dict(parse_qsl(urlsplit(link).query))
        assert query["response-content-disposition"] == "attachment; filename*=UTF-8''%C3%84%20%22b%22.mp4"

    async def test_a_folder_has_no_link_for_signatures_are_of_single_objects(self, bench: StorageBench) -> None:
        assert await bench.storage().folder_link("jobs/a", name="b", expires=bench.now + HOUR) is None

    async def test_no_link_is_good_for_more_than_a_week(self, bench: StorageBench) -> None:
        link = await bench.storage().link("jobs/a/0.mp4", expires=bench.now + timedelta(days=30), file_name="a")
        assert dict(parse_qsl(urlsplit(link).query))["X-Amz-Expires"] == "604800"
