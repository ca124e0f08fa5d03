"""What keeps a storage clean, whichever it is: a folder, or a bucket of a real S3 server."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol
from uuid import uuid4

import pytest

from encoder import errors
from encoder.net.s3 import S3Access
from encoder.storage.folder_upkeep import FolderUpkeep
from encoder.storage.s3 import Room
from encoder.storage.s3_upkeep import S3Upkeep
from encoder.storage.upkeep import PAGE, Heap, Upkeep
from tests.lab.rgw import Bucket, Gateway
from tests.lab.wire import lab_web

HOUR = timedelta(hours=1)


class Bench(Protocol):
    """A storage, and eyes and hands of its own on it."""

    @property
    def upkeep(self) -> Upkeep: ...
    def put(self, *keys: str) -> None: ...
    def begin(self, key: str) -> None: ...
    def stands(self) -> list[str]: ...
    def begun(self) -> int: ...
    def lock(self, prefix: str) -> None: ...


async def all_of(pages: AsyncIterator[Sequence[object]]) -> list[object]:
    return [each async for page in pages for each in page]


class UpkeepSuite:
    async def test_heaps_go_whole_and_nothing_beside_them(self, bench: Bench) -> None:
        bench.put("jobs/a/0.mp4", "jobs/a/evidence/0/stills", "jobs/b/0/x.m3u8", "jobs/ab/0.mp4", "uploads/a/source")
        known = frozenset({"jobs/a/0.mp4", "jobs/a/evidence/0/stills"})
        heaps = [Heap(prefix="jobs/a", known=known), Heap(prefix="jobs/b"), Heap(prefix="jobs/none", known=frozenset())]
        cleared = await bench.upkeep.clear(heaps)
        assert bench.stands() == ["jobs/ab/0.mp4", "uploads/a/source"]
        assert (cleared.objects["jobs/a"], cleared.objects["jobs/b"], cleared.refused) == (2, 1, {})
        again = await bench.upkeep.clear(heaps)
        assert not again.refused

    async def test_what_is_not_let_go_is_told_and_keeps_no_other(self, bench: Bench) -> None:
        bench.put("jobs/a/0.mp4", "jobs/b/0.mp4", "jobs/c/0.mp4")
        bench.lock("jobs/b")
        heaps = [Heap(prefix=f"jobs/{name}", known=frozenset({f"jobs/{name}/0.mp4"})) for name in "abc"]
        cleared = await bench.upkeep.clear(heaps)
        assert set(cleared.refused) == {"jobs/b"}
        assert cleared.refused["jobs/b"]
        assert bench.stands() == ["jobs/b/0.mp4"]

    async def test_those_who_clear_the_same_at_once_leave_nothing_and_are_refused_nothing(self, bench: Bench) -> None:
        bench.put(*(f"jobs/{heap}/{folder}/{file}" for heap in "abc" for folder in range(2) for file in range(3)))
        heaps = [Heap(prefix=f"jobs/{name}") for name in "abc"]
        told = await asyncio.gather(*(bench.upkeep.clear(heaps) for _ in range(3)))
        assert [each.refused for each in told] == [{}] * 3
        assert bench.stands() == []

    async def test_folders_are_listed_in_order_behind_a_name(self, bench: Bench) -> None:
        names = sorted(str(uuid4()) for _ in range(5))
        bench.put(*(f"jobs/{name}/{number}/x" for name in names for number in range(2)), "uploads/z/source")
        assert await all_of(bench.upkeep.folders("jobs")) == names
        assert await all_of(bench.upkeep.folders("jobs", after=names[2])) == names[3:]
        assert await all_of(bench.upkeep.folders("jobs", after=names[-1])) == []
        assert await all_of(bench.upkeep.folders("other")) == []

    async def test_only_what_is_old_is_weeded(self, bench: Bench) -> None:
        bench.put("jobs/a/0.mp4", "jobs/a/v/1.m4s", "jobs/ab/0.mp4")
        now = datetime.now(UTC)
        assert await bench.upkeep.weed("jobs/a", before=now - HOUR) == 0
        assert len(bench.stands()) == 3
        assert await bench.upkeep.weed("jobs/a", before=now + HOUR) == 2
        assert bench.stands() == ["jobs/ab/0.mp4"]
        assert await bench.upkeep.weed("jobs/a", before=now + HOUR) == 0

    async def test_what_was_begun_and_never_ended_is_found_and_dropped(self, bench: Bench) -> None:
        bench.put("jobs/a/0.mp4")
        for key in ("jobs/a/1.mp4", "jobs/b/v/0.m4s", "uploads/a/source"):
            bench.begin(key)
        now = datetime.now(UTC)
        assert await all_of(bench.upkeep.unfinished("jobs", before=now - HOUR)) == []
        found = [each async for page in bench.upkeep.unfinished("jobs", before=now + HOUR) for each in page]
        assert sorted(each.key.split("/")[1] for each in found) == ["a", "b"]
        assert [await bench.upkeep.drop(each) for each in found] == [True, True]
        assert [await bench.upkeep.drop(each) for each in found] == [True, True]
        assert bench.begun() == 1
        assert "jobs/a/0.mp4" in bench.stands()

    async def test_a_storage_bears_the_first_name_that_it_is_given(self, bench: Bench) -> None:
        assert await bench.upkeep.named("one") == "one"
        assert await bench.upkeep.named("two") == "one"
        assert bench.stands() == ["database"]


class _Folder:
    def __init__(self, root: Path) -> None:
        self.root = root
        self.upkeep = FolderUpkeep(root)

    def put(self, *keys: str) -> None:
        for key in keys:
            (self.root / key).parent.mkdir(parents=True, exist_ok=True)
            (self.root / key).write_bytes(b"x")

    def begin(self, key: str) -> None:
        folder, _, name = key.rpartition("/")
        self.put(f"{folder}/.{name}.7-1.part")

    def stands(self) -> list[str]:
        return sorted(str(path.relative_to(self.root)) for path in self.root.rglob("*") if path.is_file())

    def begun(self) -> int:
        return len(list(self.root.rglob("*.part")))

    def lock(self, prefix: str) -> None:
        """As a mount, or a flag of the file system, would: it is no folder that can be removed."""
        (self.root / prefix).rename(self.root / "aside")
        (self.root / prefix).symlink_to(self.root / "aside")

    def age(self, key: str, *, hours: float) -> None:
        at = time.time() - hours * 3600
        os.utime(self.root / key, (at, at))


@pytest.fixture
def folder(tmp_path: Path) -> _Folder:
    (tmp_path / "root").mkdir()
    return _Folder(tmp_path / "root")


class TestFolder(UpkeepSuite):
    @pytest.fixture
    def bench(self, folder: _Folder) -> Bench:
        return folder

    async def test_what_is_not_let_go_is_told_and_keeps_no_other(self, folder: _Folder) -> None:  # type: ignore[override]
        folder.put("jobs/a/0.mp4", "jobs/b/0.mp4", "jobs/c/0.mp4")
        folder.lock("jobs/b")
        cleared = await folder.upkeep.clear([Heap(prefix=f"jobs/{name}") for name in "abc"])
        assert set(cleared.refused) == {"jobs/b"}
        assert folder.stands() == ["aside/0.mp4"]


async def test_a_folder_that_is_not_there_is_away_and_not_empty(folder: _Folder) -> None:
    """A disk that is not mounted holds what it holds."""
    folder.root.rmdir()
    with pytest.raises(errors.Transient, match="storage_unavailable"):
        await folder.upkeep.clear([Heap(prefix="jobs/a", known=frozenset({"jobs/a/0.mp4"}))])


async def test_each_file_has_an_age_of_its_own(folder: _Folder) -> None:
    folder.put("jobs/a/old", "jobs/a/new")
    folder.age("jobs/a/old", hours=25)
    assert await folder.upkeep.weed("jobs/a", before=datetime.now(UTC) - 24 * HOUR) == 1
    assert folder.stands() == ["jobs/a/new"]


class _Bucket:
    def __init__(self, bucket: Bucket) -> None:
        self.bucket = bucket
        self.upkeep = S3Upkeep(S3Access(pause_s=0), lab_web(), Room(bucket=bucket.name, prefix="enc"))

    def put(self, *keys: str) -> None:
        for key in keys:
            self.bucket.put(f"enc/{key}", b"x")

    def begin(self, key: str) -> None:
        self.bucket.client.create_multipart_upload(Bucket=self.bucket.name, Key=f"enc/{key}")

    def stands(self) -> list[str]:
        return [key.removeprefix("enc/") for key in self.bucket.listed()]

    def begun(self) -> int:
        return len(self.bucket.open_uploads())

    def lock(self, prefix: str) -> None:
        statement = {
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:DeleteObject",
            "Resource": f"arn:aws:s3:::{self.bucket.name}/enc/{prefix}/*",
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        self.bucket.client.put_bucket_policy(Bucket=self.bucket.name, Policy=policy)


@pytest.fixture
def bucket(s3_server: Gateway, monkeypatch: pytest.MonkeyPatch) -> _Bucket:
    made = s3_server.bucket()
    for name, value in made.environment.items():
        monkeypatch.setenv(name, value)
    return _Bucket(made)


@pytest.mark.xdist_group("s3")
class TestBucket(UpkeepSuite):
    @pytest.fixture
    def bench(self, bucket: _Bucket) -> Bench:
        return bucket


@pytest.mark.xdist_group("s3")
async def test_more_keys_than_one_call_takes_go(bucket: _Bucket) -> None:
    keys = frozenset(f"jobs/a/{number}" for number in range(PAGE + 1))
    bucket.put("jobs/a/0", f"jobs/a/{PAGE}", "jobs/b/0")
    assert not (await bucket.upkeep.clear([Heap(prefix="jobs/a", known=keys)])).refused
    assert bucket.stands() == ["jobs/b/0"]
