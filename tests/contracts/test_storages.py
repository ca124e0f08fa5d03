from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest

from encoder.storage.folder import FolderStorage
from encoder.storage.protocol import Storage
from tests.contracts.storage_suite import DATA, NOW, StorageBench, StorageSuite


class _Folder:
    def __init__(self, root: Path) -> None:
        self.root = root
        self._storage = FolderStorage(
            root, public_url="http://127.0.0.1:8080/", link_secret=b"lab", clock=NOW.timestamp
        )

    def storage(self) -> Storage:
        return self._storage

    def follow(self, link: str) -> bytes | None:
        parts = urlsplit(link)
        assert link.startswith("http://127.0.0.1:8080/storage/")
        return self.resolve(unquote(parts.path.removeprefix("/storage/")), dict(parse_qsl(parts.query)))

    def resolve(self, key: str, query: dict[str, str]) -> bytes | None:
        path = self._storage.resolve(key, query)
        return None if path is None else path.read_bytes()

    def signed(self, key: str) -> dict[str, str]:
        """The query that a link to `key` would have, whatever the key is."""
        until = str(int(NOW.timestamp()) + 60)
        return {"expires": until, "name": "a", "signature": self._storage._signature(key, until, "a")}


@pytest.fixture
def folder(tmp_path: Path) -> _Folder:
    root = tmp_path / "root"
    root.mkdir()
    return _Folder(root)


class TestFolder(StorageSuite):
    @pytest.fixture
    def bench(self, folder: _Folder) -> StorageBench:
        return folder


def test_not_even_a_signed_link_leads_out_of_the_folder(folder: _Folder, tmp_path: Path) -> None:
    (tmp_path / "outside").write_bytes(DATA)
    (folder.root / "inside").write_bytes(DATA)
    (folder.root / "link").symlink_to(tmp_path / "outside")
    (folder.root / "folder").symlink_to(tmp_path)
    assert folder.resolve("inside", folder.signed("inside")) == DATA
    for key in ("../outside", "/etc/passwd", "link", "folder/outside", "", ".", "inside/"):
        assert folder.resolve(key, folder.signed(key)) is None


@pytest.mark.parametrize(
    "query", [{}, {"expires": "x"}, {"expires": "1", "name": "ä", "signature": "ключ"}, {"signature": "\ud800"}]
)
def test_a_query_of_any_kind_is_only_refused(folder: _Folder, query: dict[str, str]) -> None:
    (folder.root / "inside").write_bytes(DATA)
    assert folder.resolve("inside", query) is None
