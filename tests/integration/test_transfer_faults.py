"""A net that cuts, resets, swallows or slows down in the middle of a transfer, to and from real servers of each kind.

The next try has every byte; what was half-written never has the final name, and nothing of it stays.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import uuid4

import pytest

from encoder import errors
from encoder.destinations import http as http_destination
from encoder.destinations.protocol import Destination
from encoder.model.job import Place
from encoder.net import ftp as ftp_client
from encoder.net import s3_download, s3_upload, s3_wire
from encoder.net.http import Web
from encoder.sources.protocol import Source
from encoder.suites.cargo import noise, parcel, read
from encoder.suites.destination import publish
from tests.lab import ftpd, sshd
from tests.lab.dns import FakeDns
from tests.lab.faults import CLEAN, Proxy, Way
from tests.lab.ftpd import Ftpd
from tests.lab.origin import Served
from tests.lab.put import Shelf
from tests.lab.rgw import Gateway
from tests.lab.served import destination, source
from tests.lab.sshd import Sshd
from tests.lab.wire import Server, lab_web

DATA = noise(1_000_000)
MIDDLE = 300_000
IDLE_S = 0.5
FRONT = f"127.77.{128 + (os.getpid() >> 8) % 64}.{os.getpid() % 256}"  # where the proxies stand

BREAKS = {
    "cut": Way(cut_after=MIDDLE),
    "reset": Way(reset_after=MIDDLE),
    "black hole": Way(hole_after=MIDDLE),
}
SLOW = Way(bytes_a_second=3_000_000)


@dataclass(kw_only=True)
class Far:
    """A place behind a net. `proxies`: those through which the bytes of a file pass."""

    place: Place
    web: Web
    proxies: list[Proxy]
    stands: Callable[[], bytes | None] = lambda: None
    left_over: Callable[[], list[str]] = list

    def source(self) -> Source:
        return source(self.place, self.web)

    def destination(self) -> Destination:
        return destination(self.place, self.web)

    def is_now(self, *, up: Way = CLEAN, down: Way = CLEAN, idle_s: float = 10.0) -> None:
        self.web = replace(self.web, idle_s=idle_s)
        for proxy in self.proxies:
            proxy.up, proxy.down = up, down


@asynccontextmanager
async def http(*, gives: bool) -> AsyncIterator[Far]:
    async with Server() as origin, Shelf() as shelf, Proxy(target=("", 0), host=FRONT) as proxy:
        origin.scripts["/in.mov"] = Served(data=DATA)
        proxy.target = (origin.host, origin.port) if gives else (shelf.host, shelf.port)
        name = "/in.mov" if gives else "/out.mp4"
        place: Place = {"kind": "http", "url": f"http://{FRONT}:{proxy.port}{name}"}
        yield Far(
            place=place,
            web=lab_web(),
            proxies=[proxy],
            stands=lambda: shelf.objects.get("/out.mp4"),
            left_over=lambda: sorted(shelf.objects.keys() - {"/out.mp4"}),
        )


@dataclass(frozen=True)
class _Folder:
    """A new folder of a server."""

    path: Path

    def stands(self) -> bytes | None:
        file = self.path / "file.mp4"
        return file.read_bytes() if file.exists() else None

    def left_over(self) -> list[str]:
        return [path.name for path in self.path.iterdir() if path.name != "file.mp4"]


def _new(folder: Path, *, gives: bool) -> _Folder:
    made = _Folder(folder / uuid4().hex)
    made.path.mkdir()
    if gives:
        (made.path / "file.mp4").write_bytes(DATA)
    return made


@asynccontextmanager
async def ftp(server: Ftpd, kind: str, *, gives: bool) -> AsyncIterator[Far]:
    """The control connection is spared. Data goes where it goes: to the same ports, of the proxy's address."""
    folder = _new(server.folder, gives=gives)
    async with AsyncExitStack() as running:
        control, *data = [
            await running.enter_async_context(Proxy(target=(server.host, port), host=FRONT, port=port))
            for port in (server.explicit if kind == "ftps" else server.plain, *server.data_ports)
        ]
        place = server.members(f"{folder.path.name}/file.mp4", kind=kind) | {"port": control.port}
        web = replace(server.web(), lookup=FakeDns(script={ftpd.NAME: [[FRONT]]}))
        yield Far(place=place, web=web, proxies=data, stands=folder.stands, left_over=folder.left_over)


@asynccontextmanager
async def sftp(servers: Sshd, *, gives: bool) -> AsyncIterator[Far]:
    folder = _new(servers.folder, gives=gives)
    async with Proxy(target=(sshd.HOST, servers.openssh), host=FRONT) as proxy:
        place = servers.members(f"{folder.path.name}/file.mp4") | {"port": proxy.port}
        web = lab_web(lookup=FakeDns(script={sshd.NAME: [[FRONT]]}))
        yield Far(place=place, web=web, proxies=[proxy], stands=folder.stands, left_over=folder.left_over)


