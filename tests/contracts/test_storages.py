from __future__ import annotations

from contextlib import AbstractAsyncContextManager, suppress
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest

from encoder import errors
from encoder.signer import Signer
from encoder.storage.arrival import Arrival
from encoder.storage.folder import FolderStorage, Invited
from encoder.storage.protocol import Invitation, Storage
from encoder.suites.cargo import read
from tests.contracts.storage_suite import DATA, StorageBench, StorageSuite, size_of

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


OUTWARDS = ("../outside", "uploads/../../outside", "/etc/passwd", "", ".")


class _Folder:
    now = NOW

    def __init__(self, root: Path) -> None:
        self.root = root
        self._storage = FolderStorage(
            root, public_url="http://127.0.0.1:8080/", signer=Signer(b"lab"), clock=NOW.timestamp
        )

    def storage(self) -> Storage:
        return self._storage

    async def follow(self, link: str) -> bytes | None:
        parts = urlsplit(link)
        assert link.startswith("http://127.0.0.1:8080/storage/")
        return self.resolve(unquote(parts.path.removeprefix("/storage/")), dict(parse_qsl(parts.query)))

    async def bring(self, invitation: Invitation, data: bytes) -> bool:
        parts = urlsplit(invitation.url)
        key = unquote(parts.path.removeprefix("/storage/"))
        told = {**dict(parse_qsl(parts.query, keep_blank_values=True)), **invitation.fields}
        invited = self._storage.invited(key, told, method=invitation.method)
        content_type = {**invitation.headers, **invitation.fields}["Content-Type"]
        if invited is None or invited.expired or invited.content_type != content_type:
            return False
        if invited.size_bytes not in {None, len(data)}:
            return False
        async with self._storage.receive(key, size_bytes=len(data)) as arriving:
            await arriving.write(data)
            return await arriving.stand()

    def resolve(self, key: str, query: dict[str, str]) -> bytes | None:
        linked = self._storage.linked(key, query)
        return None if linked is None or linked.expired else linked.path.read_bytes()

    def arriving(self, *, size_bytes: int = 0) -> AbstractAsyncContextManager[Arrival]:
        return self._storage.receive("uploads/a/source", size_bytes=size_bytes)

    def invited(self, key: str, query: dict[str, str]) -> Invited | None:
        return self._storage.invited(key, query)

    def signed(self, method: str, key: str, **told: str) -> dict[str, str]:
        """The query that an address of `key` would have, whatever the key is."""
        told = {"expires": str(int(NOW.timestamp()) + 60), **told}
        return {**told, "signature": self._storage._signature(method, key, told)}


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
    assert folder.resolve("inside", folder.signed("GET", "inside", name="a")) == DATA
    for key in (*OUTWARDS, "link", "folder/outside", "inside/"):
        assert folder.resolve(key, folder.signed("GET", key, name="a")) is None


def test_not_even_a_signed_invitation_leads_out_of_the_folder(folder: _Folder) -> None:
    told = {"size": "1", "type": "video/mp4"}
    assert folder.invited("uploads/a/source", folder.signed("PUT", "uploads/a/source", **told)) is not None
    for key in OUTWARDS:
        assert folder.invited(key, folder.signed("PUT", key, **told)) is None


async def test_nothing_arrives_through_a_link(folder: _Folder, tmp_path: Path) -> None:
    (folder.root / "uploads").symlink_to(tmp_path)
    with pytest.raises(errors.Transient, match="storage_unavailable"):
        async with folder.arriving():
            raise AssertionError
    assert list(tmp_path.iterdir()) == [folder.root]


@pytest.mark.parametrize(
    "query", [{}, {"expires": "x"}, {"expires": "1", "name": "ä", "signature": "ключ"}, {"signature": "\ud800"}]
)
def test_a_query_of_any_kind_is_only_refused(folder: _Folder, query: dict[str, str]) -> None:
    (folder.root / "inside").write_bytes(DATA)
    assert folder.resolve("inside", query) is None


async def test_what_cannot_be_removed_is_told_as_the_storages_fault() -> None:
    unwritable = FolderStorage(Path("/proc/self"), public_url="http://127.0.0.1:8080", signer=Signer(b"lab"))
    with pytest.raises(errors.Transient, match="storage_unavailable"):
        await unwritable.remove("fdinfo")


async def test_what_arrives_stands_there_whole_or_not_at_all(folder: _Folder) -> None:
    """J19"""
    with suppress(ConnectionError):
        async with folder.arriving() as arriving:
            await arriving.write(DATA[:50_000])
            raise ConnectionError
    assert await size_of(folder.storage(), "uploads/a/source") is None
    async with folder.arriving() as arriving:
        await arriving.write(DATA)
        assert await size_of(folder.storage(), "uploads/a/source") is None
        assert await arriving.stand()
    assert await size_of(folder.storage(), "uploads/a/source") == len(DATA)
    assert [path.name for path in (folder.root / "uploads" / "a").iterdir()] == ["source"]


async def test_of_two_who_bring_one_name_the_first_wins(folder: _Folder) -> None:
    """J18"""
    async with folder.arriving() as first, folder.arriving() as second:
        await first.write(DATA)
        await second.write(b"other")
        assert await first.stand()
        assert not await second.stand()
    _, data = await read(folder.storage().source("uploads/a/source"))
    assert data == DATA
    assert [path.name for path in (folder.root / "uploads" / "a").iterdir()] == ["source"]


async def test_what_would_fill_the_disk_is_refused_before_a_byte_of_it_is_written(folder: _Folder) -> None:
    with pytest.raises(errors.Resource, match="disk_full"):
        async with folder.arriving(size_bytes=1 << 60):
            raise AssertionError
    assert list((folder.root / "uploads" / "a").iterdir()) == []


@pytest.mark.parametrize("query", [{}, {"signature": "ключ"}, {"expires": "x", "size": "y", "signature": "\ud800"}])
def test_an_invitation_of_any_kind_is_only_refused(folder: _Folder, query: dict[str, str]) -> None:
    for key in ("uploads/a/source", "../outside", ""):
        assert folder.invited(key, query) is None


async def test_a_link_into_a_folder_is_made_of_keys_of_ours_only(folder: _Folder) -> None:
    for prefix, name in (("", "a"), ("../x", "a"), ("jobs", "../a"), ("jobs//a", "b"), ("jobs/a/", "b")):
        with pytest.raises(ValueError, match="no key of ours"):
            await folder.storage().folder_link(prefix, name=name, expires=NOW)
