"""Encoder's contract suites over a WebDAV server, and what is particular to this kind."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from aiohttp import web
from aiohttp.test_utils import BaseTestServer, TestServer
from encoder_webdav import DESTINATION, SOURCE
from encoder_webdav.members import Members

from encoder import errors
from encoder.destinations.protocol import Destination
from encoder.net.guard import Policy
from encoder.net.http import Web
from encoder.plugins import Surroundings
from encoder.sources.protocol import Source
from encoder.suites.cargo import Gate, noise, parcel
from encoder.suites.destination import DestinationBench, DestinationSuite, FolderBench, FolderSuite, publish
from encoder.suites.source import SourceBench, SourceSuite

AROUND = Surroundings(web=Web(policy=Policy.of("127.0.0.0/8")))
LOGIN = {"username": "me", "password": "SENTINEL"}


class Dav:
    """A WebDAV server in memory, as strict as RFC 4918 about folders."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.folders = {"/"}
        self.refused: dict[str, int] = {}
        self.served = web.Application(client_max_size=64 * 1024 * 1024)
        self.served.router.add_get("/{path:.*}", self.get)  # HEAD too
        for method in ("PUT", "DELETE", "MKCOL", "MOVE"):
            self.served.router.add_route(method, "/{path:.*}", self.answer)

    async def answer(self, request: web.Request) -> web.Response:
        if request.method in self.refused:
            await request.read()
            return web.Response(status=self.refused[request.method])
        answered: web.Response = await getattr(self, request.method.lower())(request)
        return answered

    async def get(self, request: web.Request) -> web.Response:
        data = self.files.get(request.path)
        if data is None or "Authorization" not in request.headers:
            return web.Response(status=404 if data is None else 401)
        etag = hashlib.sha256(data).hexdigest()
        start = request.http_range.start or 0
        if start and request.headers.get("If-Range") == f'"{etag}"':
            told = f"bytes {start}-{len(data) - 1}/{len(data)}"
            return web.Response(status=206, body=data[start:], headers={"ETag": f'"{etag}"', "Content-Range": told})
        return web.Response(body=data, headers={"ETag": f'"{etag}"'})

    async def put(self, request: web.Request) -> web.Response:
        if _above(request.path) not in self.folders:
            return web.Response(status=409)
        self.files[request.path] = await request.read()
        return web.Response(status=201)

    async def delete(self, request: web.Request) -> web.Response:
        return web.Response(status=204 if self.files.pop(request.path, None) is not None else 404)

    async def mkcol(self, request: web.Request) -> web.Response:
        if request.path in self.folders:
            return web.Response(status=405)
        if _above(request.path.rstrip("/")) not in self.folders:
            return web.Response(status=409)
        self.folders.add(request.path)
        return web.Response(status=201)

    async def move(self, request: web.Request) -> web.Response:
        if "Authorization" not in request.headers:
            return web.Response(status=401)
        self.files[urlsplit(request.headers["Destination"]).path] = self.files.pop(request.path)
        return web.Response(status=201)


def _above(path: str) -> str:
    return path.rpartition("/")[0] + "/"


class Served:
    """The server, and one place on it."""

    def __init__(self, dav: Dav, server: BaseTestServer) -> None:
        self.dav = dav
        self._base = str(server.make_url("")).rstrip("/")

    def destination(self, path: str = "/out/a/720p.mp4", login: Mapping[str, str] = LOGIN) -> Destination:
        return DESTINATION.make(Members(url=self._base + path, **login), AROUND)

    def source(self, path: str) -> Source:
        return SOURCE.make(Members(url=self._base + path, **LOGIN), AROUND)


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    dav = Dav()
    async with TestServer(dav.served) as server:
        yield Served(dav, server)


class TestSource(SourceSuite):
    @pytest.fixture
    def bench(self, served: Served) -> SourceBench:
        class Bench:
            name = "in.mov"

            async def source(self, data: bytes) -> Source:
                await self.change(data)
                return served.source("/a/in.mov")

            async def change(self, data: bytes) -> None:
                served.dav.files["/a/in.mov"] = data

            async def remove(self) -> None:
                del served.dav.files["/a/in.mov"]

        return Bench()


class TestDestination(DestinationSuite):
    @pytest.fixture
    def bench(self, served: Served) -> DestinationBench:
        class Bench:
            def destination(self) -> Destination:
                return served.destination()

            def stands(self) -> bytes | None:
                return served.dav.files.get("/out/a/720p.mp4")

            def left_over(self) -> list[str]:
                return sorted(served.dav.files.keys() - {"/out/a/720p.mp4"})

        return Bench()


class TestFolder(FolderSuite):
    @pytest.fixture
    def bench(self, served: Served) -> FolderBench:
        class Bench:
            def folder(self) -> Destination:
                return served.destination("/out/hls/")

            def files(self) -> Mapping[str, bytes]:
                return {path.removeprefix("/out/hls/"): data for path, data in served.dav.files.items()}

        return Bench()


@pytest.mark.parametrize(
    ("method", "status", "code"),
    [("PUT", 400, "destination_refused"), ("MOVE", 412, "destination_refused"), ("MOVE", 423, "unavailable")],
)
async def test_what_the_server_says_no_to_is_told_as_that(
    served: Served, tmp_path: Path, method: str, status: int, code: str
) -> None:
    served.dav.refused[method] = status
    with pytest.raises(errors.Failure, match=f"{code}.*{status}"):
        await publish(served.destination(), parcel(tmp_path, noise(1000)), Gate())


async def test_who_may_not_move_a_file_leaves_nothing_behind(served: Served, tmp_path: Path) -> None:
    with pytest.raises(errors.Permanent, match="destination_auth_failed"):
        await publish(served.destination(login={}), parcel(tmp_path, noise(1000)), Gate())
    assert served.dav.files == {}


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://10.0.0.1/a.mp4", "address_not_allowed"),
        ("https://cloud.example.com/out/", "invalid_path"),
        ("https://cloud.example.com/{nobody}.mp4", "invalid_path"),
    ],
)
def test_where_nobody_may_write_is_told_before_the_job_is_taken_in(url: str, code: str) -> None:
    assert [(fault.path, fault.code) for fault in DESTINATION.check(Members(url=url), AROUND)] == [("/url", code)]
