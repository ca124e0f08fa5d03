"""Whole packages to real servers of each kind: four files at a time, and a second attempt sends what is not there."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from encoder.suites.destination import FolderBench, used
from encoder.worker.package import Package
from encoder.worker.publish import all_stand, discard
from tests.lab.ftpd import Ftpd
from tests.lab.packages import counted, made, packaged, sending
from tests.lab.served import ServedDestination, ServedFolder
from tests.lab.sshd import Sshd


@pytest.fixture
async def package(tmp_path: Path) -> Package:
    return await packaged(tmp_path / "made")


@pytest.mark.xdist_group("ftp")
@pytest.mark.parametrize("kind", ["ftp", "ftps"])
async def test_a_package_stands_on_an_ftp_server(kind: str, package: Package, ftp_server: Ftpd) -> None:
    place = partial(ftp_server.members, kind=kind)
    served = ServedDestination(folder=ftp_server.folder, place=place, web=ftp_server.web(), name="hls 1/")
    await stands_whole(package, ServedFolder(served=served))


@pytest.mark.xdist_group("ftp")
async def test_a_package_stands_on_an_sftp_server(package: Package, sftp_servers: Sshd) -> None:
    place = partial(sftp_servers.members, password=False)
    served = ServedDestination(folder=sftp_servers.folder, place=place, web=sftp_servers.web(), name="hls 1/")
    await stands_whole(package, ServedFolder(served=served))


async def stands_whole(package: Package, bench: FolderBench, *, tells_sha256: bool = False) -> None:
    """Sent, and sent again by another attempt."""
    async with used(bench.folder()) as destination:
        await discard(package.pieces, destination, "7-0")
        await sending(package, destination).send()
        assert bench.files() == made(package)
        assert await all_stand(package.pieces, destination) is tells_sha256
    registry, tally = counted()
    async with used(bench.folder()) as destination:
        promised = frozenset(package.pieces)
        await sending(package, destination, attempt="7-2", promised=promised, tally=tally).send()
    assert bench.files() == made(package)
    assert moved(registry) == (0 if tells_sha256 else package.size_bytes)


def moved(registry: CollectorRegistry) -> float:
    return registry.get_sample_value("encoder_transfer_bytes_total", {"direction": "out", "kind": "http"}) or 0
