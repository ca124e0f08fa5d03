"""Room on a machine is promised before it is used: together, what was let in fits; nobody waits for ever."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import pytest

from encoder import errors
from encoder.model.plan import Need
from encoder.store.rows import Lack
from encoder.worker import budget
from encoder.worker.budget import Budget, Share
from encoder.worker.scratch import Scratch

DISK = 1_000_000
MEMORY = 1000


@dataclass
class Hall:
    """A machine of one megabyte of disk, and a thousand bytes of memory."""

    budget: Budget
    stack: AsyncExitStack
    lacks: dict[str, list[Lack]] = field(default_factory=dict)

    async def enter(self, name: str) -> Share:
        heard = self.lacks.setdefault(name, [])
        return await self.stack.enter_async_context(self.budget.share(name, heard.append))

    def begin(self, share: Share, *, scratch: int = 0, memory: int = 0) -> asyncio.Task[None]:
        return asyncio.create_task(share.reach(Need(scratch_bytes=scratch, memory_bytes=memory)))


@asynccontextmanager
async def hall(folder: Path) -> AsyncIterator[Hall]:
    scratch = Scratch(folder, uuid4(), limit_bytes=DISK)
    await scratch.open()
    async with AsyncExitStack() as stack:
        yield Hall(Budget(scratch, memory_bytes=MEMORY), stack)
    await scratch.close()


@pytest.fixture(autouse=True)
def _nobody_looks_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waits is let in by what happens, not by the next look."""
    monkeypatch.setattr(budget, "LOOK_EVERY_S", 3600.0)


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_what_is_promised_is_gone_before_it_is_written(tmp_path: Path) -> None:
    async with hall(tmp_path) as here:
        first, second = await here.enter("1"), await here.enter("2")
        assert first.takes(Need(scratch_bytes=600_000))
        assert not second.takes(Need(scratch_bytes=600_000))
        assert second.takes(Need(scratch_bytes=300_000))
        (first.folder / "source").write_bytes(bytes(300_000))  # as promised: it changes nothing for others
        assert not (await here.enter("3")).takes(Need(scratch_bytes=200_000))


async def test_who_lacks_room_is_let_in_when_others_leave_and_hears_what_is_lacking(tmp_path: Path) -> None:
    async with hall(tmp_path) as here:
        second = await here.enter("2")
        async with here.budget.share("1", lambda _: None) as first:
            await first.reach(Need(scratch_bytes=600_000))
            (first.folder / "source").write_bytes(bytes(600_000))
            waiting = here.begin(second, scratch=700_000)
            await settle()
            assert here.budget.is_crowded
            (lack,) = here.lacks["2"]
            assert (lack.what, lack.needed_bytes) == ("scratch", 700_000)
            assert lack.free_bytes == pytest.approx(400_000, abs=20_000)  # folders and blocks take a little
            assert not waiting.done()
        await waiting
        assert not here.budget.is_crowded


async def test_small_work_does_not_overtake_large_work(tmp_path: Path) -> None:
    async with hall(tmp_path) as here:
        large, small = await here.enter("large"), await here.enter("small")
        async with here.budget.share("first", lambda _: None) as first:
            await first.reach(Need(memory_bytes=900))
            waits = here.begin(large, memory=500)
            await settle()
            assert not small.takes(Need(memory_bytes=50))
            behind = here.begin(small, memory=50)
            await settle()
            assert [lack.what for lack in here.lacks["small"]] == ["memory"]  # that of who is first
            assert not waits.done()
            assert not behind.done()
        await asyncio.gather(waits, behind)


async def test_what_was_promised_stays_though_others_wait(tmp_path: Path) -> None:
    """Else a download that breaks would stand still for who waits, perhaps for the end of that very download."""
    async with hall(tmp_path) as here:
        loads = await here.enter("loads")
        await loads.reach(Need(scratch_bytes=700_000))
        waits = here.begin(await here.enter("waits"), scratch=500_000)
        await settle()
        assert here.budget.is_crowded
        assert loads.takes(Need(scratch_bytes=700_000))
        assert loads.takes(Need())
        assert not loads.takes(Need(scratch_bytes=700_001))
        waits.cancel()


