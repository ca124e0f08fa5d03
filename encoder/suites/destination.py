"""What every destination does.

A module inherits `DestinationSuite` and gives it a bench with one final name; where a kind takes packages too, it
inherits `FolderSuite` and gives it a bench with one folder.
"""

from __future__ import annotations

import asyncio
import hashlib
from abc import abstractmethod
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Protocol

import pytest

from encoder import errors
from encoder.destinations.protocol import Destination, Parcel, Receipt
from encoder.suites.cargo import Gate, noise, parcel

DATA = noise(5 * 1024 * 1024 + 17)
OTHER = noise(1024 * 1024, seed=2)
SMALL = noise(1000, seed=3)


class DestinationBench(Protocol):
    """One final name, and eyes on what stands there."""

    def destination(self) -> Destination:
        """The destination; each call gives a new one for the same final name, as another attempt would."""

    def stands(self) -> bytes | None:
        """What a visitor finds at the final name now."""

    def left_over(self) -> list[str]:
        """Everything that is there beside the final name."""


class FolderBench(Protocol):
    """One folder, and eyes on all that is in it."""

    def folder(self) -> Destination:
        """The folder; each call gives a new one for the same name, as another attempt would."""

    def files(self) -> Mapping[str, bytes]:
        """Everything that a visitor finds in the folder now, by its name from there."""


def nothing(_count: int) -> None:
    pass


@asynccontextmanager
async def used(destination: Destination) -> AsyncIterator[Destination]:
    """The destination, closed when the block ends."""
    try:
        yield destination
    finally:
        await destination.close()


async def publish(destination: Destination, made: Parcel, fence: Gate | None = None) -> Receipt:
    """Publish through a destination of its own attempt."""
    async with used(destination):
        return await destination.publish(made, sent=nothing, fence=(fence or Gate()).fence)


async def look(destination: Destination) -> Receipt | None:
    async with used(destination):
        return await destination.look()