@asynccontextmanager
async def s3(gateway: Gateway, *, gives: bool) -> AsyncIterator[Far]:
    bucket = gateway.bucket()
    if gives:
        bucket.put("file.mp4", DATA)
    async with Proxy(target=(gateway.host, gateway.port), host=FRONT) as proxy:
        credentials = bucket.credentials | {"endpointUrl": f"http://{FRONT}:{proxy.port}"}
        yield Far(
            place={"kind": "s3", "bucket": bucket.name, "path": "file.mp4", "region": "us-east-1", **credentials},
            web=lab_web(),
            proxies=[proxy],
            stands=lambda: bucket.get("file.mp4"),
            left_over=lambda: [*bucket.open_uploads(), *sorted({*bucket.listed()} - {"file.mp4"})],
        )


def behind_a_net(request: pytest.FixtureRequest, kind: str, *, gives: bool) -> AbstractAsyncContextManager[Far]:
    if kind == "http":
        return http(gives=gives)
    if kind == "sftp":
        return sftp(request.getfixturevalue("sftp_servers"), gives=gives)
    if kind == "s3":
        return s3(request.getfixturevalue("s3_server"), gives=gives)
    return ftp(request.getfixturevalue("ftp_server"), kind, gives=gives)


KINDS = [
    "http",
    *(pytest.param(kind, marks=pytest.mark.xdist_group("ftp")) for kind in ("ftp", "ftps", "sftp")),
    pytest.param("s3", marks=pytest.mark.xdist_group("s3")),
]


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who has taken a whole file may think about it for five minutes, and S3 is asked five times: not here."""
    for module in (http_destination, ftp_client, s3_wire):
        monkeypatch.setattr(module, "ANSWER_S", 1.0)
    for module in (s3_upload, s3_download):
        monkeypatch.setattr(module, "TRIES", 1)


@pytest.fixture(params=KINDS)
async def giver(request: pytest.FixtureRequest) -> AsyncIterator[Far]:
    async with behind_a_net(request, request.param, gives=True) as far:
        yield far


@pytest.fixture(params=KINDS)
async def taker(request: pytest.FixtureRequest) -> AsyncIterator[Far]:
    async with behind_a_net(request, request.param, gives=False) as far:
        yield far


async def as_far_as_it_goes(asked: Source) -> tuple[bytes, str | None, errors.Transient]:
    """What a source gave before it broke, its version, and how it broke."""
    have, validator = bytearray(), None
    try:
        async with asked.open() as incoming:
            validator = incoming.validator
            async for chunk in incoming.chunks:
                have.extend(chunk)
    except errors.Transient as broken:
        return bytes(have), validator, broken
    raise AssertionError("the fault did not show")


@pytest.mark.parametrize("fault", BREAKS)
async def test_a_source_that_breaks_off_goes_on_at_the_next_try(giver: Far, fault: str) -> None:
    """J3, J5"""
    giver.is_now(down=BREAKS[fault], idle_s=IDLE_S)
    have, validator, broken = await as_far_as_it_goes(giver.source())
    assert broken.code in {"source_unavailable", "timeout"}
    assert DATA.startswith(have)
    giver.is_now()
    incoming, rest = await read(giver.source(), offset=len(have), validator=validator)
    assert have[: incoming.offset] + rest == DATA
    assert incoming.offset == len(have)


async def test_a_source_behind_a_slow_net_is_none(giver: Far) -> None:
    giver.is_now(down=SLOW)
    _, data = await read(giver.source())
    assert data == DATA


@pytest.mark.parametrize("fault", BREAKS)
async def test_a_destination_that_breaks_off_has_the_file_at_the_next_try(
    taker: Far, fault: str, tmp_path: Path
) -> None:
    """J7, J11, J14"""
    taker.is_now(up=BREAKS[fault], idle_s=IDLE_S)
    made = parcel(tmp_path, DATA)
    with pytest.raises(errors.Transient) as raised:
        await publish(taker.destination(), made)
    assert raised.value.code in {"destination_unavailable", "integrity_error", "timeout"}
    assert (taker.stands(), taker.left_over()) == (None, [])
    taker.is_now()
    await publish(taker.destination(), made)
    assert (taker.stands(), taker.left_over()) == (DATA, [])


async def test_a_destination_behind_a_slow_net_has_the_file(taker: Far, tmp_path: Path) -> None:
    taker.is_now(up=SLOW)
    await publish(taker.destination(), parcel(tmp_path, DATA))
    assert (taker.stands(), taker.left_over()) == (DATA, [])
