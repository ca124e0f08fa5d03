"""Places of each kind behind a net that a test spoils: a real server, and the proxies through which it is reached."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from uuid import uuid4

from encoder.destinations.protocol import Destination
from encoder.model.job import Place
from encoder.net.http import Web
from encoder.net.s3 import S3Access, Sizes
from encoder.sources.protocol import Source
from encoder.suites.cargo import noise
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
FRONT = f"127.77.{128 + (os.getpid() >> 8) % 64}.{os.getpid() % 256}"  # where the proxies stand


@dataclass(kw_only=True)
class Far:
    """A place behind a net. `data`: the file that is moved. `proxies`: those through which its bytes pass."""

    place: Place
    web: Web
    proxies: list[Proxy]
    data: bytes = DATA
    s3: S3Access = field(default_factory=S3Access)
    stands: Callable[[], bytes | None] = lambda: None
    left_over: Callable[[], list[str]] = list

    def source(self) -> Source:
        return source(self.place, self.web, self.s3)

    def destination(self) -> Destination:
        return destination(self.place, self.web, self.s3)

    def is_now(
        self,
        *,
        up: Way = CLEAN,
        down: Way = CLEAN,
        mark: bytes = b"",
        spoiled: int | None = None,
        idle_s: float = 10.0,
    ) -> None:
        """What the net does to connections that are made from now on; as `Proxy` has it."""
        self.web = replace(self.web, idle_s=idle_s)
        for proxy in self.proxies:
            proxy.up, proxy.down, proxy.mark, proxy.spoiled = up, down, mark, spoiled

    def breaks(
        self, direction: str, way: Way, *, mark: bytes, spoiled: int | None = None, idle_s: float = 10.0
    ) -> None:
        """One direction, `up` or `down`, is spoiled from `mark` on."""
        ways = {"up": CLEAN, "down": CLEAN, direction: way}
        self.is_now(up=ways["up"], down=ways["down"], mark=mark, spoiled=spoiled, idle_s=idle_s)


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


@cache
def _access(sizes: Sizes) -> S3Access:
    """Made once: what botocore knows of S3 takes it a tenth of a second to read."""
    return S3Access(sizes=sizes, pause_s=0)


@asynccontextmanager
async def s3(gateway: Gateway, *, gives: bool, sizes: Sizes | None = None, data: bytes = DATA) -> AsyncIterator[Far]:
    bucket = gateway.bucket()
    if gives:
        bucket.put("file.mp4", data)
    async with Proxy(target=(gateway.host, gateway.port), host=FRONT) as proxy:
        credentials = bucket.credentials | {"endpointUrl": f"http://{FRONT}:{proxy.port}"}
        yield Far(
            place={"kind": "s3", "bucket": bucket.name, "path": "file.mp4", "region": "us-east-1", **credentials},
            web=lab_web(),
            proxies=[proxy],
            data=data,
            s3=_access(sizes or Sizes()),
            stands=lambda: bucket.get("file.mp4"),
            left_over=lambda: [*bucket.open_uploads(), *sorted({*bucket.listed()} - {"file.mp4"})],
        )