class DestinationSuite:
    @pytest.fixture
    @abstractmethod
    def bench(self) -> DestinationBench: ...

    async def test_a_parcel_stands_whole_at_its_name(self, bench: DestinationBench, tmp_path: Path) -> None:
        made, gate, sent = parcel(tmp_path, DATA), Gate(), list[int]()
        async with used(bench.destination()) as destination:
            receipt = await destination.publish(made, sent=sent.append, fence=gate.fence)
        assert bench.stands() == DATA
        assert bench.left_over() == []
        assert (receipt.uri, receipt.size_bytes) == (destination.uri, len(DATA))
        assert receipt.sha256 in {None, made.sha256}
        assert sum(sent) == len(DATA)
        assert len(sent) > 1
        assert gate.asked == 1

    async def test_a_file_without_bytes_passes_the_fence_too(self, bench: DestinationBench, tmp_path: Path) -> None:
        empty, gate, shut = parcel(tmp_path, b""), Gate(), Gate(shut=errors.LeaseLost())
        async with used(bench.destination()) as destination:
            with pytest.raises(errors.LeaseLost):
                await destination.publish(empty, sent=nothing, fence=shut.fence)
            assert bench.stands() is None
            await destination.publish(empty, sent=nothing, fence=gate.fence)
        assert (bench.stands(), gate.asked) == (b"", 1)

    async def test_other_bytes_than_those_that_were_proven_never_stand(
        self, bench: DestinationBench, tmp_path: Path
    ) -> None:
        made, gate = parcel(tmp_path, DATA), Gate()
        made.path.write_bytes(noise(len(DATA), seed=2))
        with pytest.raises(errors.Transient, match="integrity_error"):
            await publish(bench.destination(), made, gate)
        assert (bench.stands(), bench.left_over(), gate.asked) == (None, [], 0)

    async def test_an_empty_name_shows_nothing(self, bench: DestinationBench) -> None:
        assert await look(bench.destination()) is None

    async def test_a_look_tells_what_stands_there(self, bench: DestinationBench, tmp_path: Path) -> None:
        published = await publish(bench.destination(), parcel(tmp_path, DATA))
        seen = await look(bench.destination())
        assert seen is not None
        assert (seen.uri, seen.size_bytes) == (published.uri, len(DATA))
        assert seen.sha256 == (hashlib.sha256(DATA).hexdigest() if bench.destination().tells_sha256 else None)

    async def test_what_stood_there_is_replaced(self, bench: DestinationBench, tmp_path: Path) -> None:
        for number, data in enumerate((DATA, OTHER)):
            await publish(bench.destination(), parcel(tmp_path, data, attempt=f"7-{number}", name=f"{number}.mp4"))
            assert bench.stands() == data
        assert bench.left_over() == []

    async def test_nothing_is_seen_before_the_fence(self, bench: DestinationBench, tmp_path: Path) -> None:
        seen: list[bytes | None] = []

        async def fence() -> None:
            seen.append(bench.stands())

        async with used(bench.destination()) as destination:
            await destination.publish(parcel(tmp_path, DATA), sent=nothing, fence=fence)
        assert seen == [None]

    async def test_a_shut_fence_leaves_what_stood_there(self, bench: DestinationBench, tmp_path: Path) -> None:
        await publish(bench.destination(), parcel(tmp_path, OTHER))
        late = parcel(tmp_path, DATA, attempt="7-2", name="late.mp4")
        with pytest.raises(errors.LeaseLost):
            await publish(bench.destination(), late, Gate(shut=errors.LeaseLost()))
        assert bench.stands() == OTHER
        assert bench.left_over() == []

    @pytest.mark.parametrize("when", ["in the middle", "at the fence"])
    async def test_a_cancelled_publish_leaves_nothing(self, bench: DestinationBench, tmp_path: Path, when: str) -> None:
        reached = {"in the middle": asyncio.Event(), "at the fence": asyncio.Event()}

        def sent(_count: int) -> None:
            reached["in the middle"].set()

        async def fence() -> None:
            reached["at the fence"].set()
            await asyncio.Event().wait()

        async with used(bench.destination()) as destination:
            made = parcel(tmp_path, DATA)
            task = asyncio.create_task(destination.publish(made, sent=sent, fence=fence))
            await reached[when].wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        assert bench.stands() is None
        assert bench.left_over() == []

    async def test_discarding_is_no_error_where_nothing_was_begun(self, bench: DestinationBench) -> None:
        async with used(bench.destination()) as destination:
            await destination.discard("7-1")
        assert bench.left_over() == []

    async def test_two_attempts_at_once_leave_one_whole_object(self, bench: DestinationBench, tmp_path: Path) -> None:
        one = parcel(tmp_path, DATA, attempt="7-1", name="one.mp4")
        two = parcel(tmp_path, OTHER, attempt="7-2", name="two.mp4")
        await asyncio.gather(*(publish(bench.destination(), made) for made in (one, two)))
        assert bench.stands() in {DATA, OTHER}
        assert bench.left_over() == []

    async def test_a_file_that_is_not_what_was_proven_is_not_published(
        self, bench: DestinationBench, tmp_path: Path
    ) -> None:
        made = parcel(tmp_path, DATA)
        made.path.write_bytes(DATA[: len(DATA) // 2])
        with pytest.raises(errors.Transient, match="integrity_error"):
            await publish(bench.destination(), made)
        assert bench.stands() is None
        assert bench.left_over() == []

    async def test_its_uri_holds_no_secret(self, bench: DestinationBench) -> None:
        assert "SENTINEL" not in bench.destination().uri

    async def test_it_may_be_closed_unused_and_more_than_once(self, bench: DestinationBench) -> None:
        destination = bench.destination()
        await destination.close()
        await destination.close()


class FolderSuite:
    @pytest.fixture
    @abstractmethod
    def bench(self) -> FolderBench: ...

    async def test_files_stand_at_their_names_in_the_folder(self, bench: FolderBench, tmp_path: Path) -> None:
        wanted = {"main.m3u8": SMALL, "720p/1.m4s": OTHER, "720p/2.m4s": SMALL[:500], "360p/1.m4s": SMALL[:1]}
        async with used(bench.folder()) as folder:
            for number, (name, data) in enumerate(wanted.items()):
                inside = folder.within(name)
                receipt = await inside.publish(
                    parcel(tmp_path, data, name=str(number)), sent=nothing, fence=Gate().fence
                )
                assert (receipt.uri, inside.uri) == (f"{folder.uri}{name}",) * 2
        assert bench.files() == wanted

    async def test_files_are_published_side_by_side(self, bench: FolderBench, tmp_path: Path) -> None:
        """One attempt has one token: what is half-written of two files must not be the same thing."""
        wanted = {f"{number}.m4s": noise(300_000, seed=number) for number in range(8)}
        async with used(bench.folder()) as folder:
            await asyncio.gather(
                *(
                    folder.within(name).publish(parcel(tmp_path, data, name=name), sent=nothing, fence=Gate().fence)
                    for name, data in wanted.items()
                )
            )
        assert bench.files() == wanted

    async def test_a_shut_fence_leaves_nothing_in_the_folder(self, bench: FolderBench, tmp_path: Path) -> None:
        shut = Gate(shut=errors.LeaseLost())
        async with used(bench.folder()) as folder:
            with pytest.raises(errors.LeaseLost):
                await folder.within("1.m4s").publish(parcel(tmp_path, OTHER), sent=nothing, fence=shut.fence)
        assert bench.files() == {}

    async def test_what_an_attempt_left_of_a_file_can_be_discarded(self, bench: FolderBench) -> None:
        async with used(bench.folder()) as folder:
            await folder.within("1.m4s").discard("7-1")
        assert bench.files() == {}

    async def test_a_look_tells_which_files_are_there(self, bench: FolderBench, tmp_path: Path) -> None:
        async with used(bench.folder()) as folder:
            await folder.within("1.m4s").publish(parcel(tmp_path, OTHER), sent=nothing, fence=Gate().fence)
            seen = await folder.within("1.m4s").look()
            assert seen is not None
            assert seen.size_bytes == len(OTHER)
            assert await folder.within("2.m4s").look() is None

    async def test_its_uris_hold_no_secret(self, bench: FolderBench) -> None:
        assert "SENTINEL" not in bench.folder().within("1.m4s").uri
