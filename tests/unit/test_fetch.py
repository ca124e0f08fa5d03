"""The loop that brings a source onto the disk: resumed where that is sound, refused where it is not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import pytest

from encoder import errors
from encoder.metrics.transfer import Transfers
from encoder.model.plan import Need
from encoder.sources.protocol import Incoming
from encoder.store.rows import Lack
from encoder.worker.budget import Budget
from encoder.worker.fetch import Arrived, Fetch, FetchLimits
from encoder.worker.scratch import Scratch

BYTES = bytes(range(256)) * 40
BREAK = errors.Transient("source_unavailable", "reset")


@dataclass
class Script:
    """A source that plays one entry per open: what it serves, as which version, and where it breaks off."""

    plays: Sequence[tuple[bytes, str | None, int | None]]
    declared: int | None = None
    asked: list[tuple[int, str | None]] = field(default_factory=list)
    left: list[int] = field(default_factory=list)  # which opens are over

    @asynccontextmanager
    async def open(self, *, offset: int = 0, validator: str | None = None) -> AsyncIterator[Incoming]:
        content, version, breaks_at = self.plays[len(self.asked)]
        self.asked.append((offset, validator))
        number = len(self.asked) - 1
        start = offset if validator is not None and validator == version else 0
        yield Incoming(
            offset=start,
            size_bytes=self.declared if self.declared is not None else len(content),
            validator=version,
            file_name=None,
            chunks=self._chunks(content, start, breaks_at),
        )
        self.left.append(number)

    async def _chunks(self, content: bytes, start: int, breaks_at: int | None) -> AsyncIterator[bytes]:
        end = len(content) if breaks_at is None else breaks_at
        for at in range(start, end, 1000):
            yield content[at : min(at + 1000, end)]
        if breaks_at is not None:
            raise BREAK


class Clock:
    """Goes on by `step_s` each time it is read."""

    def __init__(self, step_s: float = 0.0) -> None:
        self.step_s = step_s
        self.now = 0.0

    def __call__(self) -> float:
        self.now += self.step_s
        return self.now


def no_wait(_low: float, _high: float) -> float:
    return 0.0


def a_fetch(folder: Path, *, limits: FetchLimits | None = None, clock: Callable[[], float] | None = None) -> Fetch:
    scratch = Scratch(folder, uuid4())
    transfers = Transfers(clock=Clock())
    return Fetch(scratch, transfers, limits=limits or FetchLimits(), clock=clock or Clock(), uniform=no_wait)


async def test_a_break_goes_on_where_it_broke_when_the_version_is_the_same(tmp_path: Path) -> None:
    source = Script([(BYTES, "v1", 5000), (BYTES, "v1", 7000), (BYTES, "v1", None)])
    told: list[tuple[int, int | None]] = []
    arrived = await a_fetch(tmp_path)(source, tmp_path / "source", kind="http", told=lambda *now: told.append(now))
    assert source.asked == [(0, None), (5000, "v1"), (7000, "v1")]
    assert (tmp_path / "source").read_bytes() == BYTES
    assert arrived == Arrived(size_bytes=len(BYTES), validator="v1")
    assert told[-1] == (len(BYTES), len(BYTES))


async def test_a_source_that_does_not_fit_yet_is_waited_for_without_a_connection(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path / "scratch", uuid4(), limit_bytes=3 * len(BYTES) // 2)
    await scratch.open()
    budget = Budget(scratch, memory_bytes=1)
    source, lacks = Script([(BYTES, "v1", None), (BYTES, "v1", None)]), list[Lack]()
    async with budget.share("mine", lacks.append) as mine:
        async with budget.share("theirs", lambda _: None) as theirs:
            assert theirs.takes(Need(scratch_bytes=len(BYTES)))
            fetch = a_fetch(tmp_path)(source, mine.folder / "source", kind="http", told=lambda *_: None, share=mine)
            fetching = asyncio.create_task(fetch)
            await asyncio.sleep(0.05)
            assert source.left == [0]
            assert [lack.what for lack in lacks] == ["scratch"]
        assert (await fetching).size_bytes == len(BYTES)
    assert (mine.folder / "source").exists() is False
    await scratch.close()


async def test_another_version_is_never_spliced_onto_the_first(tmp_path: Path) -> None:
    other = BYTES[::-1]
    source = Script([(BYTES, "v1", 5000), (other, "v2", None)])
    await a_fetch(tmp_path)(source, tmp_path / "source", kind="http", told=lambda *_: None)
    assert (tmp_path / "source").read_bytes() == other


async def test_without_a_validator_a_break_starts_from_the_beginning(tmp_path: Path) -> None:
    source = Script([(BYTES, None, 5000), (BYTES, None, None)])
    await a_fetch(tmp_path)(source, tmp_path / "source", kind="http", told=lambda *_: None)
    assert source.asked == [(0, None), (0, None)]
    assert (tmp_path / "source").read_bytes() == BYTES


async def test_five_broken_tries_are_a_transient_failure(tmp_path: Path) -> None:
    source = Script([(BYTES, "v1", at) for at in (10, 20, 30, 40, 50)])
    with pytest.raises(errors.Transient, match="source_unavailable"):
        await a_fetch(tmp_path)(source, tmp_path / "source", kind="http", told=lambda *_: None)
    assert len(source.asked) == 5


async def test_a_source_that_ends_each_time_before_its_declared_size_is_truncated(tmp_path: Path) -> None:
    source = Script([(BYTES, "v1", None)] * 5, declared=len(BYTES) + 1)
    with pytest.raises(errors.Permanent, match=f"source_truncated: The source ends after {len(BYTES)} bytes"):
        await a_fetch(tmp_path)(source, tmp_path / "source", kind="http", told=lambda *_: None)


async def test_a_source_that_gave_all_it_declared_is_not_called_truncated(tmp_path: Path) -> None:
    source = Script([(BYTES, "v1", len(BYTES))] * 5, declared=len(BYTES))
    with pytest.raises(errors.Transient, match="source_unavailable"):
        await a_fetch(tmp_path)(source, tmp_path / "source", kind="http", told=lambda *_: None)


async def test_an_empty_source_is_refused(tmp_path: Path) -> None:
    """D6"""
    with pytest.raises(errors.Permanent, match="empty_source"):
        await a_fetch(tmp_path)(Script([(b"", None, None)]), tmp_path / "source", kind="http", told=lambda *_: None)


async def test_a_declared_size_beyond_the_limit_is_refused_before_a_byte_is_read(tmp_path: Path) -> None:
    source = Script([(BYTES, None, None)], declared=10**15)
    with pytest.raises(errors.Permanent, match="source_too_large"):
        await a_fetch(tmp_path)(source, tmp_path / "source", kind="http", told=lambda *_: None)
    assert (tmp_path / "source").stat().st_size == 0


async def test_a_source_that_fits_no_disk_gives_the_task_back(tmp_path: Path) -> None:
    source = Script([(BYTES, None, None)], declared=10**15)
    with pytest.raises(errors.Resource, match="disk_full"):
        await a_fetch(tmp_path, limits=FetchLimits(size_bytes=10**18))(
            source, tmp_path / "source", kind="http", told=lambda *_: None
        )


async def test_an_endless_source_is_cut_at_the_limit(tmp_path: Path) -> None:
    source = Script([(BYTES, None, None)])
    source.declared = None
    endless = FetchLimits(size_bytes=3000)

    @asynccontextmanager
    async def undeclared(*, offset: int = 0, validator: str | None = None) -> AsyncIterator[Incoming]:
        chunks = source._chunks(BYTES, 0, None)
        yield Incoming(offset=0, size_bytes=None, validator=None, file_name=None, chunks=chunks)

    source.open = undeclared  # type: ignore[method-assign]  # the same script, but it does not say how much there is
    with pytest.raises(errors.Permanent, match="source_too_large"):
        await a_fetch(tmp_path, limits=endless)(source, tmp_path / "source", kind="http", told=lambda *_: None)
    assert (tmp_path / "source").stat().st_size <= 4000


async def test_a_trickle_is_as_good_as_silence(tmp_path: Path) -> None:
    source = Script([(BYTES, "v1", None)] * 5)
    with pytest.raises(errors.Transient, match="less than 65536 bytes/s"):
        await a_fetch(tmp_path, clock=Clock(step_s=61.0))(
            source, tmp_path / "source", kind="http", told=lambda *_: None
        )


async def test_retry_after_of_the_source_is_carried_to_the_attempt(tmp_path: Path) -> None:
    class Busy:
        @asynccontextmanager
        async def open(self, *, offset: int = 0, validator: str | None = None) -> AsyncIterator[Incoming]:
            raise errors.Transient("source_unavailable", "503", retry_after_s=0.01)
            yield

    with pytest.raises(errors.Transient) as raised:
        await a_fetch(tmp_path)(Busy(), tmp_path / "source", kind="http", told=lambda *_: None)
    assert raised.value.retry_after_s == 0.01