async def test_workers_hear_when_nobody_waits_any_more(tmp_path: Path) -> None:
    async with hall(tmp_path) as here:
        eased: list[bool] = []
        here.budget.on_ease(lambda: eased.append(here.budget.is_crowded))
        waits = await here.enter("waits")
        async with here.budget.share("works", lambda _: None) as works:
            await works.reach(Need(memory_bytes=MEMORY))
            waiting = here.begin(waits, memory=1)
            await settle()
            assert eased == []
        await waiting
        assert eased == [False]


async def test_what_needs_more_memory_than_there_is_runs_alone(tmp_path: Path) -> None:
    async with hall(tmp_path) as here:
        behind = await here.enter("behind")
        async with here.budget.share("huge", lambda _: None) as huge:
            async with here.budget.share("other", lambda _: None) as other:
                await other.reach(Need(memory_bytes=10))
                alone = here.begin(huge, memory=MEMORY * 2)
                await settle()
                assert not alone.done()
            await alone
            small = here.begin(behind, memory=10)
            await settle()
            assert not small.done()
        await small


async def test_where_all_wait_the_last_gives_its_room_to_the_first(tmp_path: Path) -> None:
    async with hall(tmp_path) as here:
        first = await here.enter("first")
        await first.reach(Need(scratch_bytes=400_000))
        async with AsyncExitStack() as leaves:
            last = await leaves.enter_async_context(here.budget.share("last", lambda _: None))
            await last.reach(Need(scratch_bytes=400_000))
            waits = here.begin(first, scratch=700_000)
            await settle()
            assert not waits.done()  # the other still works
            with pytest.raises(errors.Resource, match=r"disk_full: Scratch has 200000 bytes free .* 400000 more"):
                await last.reach(Need(scratch_bytes=800_000))
            assert not waits.done()
        await waits


async def test_where_all_wait_who_fits_goes_on(tmp_path: Path) -> None:
    async with hall(tmp_path) as here:
        first, last = await here.enter("first"), await here.enter("last")
        await first.reach(Need(scratch_bytes=400_000))
        await last.reach(Need(scratch_bytes=400_000))
        waits = here.begin(first, scratch=900_000)
        await settle()
        await last.reach(Need(scratch_bytes=500_000))
        assert not waits.done()
        waits.cancel()


async def test_what_no_disk_here_can_hold_is_refused_at_once(tmp_path: Path) -> None:
    async with hall(tmp_path) as here:
        with pytest.raises(errors.Resource, match="disk_full"):
            await (await here.enter("1")).reach(Need(scratch_bytes=2 * DISK))
        assert not here.budget.is_crowded


async def test_who_is_cut_off_leaves_the_line(tmp_path: Path) -> None:
    async with hall(tmp_path) as here:
        first, second, third = [await here.enter(name) for name in "123"]
        await first.reach(Need(memory_bytes=900))
        cut = here.begin(second, memory=500)
        await settle()
        behind = here.begin(third, memory=50)
        await settle()
        cut.cancel()
        await behind
        assert not here.budget.is_crowded


async def test_what_is_to_run_alone_has_all_memory_for_itself(tmp_path: Path) -> None:
    async with hall(tmp_path) as here:
        small = await here.enter("small")
        async with here.budget.share("feared", lambda _: None) as feared:
            async with here.budget.share("other", lambda _: None) as other:
                await other.reach(Need(memory_bytes=10))
                alone = asyncio.create_task(feared.reach(Need(memory_bytes=10), alone=True))
                await settle()
                assert not alone.done()
            await alone
            behind = here.begin(small, memory=1)
            await settle()
            assert not behind.done()
        await behind
