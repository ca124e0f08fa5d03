"""What every storage does. A module inherits `StorageSuite` and gives it a bench."""

from __future__ import annotations

from abc import abstractmethod
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

import pytest

from encoder.storage.protocol import Storage
from tests.contracts.destination_suite import nothing
from tests.lab.cargo import Gate, noise, parcel

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
DATA = noise(100_000)


class StorageBench(Protocol):
    """A storage whose clock stands at `NOW`."""

    def storage(self) -> Storage: ...

    def follow(self, link: str) -> bytes | None:
        """What somebody gets who has nothing but the link."""


async def put(bench: StorageBench, key: str, folder: Path) -> None:
    made = parcel(folder, DATA, name="stored.bin")
    await bench.storage().destination(key).publish(made, sent=nothing, fence=Gate().fence)


class StorageSuite:
    @pytest.fixture
    @abstractmethod
    def bench(self) -> StorageBench: ...

    async def test_a_link_leads_to_the_object(self, bench: StorageBench, tmp_path: Path) -> None:
        await put(bench, "jobs/a b/0.mp4", tmp_path)
        link = bench.storage().link("jobs/a b/0.mp4", expires=NOW + timedelta(hours=1), file_name='Ä "b".mp4')
        assert link.isascii()
        assert bench.follow(link) == DATA

    async def test_a_link_ends(self, bench: StorageBench, tmp_path: Path) -> None:
        await put(bench, "jobs/a/0.mp4", tmp_path)
        assert bench.follow(bench.storage().link("jobs/a/0.mp4", expires=NOW, file_name="a")) == DATA
        past = NOW - timedelta(seconds=1)
        assert bench.follow(bench.storage().link("jobs/a/0.mp4", expires=past, file_name="a")) is None

    @pytest.mark.parametrize(
        ("part", "forged"),
        [("/a/", "/b/"), ("expires=", "expires=9"), ("name=a", "name=b"), ("signature=", "signature=0")],
    )
    async def test_no_part_of_a_link_may_be_changed(
        self, bench: StorageBench, tmp_path: Path, part: str, forged: str
    ) -> None:
        for key in ("jobs/a/0.mp4", "jobs/b/0.mp4"):
            await put(bench, key, tmp_path)
        link = bench.storage().link("jobs/a/0.mp4", expires=NOW + timedelta(hours=1), file_name="a")
        assert part in link
        assert bench.follow(link.replace(part, forged)) is None

    async def test_a_link_to_nothing_leads_nowhere(self, bench: StorageBench) -> None:
        link = bench.storage().link("jobs/a/0.mp4", expires=NOW + timedelta(hours=1), file_name="a")
        assert bench.follow(link) is None

    async def test_removing_takes_what_lies_below_and_nothing_else(self, bench: StorageBench, tmp_path: Path) -> None:
        for key in ("jobs/a/0.mp4", "jobs/a/deep/1.mp4", "jobs/ab/0.mp4"):
            await put(bench, key, tmp_path)
        assert await bench.storage().remove("jobs/a") == 2
        assert await bench.storage().remove("jobs/a") == 0
        assert await bench.storage().destination("jobs/a/0.mp4").look() is None
        assert await bench.storage().destination("jobs/ab/0.mp4").look() is not None

    @pytest.mark.parametrize("key", ["", "../x", "a/../x", "/etc/passwd", "a//b", "a\\b", "a//"])
    async def test_a_key_that_is_none_of_ours_is_a_mistake_of_ours(self, bench: StorageBench, key: str) -> None:
        with pytest.raises(ValueError, match="no key of ours"):
            bench.storage().destination(key)
        with pytest.raises(ValueError, match="no key of ours"):
            await bench.storage().remove(key)
