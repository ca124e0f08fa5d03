"""Benches of the contract suites over a folder that a server of the lab serves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

from encoder.destinations.protocol import Destination
from encoder.destinations.registry import Destinations
from encoder.model.job import Place
from encoder.net.http import Web
from encoder.net.s3 import S3Access
from encoder.plugins import Surroundings
from encoder.sources.protocol import Source
from encoder.sources.registry import Sources


def source(place: Place, web: Web, s3: S3Access | None = None) -> Source:
    return Sources(Surroundings(web=web, s3=s3 or S3Access())).make(place)


def destination(place: Place, web: Web, s3: S3Access | None = None) -> Destination:
    path = str(place.get("path", place.get("url")))
    key = "jobs/0191b2c4/0/" if path.endswith("/") else "jobs/0191b2c4/0.mp4"
    return Destinations(Surroundings(web=web, s3=s3 or S3Access()), stored=_no_storage).make(place, key)


@dataclass(kw_only=True)
class ServedSource:
    """A file in `folder`. `place`: how a caller names what stands at a path of it."""

    folder: Path
    place: Callable[[str], Place]
    web: Web
    name: str = "in file ü.mov"
    inside: str = field(default_factory=lambda: uuid4().hex)

    async def source(self, data: bytes) -> Source:
        self._file.parent.mkdir(exist_ok=True)
        self._file.write_bytes(data)
        return source(self.place(f"{self.inside}/{self.name}"), self.web)

    async def change(self, data: bytes) -> None:
        self._file.write_bytes(data)

    async def remove(self) -> None:
        self._file.unlink()

    @property
    def _file(self) -> Path:
        return self.folder / self.inside / self.name


@dataclass(kw_only=True)
class ServedDestination:
    """A file in `folder`, or a folder in it where `name` ends in a slash."""

    folder: Path
    place: Callable[[str], Place]
    web: Web
    name: str
    inside: str = field(default_factory=lambda: uuid4().hex)

    def destination(self) -> Destination:
        return destination(self.place(f"{self.inside}/{self.name}"), self.web)

    def stands(self) -> bytes | None:
        file = self.folder / self.inside / self.name
        return file.read_bytes() if file.exists() else None

    def left_over(self) -> list[str]:
        return sorted(_files(self.folder / self.inside).keys() - {self.name})


@dataclass(kw_only=True)
class ServedFolder:
    served: ServedDestination

    def folder(self) -> Destination:
        return self.served.destination()

    def files(self) -> dict[str, bytes]:
        return _files(self.served.folder / self.served.inside / self.served.name)


def _files(folder: Path) -> dict[str, bytes]:
    found = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


def _no_storage(_key: str) -> Destination:
    raise AssertionError("the place is given")
