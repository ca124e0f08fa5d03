"""What a worker fetches of a source of which it needs a part: just that, and of the right version."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import pytest

from encoder import errors
from encoder.metrics.transfer import Transfers
from encoder.model.extent import Extent, Needed, holds, merged, size_bytes
from encoder.worker.budget import Budget, Share
from encoder.worker.fetch import Fetch, FetchLimits
from encoder.worker.scratch import Scratch, used_bytes
from tests.unit.test_fetch import BYTES, Clock, Script, no_wait

WHOLE = BYTES * 30  # some blocks of a disk
NEEDED = Needed(extents=((0, 8192), (100_000, 108_000)), size_bytes=len(WHOLE), validator="v1")


def a_fetch(scratch: Scratch) -> Fetch:
    return Fetch(scratch, Transfers(clock=Clock()), limits=FetchLimits(), clock=Clock(), uniform=no_wait)


@asynccontextmanager
async def a_share(tmp_path: Path) -> AsyncIterator[tuple[Fetch, Share]]:
    scratch = Scratch(tmp_path, uuid4())
    await scratch.open()
    async with Budget(scratch, memory_bytes=1).share("mine", lambda _: None) as share:
        yield a_fetch(scratch), share
    await scratch.close()


async def some(
    tmp_path: Path, source: Script, needed: Needed = NEEDED
) -> tuple[bytes | None, list[tuple[int, int | None]], int]:
    """The file, what was told of it, and what was promised for it."""
    told: list[tuple[int, int | None]] = []
    async with a_share(tmp_path) as (fetch, share):
        path = share.folder / "source"
        given = await fetch.some(source, path, needed, kind="http", told=lambda *now: told.append(now), share=share)
        assert given == path.exists()
        if given:
            assert used_bytes(share.folder) < len(WHOLE)
        return path.read_bytes() if given else None, told, share.promised.scratch_bytes


def holed(*extents: Extent) -> bytes:
    kept = bytearray(len(WHOLE))
    for first, last in extents:
        kept[first:last] = WHOLE[first:last]
    return bytes(kept)


async def test_what_is_needed_stands_in_its_place_and_the_rest_is_a_hole(tmp_path: Path) -> None:
    source = Script([(WHOLE, "v1", None)] * 2)
    content, told, promised = await some(tmp_path, source)
    assert content == holed(*NEEDED.extents)
    assert source.asked == [(0, "v1"), (100_000, "v1")]
    assert told[-1] == (16_192, 16_192) == (promised, size_bytes(NEEDED.extents))


async def test_a_broken_part_goes_on_where_it_broke(tmp_path: Path) -> None:
    source = Script([(WHOLE, "v1", 5000), (WHOLE, "v1", None), (WHOLE, "v1", 103_000), (WHOLE, "v1", None)])
    content, _, _ = await some(tmp_path, source)
    assert content == holed(*NEEDED.extents)
    assert [at for at, _ in source.asked] == [0, 5000, 100_000, 103_000]


@pytest.mark.parametrize("play", [(WHOLE, "v2", None), (WHOLE, None, None), (WHOLE[:-1], "v1", None)])
async def test_another_version_is_never_mixed_in(tmp_path: Path, play: tuple[bytes, str | None, int | None]) -> None:
    assert (await some(tmp_path, Script([play])))[0] is None
    assert (await some(tmp_path, Script([(WHOLE, "v1", None), play])))[0] is None


async def test_a_source_that_breaks_five_times_is_a_transient_failure(tmp_path: Path) -> None:
    with pytest.raises(errors.Transient, match="source_unavailable"):
        await some(tmp_path, Script([(WHOLE, "v1", at) for at in (1000, 2000, 3000, 4000, 5000)]))


def test_extents_that_touch_or_are_near_are_one() -> None:
    assert merged([(5, 9), (0, 3), (3, 4), (20, 20)]) == ((0, 4), (5, 9))
    assert merged([(5, 9), (0, 3), (20, 30)], nearer_bytes=2) == ((0, 9), (20, 30))
    assert holds([(0, 9), (20, 30)], [(1, 9), (22, 30)])
    assert not holds([(0, 9), (20, 30)], [(8, 21)])
