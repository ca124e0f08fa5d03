"""What every destination does. A module inherits `DestinationSuite` and gives it a bench with one final name."""

from __future__ import annotations

import asyncio
import hashlib
from abc import abstractmethod
from pathlib import Path
from typing import Protocol

import pytest

from encoder import errors
from encoder.destinations.protocol import Destination
from tests.lab.cargo import Gate, noise, parcel

DATA = noise(5 * 1024 * 1024 + 17)
OTHER = noise(1024 * 1024, seed=2)


class DestinationBench(Protocol):
    """One final name, and eyes on what stands there."""

    tells_sha256: bool  # whether `look` can

    def destination(self) -> Destination:
        """The destination; each call gives a new one for the same final name, as another attempt would."""

    def stands(self) -> bytes | None:
        """What a visitor finds at the final name now."""

    def left_over(self) -> list[str]:
        """Everything that is there beside the final name."""


def nothing(_count: int) -> None:
    pass


class DestinationSuite:
    @pytest.fixture
    @abstractmethod
    def bench(self) -> DestinationBench: ...

    async def test_a_parcel_stands_whole_at_its_name(self, bench: DestinationBench, tmp_path: Path) -> None:
        made, gate, sent = parcel(tmp_path, DATA), Gate(), list[int]()
        destination = bench.destination()
        receipt = await destination.publish(made, sent=sent.append, fence=gate.fence)
        assert bench.stands() == DATA
        assert bench.left_over() == []
        assert (receipt.uri, receipt.size_bytes) == (destination.uri, len(DATA))
        assert receipt.sha256 in {None, made.sha256}
        assert sum(sent) == len(DATA)
        assert len(sent) > 1
        assert gate.asked == 1

    async def test_an_empty_name_shows_nothing(self, bench: DestinationBench) -> None:
        assert await bench.destination().look() is None

    async def test_a_look_tells_what_stands_there(self, bench: DestinationBench, tmp_path: Path) -> None:
        made = parcel(tmp_path, DATA)
        published = await bench.destination().publish(made, sent=nothing, fence=Gate().fence)
        seen = await bench.destination().look()
        assert seen is not None
        assert (seen.uri, seen.size_bytes) == (published.uri, len(DATA))
        assert seen.sha256 == (hashlib.sha256(DATA).hexdigest() if bench.tells_sha256 else None)

    async def test_what_stood_there_is_replaced(self, bench: DestinationBench, tmp_path: Path) -> None:
        for number, data in enumerate((DATA, OTHER)):
            made = parcel(tmp_path, data, attempt=f"7-{number}", name=f"{number}.mp4")
            await bench.destination().publish(made, sent=nothing, fence=Gate().fence)
            assert bench.stands() == data

    async def test_nothing_is_seen_before_the_fence(self, bench: DestinationBench, tmp_path: Path) -> None:
        seen: list[bytes | None] = []

        async def fence() -> None:
            seen.append(bench.stands())

        await bench.destination().publish(parcel(tmp_path, DATA), sent=nothing, fence=fence)
        assert seen == [None]

    async def test_a_shut_fence_leaves_what_stood_there(self, bench: DestinationBench, tmp_path: Path) -> None:
        await bench.destination().publish(parcel(tmp_path, OTHER), sent=nothing, fence=Gate().fence)
        late = parcel(tmp_path, DATA, attempt="7-2", name="late.mp4")
        with pytest.raises(errors.LeaseLost):
            await bench.destination().publish(late, sent=nothing, fence=Gate(shut=errors.LeaseLost()).fence)
        assert bench.stands() == OTHER
        assert bench.left_over() == []

    async def test_a_cancelled_publish_leaves_nothing(self, bench: DestinationBench, tmp_path: Path) -> None:
        at_the_fence = asyncio.Event()

        async def fence() -> None:
            at_the_fence.set()
            await asyncio.Event().wait()

        made = parcel(tmp_path, DATA)
        task = asyncio.create_task(bench.destination().publish(made, sent=nothing, fence=fence))
        await at_the_fence.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert bench.stands() is None
        assert bench.left_over() == []

    async def test_discarding_is_no_error_where_nothing_was_begun(self, bench: DestinationBench) -> None:
        await bench.destination().discard("7-1")
        assert bench.left_over() == []

    async def test_two_attempts_at_once_leave_one_whole_object(self, bench: DestinationBench, tmp_path: Path) -> None:
        one = parcel(tmp_path, DATA, attempt="7-1", name="one.mp4")
        two = parcel(tmp_path, OTHER, attempt="7-2", name="two.mp4")
        await asyncio.gather(
            *(bench.destination().publish(made, sent=nothing, fence=Gate().fence) for made in (one, two))
        )
        assert bench.stands() in {DATA, OTHER}
        assert bench.left_over() == []

    async def test_a_file_that_is_not_what_was_proven_is_not_published(
        self, bench: DestinationBench, tmp_path: Path
    ) -> None:
        made = parcel(tmp_path, DATA)
        made.path.write_bytes(DATA[: len(DATA) // 2])
        with pytest.raises(errors.Transient, match="integrity_error"):
            await bench.destination().publish(made, sent=nothing, fence=Gate().fence)
        assert bench.stands() is None
        assert bench.left_over() == []

    async def test_its_uri_holds_no_secret(self, bench: DestinationBench) -> None:
        assert "SENTINEL" not in bench.destination().uri
