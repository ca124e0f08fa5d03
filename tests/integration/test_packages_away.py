"""Whole packages to real servers of each kind: four files at a time, and a second attempt sends what is not there."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from encoder.destinations.protocol import Destination
from encoder.destinations.registry import Destinations
from encoder.model.job import Place
from encoder.plugins import Surroundings
from encoder.suites.destination import FolderBench, used
from encoder.worker.package import Package
from encoder.worker.publish import all_stand, discard
from tests.contracts.test_destinations import no_storage
from tests.lab.ftpd import Ftpd
from tests.lab.ftpx import Ftpx
from tests.lab.numbers import Growth
from tests.lab.packages import KEY, made, packaged, sending
from tests.lab.put import Shelf
from tests.lab.rgw import Bucket, Gateway
from tests.lab.served import ServedDestination, ServedFolder, destination
from tests.lab.sshd import Sshd
from tests.lab.wire import lab_web


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


class _S3Folder:
    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    def folder(self) -> Destination:
        return Destinations(Surroundings(web=lab_web()), stored=no_storage).make(self._bucket.place("hls 1/"), KEY)

    def files(self) -> dict[str, bytes]:
        return {key.removeprefix("hls 1/"): self._bucket.get(key) or b"" for key in self._bucket.listed()}


@pytest.mark.xdist_group("s3")
async def test_a_package_stands_on_an_s3_server(package: Package, s3_server: Gateway) -> None:
    bucket = s3_server.bucket()
    await stands_whole(package, _S3Folder(bucket), tells_sha256=True)
    assert bucket.open_uploads() == []
    assert bucket.about("hls 1/master.m3u8")["ContentType"] == "application/vnd.apple.mpegurl"


async def stands_whole(package: Package, bench: FolderBench, *, tells_sha256: bool = False) -> None:
    """Sent, and sent again by another attempt."""
    async with used(bench.folder()) as destination:
        await discard(package.pieces, destination, "7-0")
        await sending(package, destination).send()
        assert bench.files() == made(package)
        assert await all_stand(package.pieces, destination) is tells_sha256
    moved = Growth("encoder_transfer_bytes_total", direction="out")
    async with used(bench.folder()) as destination:
        promised = frozenset(package.pieces)
        await sending(package, destination, attempt="7-2", promised=promised).send()
    assert bench.files() == made(package)
    assert moved.now == (0 if tells_sha256 else package.size_bytes)


@pytest.mark.parametrize("kind", ["http", "ftp"])
async def test_who_never_tells_a_checksum_is_not_asked_what_stands_there(package: Package, kind: str) -> None:
    """Every try would cost a login for nothing."""
    async with Ftpx() as ftp, Shelf() as http:
        place: Place = ftp.place("hls/") if kind == "ftp" else {"kind": "http", "url": http.url("/hls/")}
        async with used(destination(place, lab_web())) as folder:
            assert not await all_stand(package.pieces, folder)
        assert (ftp.said, http.seen) == ([], [])
