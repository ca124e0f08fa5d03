"""FTP, FTPS asked for and FTPS from the first byte on, against proftpd."""

from __future__ import annotations

from functools import partial

import pytest

from encoder.suites.destination import DestinationBench, DestinationSuite, FolderBench, FolderSuite
from encoder.suites.source import SourceBench, SourceSuite
from tests.lab.ftpd import Ftpd, may_listen_on_990
from tests.lab.served import ServedDestination, ServedFolder, ServedSource

pytestmark = pytest.mark.xdist_group("ftp")

KINDS = [
    pytest.param({"kind": "ftp"}, id="ftp"),
    pytest.param({"kind": "ftps"}, id="ftps"),
    pytest.param(
        {"kind": "ftps", "implicit": True},
        id="ftps-990",
        marks=pytest.mark.skipif(not may_listen_on_990(), reason="port 990 is closed to who is not root"),
    ),
]


class TestFtpSource(SourceSuite):
    @pytest.fixture(params=KINDS)
    def bench(self, request: pytest.FixtureRequest, ftp_server: Ftpd) -> SourceBench:
        place = partial(ftp_server.members, **request.param)
        return ServedSource(folder=ftp_server.folder, place=place, web=ftp_server.web())


class TestFtpDestination(DestinationSuite):
    @pytest.fixture(params=KINDS)
    def bench(self, request: pytest.FixtureRequest, ftp_server: Ftpd) -> DestinationBench:
        place = partial(ftp_server.members, **request.param)
        name = f"deep down/ü {'n' * 190}.mp4"
        return ServedDestination(folder=ftp_server.folder, place=place, web=ftp_server.web(), name=name)


class TestFtpFolder(FolderSuite):
    @pytest.fixture(params=KINDS)
    def bench(self, request: pytest.FixtureRequest, ftp_server: Ftpd) -> FolderBench:
        place = partial(ftp_server.members, **request.param)
        served = ServedDestination(folder=ftp_server.folder, place=place, web=ftp_server.web(), name="hls 1/")
        return ServedFolder(served=served)
