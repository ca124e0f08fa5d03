"""FTP, FTPS asked for and FTPS from the first byte on, against proftpd."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import pytest

from encoder.destinations.protocol import Destination
from encoder.destinations.registry import Destinations
from encoder.plugins import Surroundings
from encoder.sources.protocol import Source
from encoder.sources.registry import Sources
from encoder.suites.destination import DestinationBench, DestinationSuite, FolderBench, FolderSuite
from encoder.suites.source import SourceBench, SourceSuite
from tests.lab.ftpd import Ftpd, may_listen_on_990

pytestmark = pytest.mark.xdist_group("ftp")

PLAIN, EXPLICIT, IMPLICIT = ("ftp", False), ("ftps", False), ("ftps", True)
KINDS = [
    pytest.param(PLAIN, id="ftp"),
    pytest.param(EXPLICIT, id="ftps"),
    pytest.param(
        IMPLICIT,
        id="ftps-990",
        marks=pytest.mark.skipif(not may_listen_on_990(), reason="port 990 is closed to who is not root"),
    ),
]


def no_storage(_key: str) -> Destination:
    raise AssertionError("the place is given")


class _Source:
    name = "in file ü.mov"

    def __init__(self, server: Ftpd, kind: tuple[str, bool]) -> None:
        self._server = server
        self._kind, self._implicit = kind
        self._folder = server.folder / uuid4().hex
        self._folder.mkdir()
        self._file = self._folder / self.name

    async def source(self, data: bytes) -> Source:
        self._file.write_bytes(data)
        path = str(self._file.relative_to(self._server.folder))
        members = self._server.members(path, kind=self._kind, implicit=self._implicit)
        return Sources(Surroundings(web=self._server.web())).make(members)

    async def change(self, data: bytes) -> None:
        self._file.write_bytes(data)

    async def remove(self) -> None:
        self._file.unlink()


class TestFtpSource(SourceSuite):
    @pytest.fixture(params=KINDS)
    def bench(self, request: pytest.FixtureRequest, ftp_server: Ftpd) -> SourceBench:
        return _Source(ftp_server, request.param)


class _Destination:
    tells_sha256 = False

    def __init__(self, server: Ftpd, kind: tuple[str, bool], path: str) -> None:
        self._server = server
        self._kind, self._implicit = kind
        self._path = path
        self._root = server.folder / path.partition("/")[0]

    def destination(self) -> Destination:
        members = self._server.members(self._path, kind=self._kind, implicit=self._implicit)
        key = "jobs/0191b2c4/0/" if self._path.endswith("/") else "jobs/0191b2c4/0.mp4"
        return Destinations(Surroundings(web=self._server.web()), stored=no_storage).make(members, key)

    def stands(self) -> bytes | None:
        file = self._server.folder / self._path
        return file.read_bytes() if file.exists() else None

    def left_over(self) -> list[str]:
        return sorted(self.files().keys() - {str(Path(self._path).relative_to(self._root.name))})

    def folder(self) -> Destination:
        return self.destination()

    def files(self) -> dict[str, bytes]:
        base = self._server.folder / self._path if self._path.endswith("/") else self._root
        found = (path for path in base.rglob("*") if path.is_file())
        return {str(path.relative_to(base)): path.read_bytes() for path in found}


class TestFtpDestination(DestinationSuite):
    @pytest.fixture(params=KINDS)
    def bench(self, request: pytest.FixtureRequest, ftp_server: Ftpd) -> DestinationBench:
        return _Destination(ftp_server, request.param, f"{uuid4().hex}/deep down/ü {'n' * 190}.mp4")


class TestFtpFolder(FolderSuite):
    @pytest.fixture(params=KINDS)
    def bench(self, request: pytest.FixtureRequest, ftp_server: Ftpd) -> FolderBench:
        return _Destination(ftp_server, request.param, f"{uuid4().hex}/hls 1/")
