from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from encoder.destinations.protocol import Destination
from encoder.destinations.registry import Destinations
from encoder.files.roots import Roots
from encoder.model.job import Place
from encoder.plugins import Surroundings
from encoder.signer import Signer
from encoder.storage.folder import FolderStorage
from encoder.suites.destination import DestinationBench, DestinationSuite, FolderBench, FolderSuite
from tests.lab.put import Shelf
from tests.lab.wire import lab_web

KEY = "jobs/0191b2c4/0.mp4"
FOLDER_KEY = "jobs/0191b2c4/0/"


def no_storage(_key: str) -> Destination:
    raise AssertionError("the place is given")


class _Http:
    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    def destination(self) -> Destination:
        url = self._shelf.url("/out/720p.mp4?sig=SENTINEL")
        place: Place = {"kind": "http", "url": url, "headers": {"X-Key": "SENTINEL"}}
        return Destinations(Surroundings(web=lab_web()), stored=no_storage).make(place, KEY)

    def stands(self) -> bytes | None:
        return self._shelf.objects.get("/out/720p.mp4")

    def left_over(self) -> list[str]:
        return sorted(self._shelf.objects.keys() - {"/out/720p.mp4"})


class TestHttp(DestinationSuite):
    @pytest.fixture
    async def bench(self) -> AsyncIterator[DestinationBench]:
        async with Shelf() as shelf:
            yield _Http(shelf)


class _HttpFolder:
    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    def folder(self) -> Destination:
        place: Place = {"kind": "http", "url": self._shelf.url("/out/hls/?sig=SENTINEL"), "headers": {"X": "SENTINEL"}}
        return Destinations(Surroundings(web=lab_web()), stored=no_storage).make(place, FOLDER_KEY)

    def files(self) -> dict[str, bytes]:
        return {path.removeprefix("/out/hls/"): data for path, data in self._shelf.objects.items()}


class TestHttpFolder(FolderSuite):
    @pytest.fixture
    async def bench(self) -> AsyncIterator[FolderBench]:
        async with Shelf() as shelf:
            yield _HttpFolder(shelf)


class _File:
    def __init__(self, final: Path, destination: Destination) -> None:
        self._final = final
        self._destination = destination

    def destination(self) -> Destination:
        return self._destination

    def stands(self) -> bytes | None:
        return self._final.read_bytes() if self._final.exists() else None

    def left_over(self) -> list[str]:
        folder = self._final.parent
        return [path.name for path in folder.iterdir() if path != self._final] if folder.exists() else []


class TestFile(DestinationSuite):
    @pytest.fixture
    def bench(self, tmp_path: Path) -> DestinationBench:
        root = tmp_path / "root"
        root.mkdir()
        final = root / "a" / "b" / f"{'n' * 200}.mp4"
        destinations = Destinations(Surroundings(roots=Roots(paths=[root])), stored=no_storage)
        return _File(final, destinations.make({"kind": "file", "path": str(final)}, KEY))


class TestStorage(DestinationSuite):
    @pytest.fixture
    def bench(self, tmp_path: Path) -> DestinationBench:
        root = tmp_path / "root"
        root.mkdir()
        storage = FolderStorage(root, public_url="http://127.0.0.1:8080", signer=Signer(b"lab"))
        destinations = Destinations(Surroundings(), stored=storage.destination)
        return _File(root / KEY, destinations.make(None, KEY))


class _Folder:
    def __init__(self, path: Path, destination: Destination) -> None:
        self._path = path
        self._destination = destination

    def folder(self) -> Destination:
        return self._destination

    def files(self) -> dict[str, bytes]:
        found = (path for path in self._path.rglob("*") if path.is_file())
        return {str(path.relative_to(self._path)): path.read_bytes() for path in found}


class TestFileFolder(FolderSuite):
    @pytest.fixture
    def bench(self, tmp_path: Path) -> FolderBench:
        root = tmp_path / "root"
        root.mkdir()
        destinations = Destinations(Surroundings(roots=Roots(paths=[root])), stored=no_storage)
        return _Folder(root / "a" / "hls", destinations.make({"kind": "file", "path": f"{root}/a/hls/"}, FOLDER_KEY))


class TestStorageFolder(FolderSuite):
    @pytest.fixture
    def bench(self, tmp_path: Path) -> FolderBench:
        root = tmp_path / "root"
        root.mkdir()
        storage = FolderStorage(root, public_url="http://127.0.0.1:8080", signer=Signer(b"lab"))
        return _Folder(
            root / FOLDER_KEY, Destinations(Surroundings(), stored=storage.destination).make(None, FOLDER_KEY)
        )
