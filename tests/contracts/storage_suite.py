"""What every storage does. A module inherits `StorageSuite` and gives it a bench."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Protocol

import pytest

from encoder import errors
from encoder.storage.protocol import Grown, Invitation, Storage
from encoder.suites.cargo import noise, parcel, read
from encoder.suites.destination import look, publish

HOUR = timedelta(hours=1)
DATA = noise(100_000)
PIECE = 5 * 1024 * 1024  # the least that S3 takes as a part
LARGE = noise(2 * PIECE + 1000)


class StorageBench(Protocol):
    """`now`: what the clock of the storage says, and will still say within a second or so when the test ends."""

    now: datetime

    def storage(self) -> Storage: ...

    async def follow(self, link: str) -> bytes | None:
        """What somebody gets who has nothing but the link."""

    async def bring(self, invitation: Invitation, data: bytes) -> bool:
        """Whether somebody who has nothing but the invitation may bring these bytes; then they stand there."""


async def put(bench: StorageBench, key: str, folder: Path) -> None:
    await publish(bench.storage().destination(key), parcel(folder, DATA, name="stored.bin"))


async def invite(bench: StorageBench, *, size_bytes: int | None = len(DATA), good_for: timedelta = HOUR) -> Invitation:
    return await bench.storage().invite(
        "uploads/a b/source", expires=bench.now + good_for, size_bytes=size_bytes, content_type="video/mp4"
    )


async def invite_form(
    bench: StorageBench, *, size_bytes: int | None = len(DATA), good_for: timedelta = HOUR
) -> Invitation:
    return await bench.storage().invite_form(
        "uploads/a b/source",
        expires=bench.now + good_for,
        size_bytes=size_bytes,
        most_bytes=len(DATA),
        content_type="video/mp4",
    )


async def size_of(storage: Storage, key: str) -> int | None:
    standing = await storage.look(key)
    return None if standing is None else standing.size_bytes


class StorageSuite:
    @pytest.fixture
    @abstractmethod
    def bench(self) -> StorageBench: ...

    async def test_a_link_leads_to_the_object(self, bench: StorageBench, tmp_path: Path) -> None:
        await put(bench, "jobs/a b/0.mp4", tmp_path)
        link = await bench.storage().link("jobs/a b/0.mp4", expires=bench.now + HOUR, file_name='Ä "b".mp4')
        assert link.isascii()
        assert await bench.follow(link) == DATA

    async def test_a_link_ends(self, bench: StorageBench, tmp_path: Path) -> None:
        await put(bench, "jobs/a/0.mp4", tmp_path)
        good = bench.now + timedelta(minutes=1)
        assert await bench.follow(await bench.storage().link("jobs/a/0.mp4", expires=good, file_name="a")) == DATA
        past = bench.now - timedelta(minutes=1)
        assert await bench.follow(await bench.storage().link("jobs/a/0.mp4", expires=past, file_name="a")) is None

    @pytest.mark.parametrize(
        ("part", "forged"),
        [("/a/", "/b/"), ("expires=", "expires=9"), ("name=a", "name=b"), ("signature=", "signature=0")],
    )
    async def test_no_part_of_a_link_may_be_changed(
        self, bench: StorageBench, tmp_path: Path, part: str, forged: str
    ) -> None:
        for key in ("jobs/a/0.mp4", "jobs/b/0.mp4"):
            await put(bench, key, tmp_path)
        link = await bench.storage().link("jobs/a/0.mp4", expires=bench.now + HOUR, file_name="a")
        assert part in link
        assert await bench.follow(link.replace(part, forged)) is None

    async def test_a_link_to_nothing_leads_nowhere(self, bench: StorageBench) -> None:
        link = await bench.storage().link("jobs/a/0.mp4", expires=bench.now + HOUR, file_name="a")
        assert await bench.follow(link) is None

    async def test_what_stands_there_can_be_read_as_a_source(self, bench: StorageBench, tmp_path: Path) -> None:
        await put(bench, "uploads/a/source", tmp_path)
        incoming, data = await read(bench.storage().source("uploads/a/source"))
        assert (data, incoming.offset, incoming.size_bytes) == (DATA, 0, len(DATA))
        _, rest = await read(bench.storage().source("uploads/a/source"), offset=1000, validator=incoming.validator)
        assert rest == DATA[1000:]

    async def test_the_size_of_what_stands_there_is_told(self, bench: StorageBench, tmp_path: Path) -> None:
        await put(bench, "uploads/a/source", tmp_path)
        assert await size_of(bench.storage(), "uploads/a/source") == len(DATA)
        assert await size_of(bench.storage(), "uploads/a") is None
        assert await size_of(bench.storage(), "uploads/b/source") is None
        with pytest.raises(errors.Permanent, match="source_not_found"):
            await read(bench.storage().source("uploads/b/source"))

    @pytest.mark.parametrize("size_bytes", [len(DATA), None])
    async def test_who_is_invited_may_bring_an_object(self, bench: StorageBench, size_bytes: int | None) -> None:
        invitation = await invite(bench, size_bytes=size_bytes)
        assert invitation.url.isascii()
        assert await bench.bring(invitation, DATA)
        assert await size_of(bench.storage(), "uploads/a b/source") == len(DATA)
        _, data = await read(bench.storage().source("uploads/a b/source"))
        assert data == DATA

    @pytest.mark.parametrize("size_bytes", [len(DATA), None])
    async def test_who_is_invited_may_bring_an_object_by_a_form(
        self, bench: StorageBench, size_bytes: int | None
    ) -> None:
        invitation = await invite_form(bench, size_bytes=size_bytes)
        assert await bench.bring(invitation, DATA)
        standing = await bench.storage().look("uploads/a b/source")
        assert standing is not None
        assert (standing.size_bytes, standing.content_type) in {(len(DATA), "video/mp4"), (len(DATA), None)}

    async def test_a_form_holds_for_its_time_its_size_its_type_and_its_key(self, bench: StorageBench) -> None:
        """J18"""
        invitation = await invite_form(bench)
        assert not await bench.bring(await invite_form(bench, good_for=-HOUR), DATA)
        for changed in ({"Content-Type": "text/html"}, {"key": "enc/uploads/b b/source"}, {"size": "any"}):
            forged = replace(invitation, fields={**invitation.fields, **changed})
            if changed.keys() <= invitation.fields.keys():
                assert not await bench.bring(forged, DATA)
        assert not await bench.bring(invitation, DATA + b"x")
        assert not await bench.bring(invitation, DATA[:-1])
        for key in ("uploads/a b/source", "uploads/b b/source"):
            assert await size_of(bench.storage(), key) is None

    @pytest.mark.parametrize("breaks", [(), (1, PIECE), (PIECE - 1, PIECE + 1, 2 * PIECE)])
    async def test_an_object_grows_piece_by_piece_whoever_writes_it(
        self, bench: StorageBench, breaks: tuple[int, ...]
    ) -> None:
        """U3: each piece is another process's, which knows no more than what was noted."""
        grown = Grown(offset_bytes=0, size_bytes=len(LARGE), content_type="video/mp4", multipart=None)
        for begin, end in pairwise((0, *breaks, len(LARGE))):
            async with bench.storage().grow("uploads/g/source", grown) as growing:
                for at in range(begin, end, 1 << 20):
                    await growing.write(LARGE[at : min(at + (1 << 20), end)])
                assert await bench.storage().look("uploads/g/source") is None
                if end == len(LARGE):
                    await growing.stand()
                    break
                await growing.settle()
                assert growing.settled_bytes == end
                grown = replace(grown, offset_bytes=end, multipart=growing.multipart)
                await growing.write(b"lost")  # its writer dies before that is noted
                await growing.settle()
        standing = await bench.storage().look("uploads/g/source")
        assert standing is not None
        assert (standing.size_bytes, standing.content_type) in {(len(LARGE), "video/mp4"), (len(LARGE), None)}
        _, data = await read(bench.storage().source("uploads/g/source"))
        assert data == LARGE
        assert await bench.storage().remove("uploads/g") == 1  # no tail, no part is left

    async def test_what_grows_and_is_given_up_leaves_nothing(self, bench: StorageBench) -> None:
        grown = Grown(offset_bytes=0, size_bytes=len(LARGE), content_type="video/mp4", multipart=None)
        async with bench.storage().grow("uploads/g/source", grown) as growing:
            await growing.write(LARGE[: PIECE + 5])
            await growing.settle()
            assert growing.settled_bytes == PIECE + 5
        assert await bench.storage().remove("uploads/g") == 1
        assert await bench.storage().remove("uploads/g") == 0
        with pytest.raises(errors.Failure):
            async with bench.storage().grow("uploads/g/source", replace(grown, offset_bytes=PIECE + 5)):
                raise AssertionError  # what came before is not there

    async def test_an_invitation_is_good_once(self, bench: StorageBench) -> None:
        """J18: a job may have been made of the file."""
        invitation = await invite(bench)
        assert await bench.bring(invitation, DATA)
        assert not await bench.bring(invitation, bytes(len(DATA)))
        _, data = await read(bench.storage().source("uploads/a b/source"))
        assert data == DATA

    async def test_an_invitation_ends(self, bench: StorageBench) -> None:
        past = await invite(bench, good_for=-HOUR)
        assert not await bench.bring(past, DATA)
        assert await size_of(bench.storage(), "uploads/a b/source") is None

    async def test_an_invitation_holds_for_its_size_its_type_and_its_key(self, bench: StorageBench) -> None:
        """J18"""
        invitation = await invite(bench)
        elsewhere = replace(invitation, url=invitation.url.replace("uploads/a", "uploads/b"))
        assert elsewhere != invitation
        assert not await bench.bring(elsewhere, DATA)
        assert not await bench.bring(replace(invitation, headers={"Content-Type": "text/html"}), DATA)
        assert not await bench.bring(invitation, DATA + b"x")
        for key in ("uploads/a b/source", "uploads/b b/source"):
            assert await size_of(bench.storage(), key) is None

    async def test_a_link_to_read_is_no_invitation_to_write(self, bench: StorageBench, tmp_path: Path) -> None:
        await put(bench, "uploads/a/source", tmp_path)
        link = await bench.storage().link("uploads/a/source", expires=bench.now + HOUR, file_name="a")
        headers = {"Content-Type": "video/mp4"}
        assert not await bench.bring(Invitation(method="PUT", url=link, headers=headers), b"x" * len(DATA))
        assert await bench.follow((await invite(bench)).url) is None
        assert await bench.follow(link) == DATA

    async def test_any_part_of_what_stands_there_is_read(self, bench: StorageBench, tmp_path: Path) -> None:
        await put(bench, "jobs/a/0.mp4", tmp_path)
        storage, size = bench.storage(), len(DATA)
        versions = set()
        for first, last in ((0, None), (0, 0), (7, 99), (size - 1, None), (5, size + 9)):
            async with storage.read("jobs/a/0.mp4", first=first, last=last) as part:
                assert part is not None
                assert (part.offset, part.size_bytes) == (first, size)
                data = b"".join([chunk async for chunk in part.chunks])
                versions.add(part.version)
            assert data == DATA[first : size if last is None else last + 1]
        assert len(versions) == 1
        for key, first in (("jobs/a/0.mp4", size), ("jobs/a/1.mp4", 0), ("jobs/a", 0)):
            async with storage.read(key, first=first) as part:
                assert part is None

    async def test_removing_takes_what_lies_below_and_nothing_else(self, bench: StorageBench, tmp_path: Path) -> None:
        for key in ("jobs/a/0.mp4", "jobs/a/deep/1.mp4", "jobs/ab/0.mp4"):
            await put(bench, key, tmp_path)
        assert await bench.storage().remove("jobs/a") == 2
        assert await bench.storage().remove("jobs/a") == 0
        assert await look(bench.storage().destination("jobs/a/0.mp4")) is None
        assert await look(bench.storage().destination("jobs/ab/0.mp4")) is not None

    @pytest.mark.parametrize("key", ["", "../x", "a/../x", "/etc/passwd", "a//b", "a\\b", "a//"])
    async def test_a_key_that_is_none_of_ours_is_a_mistake_of_ours(self, bench: StorageBench, key: str) -> None:
        with pytest.raises(ValueError, match="no key of ours"):
            bench.storage().destination(key)
        with pytest.raises(ValueError, match="no key of ours"):
            await bench.storage().remove(key)
