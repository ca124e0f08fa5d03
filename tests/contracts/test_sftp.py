"""SFTP against OpenSSH, where a key lets us in, and against proftpd's mod_sftp, where a password does."""

from __future__ import annotations

from functools import partial

import pytest

from encoder.suites.destination import DestinationBench, DestinationSuite, FolderBench, FolderSuite
from encoder.suites.source import SourceBench, SourceSuite
from tests.lab.served import ServedDestination, ServedFolder, ServedSource
from tests.lab.sshd import Sshd

pytestmark = pytest.mark.xdist_group("ftp")

WAYS = [pytest.param(False, id="openssh-key"), pytest.param(True, id="proftpd-password")]


class TestSftpSource(SourceSuite):
    @pytest.fixture(params=WAYS)
    def bench(self, request: pytest.FixtureRequest, sftp_servers: Sshd) -> SourceBench:
        place = partial(sftp_servers.members, password=request.param)
        return ServedSource(folder=sftp_servers.folder, place=place, web=sftp_servers.web())


class TestSftpDestination(DestinationSuite):
    @pytest.fixture(params=WAYS)
    def bench(self, request: pytest.FixtureRequest, sftp_servers: Sshd) -> DestinationBench:
        place = partial(sftp_servers.members, password=request.param)
        name = f"deep down/ü {'n' * 190}.mp4"
        return ServedDestination(folder=sftp_servers.folder, place=place, web=sftp_servers.web(), name=name)


class TestSftpFolder(FolderSuite):
    @pytest.fixture(params=WAYS)
    def bench(self, request: pytest.FixtureRequest, sftp_servers: Sshd) -> FolderBench:
        place = partial(sftp_servers.members, password=request.param)
        served = ServedDestination(folder=sftp_servers.folder, place=place, web=sftp_servers.web(), name="hls 1/")
        return ServedFolder(served=served)
