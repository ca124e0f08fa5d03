"""What keeps a lease, and what ends the work when it is gone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from time import monotonic
from uuid import uuid4

import pytest

from encoder import errors
from encoder.model.ids import OutputId, WorkerId
from encoder.queue.lease import Contact, LeaseTimes
from encoder.store.rows import Beat, Live, Pulse
from encoder.worker.heart import Heart
from encoder.worker.held import CutOff, Ending, Held
from encoder.worker.together import each
from tests.lab.claims import CLAIM

LEASE_S = 1.0


class Database:
    """Answers beats as told."""

    def __init__(self) -> None:
        self.beats: list[Sequence[Beat]] = []
        self.beaten = asyncio.Event()
        self.away = False
        self.holds = True
        self.cancel = False

    async def beat(self, worker_id: WorkerId, beats: Sequence[Beat], *, lease: timedelta) -> Sequence[Pulse]:
        self.beats.append(beats)
        self.beaten.set()
        if self.away:
            raise errors.StoreUnavailable("away")
        return [Pulse(task_id=beat.task_id, epoch=beat.epoch, cancel=self.cancel) for beat in beats if self.holds]

    async def close(self) -> None: ...


class Counted(Held):
    """Knows how often it had to stand still."""

    frozen = 0

    def freeze(self) -> bool:
        self.frozen += 1
        return super().freeze()


@asynccontextmanager
async def beating(database: Database, *held: Held, freeze_s: float = 3600) -> AsyncIterator[Heart]:
    heart = Heart(
        database,
        WorkerId(uuid4()),
        LeaseTimes(LEASE_S, freeze_s=freeze_s),
        Contact(now=monotonic(), longest_gap_s=LEASE_S),
        held=lambda: held,
        clock=monotonic,
        progress_s=0.02,
    )
    running = asyncio.create_task(heart.run())
    try:
        yield heart
    finally:
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running


async def ending_of(held: Held) -> Ending | None:
    """How the work on `held` was ended from outside."""
    with pytest.raises(CutOff):
        await asyncio.wait_for(held.lead(asyncio.sleep(3600)), 5)
    return held.ending


async def frozen(held: Held) -> None:
    async with asyncio.timeout(5):
        while not held.leash.frozen:
            await asyncio.sleep(0.001)


async def thawed(held: Held) -> None:
    async with asyncio.timeout(5):
        while held.leash.frozen:
            await asyncio.sleep(0.001)


async def test_a_heart_turns_while_it_is_answered_or_not_and_no_longer_when_it_stands_still() -> None:
    """What liveness asks. An outage is no reason to be started again."""
    now, database = [100.0], Database()
    times = LeaseTimes(LEASE_S)
    contact = Contact(now=100.0, longest_gap_s=LEASE_S / 2)
    heart = Heart(database, WorkerId(uuid4()), times, contact, held=list, clock=lambda: now[0], progress_s=0.01)
    assert heart.turns  # not begun
    database.away = True
    beating_ = asyncio.create_task(heart.run())
    await database.beaten.wait()
    now[0] += 0.9 * LEASE_S
    assert heart.turns
    database.beaten.clear()
    await database.beaten.wait()
    now[0] += 0.9 * LEASE_S
    assert heart.turns
    beating_.cancel()
    with suppress(asyncio.CancelledError):
        await beating_
    now[0] += LEASE_S
    assert not heart.turns


async def test_a_lease_that_was_taken_ends_the_work_and_cuts_its_children() -> None:
    database, held = Database(), Held(CLAIM, sent_at=monotonic())
    database.holds = False
    async with beating(database, held):
        assert await ending_of(held) is Ending.LOST
    assert held.leash.cut


async def test_a_cancel_comes_down_with_the_beat_and_leaves_children_their_grace() -> None:
    database, held = Database(), Held(CLAIM, sent_at=monotonic())
    database.cancel = True
    async with beating(database, held):
        assert await ending_of(held) is Ending.CANCEL
    assert not held.leash.cut


async def test_a_worker_cut_off_freezes_its_work_before_the_lease_ends() -> None:
    """K4, G7: measured from when the last accepted beat was sent."""
    database, begun = Database(), monotonic()
    held = Held(CLAIM, sent_at=begun)
    database.away = True
    async with beating(database, held):
        await frozen(held)
        assert 0.8 * LEASE_S <= monotonic() - begun < LEASE_S
        await asyncio.sleep(2 * LEASE_S)
        assert held.ending is None


async def test_frozen_work_goes_on_when_its_lease_is_still_there() -> None:
    """G8: an outage of any length below the limit costs waiting and no work."""
    database, held = Database(), Held(CLAIM, sent_at=monotonic())
    database.away = True
    async with beating(database, held):
        await frozen(held)
        database.away = False
        await thawed(held)
    assert held.ending is None


async def test_frozen_work_whose_lease_was_taken_is_ended() -> None:
    database, held = Database(), Held(CLAIM, sent_at=monotonic())
    database.away = True
    async with beating(database, held):
        await frozen(held)
        database.away = database.holds = False
        assert await ending_of(held) is Ending.LOST
    assert held.leash.cut


async def test_work_is_not_frozen_for_ever() -> None:
    database, held = Database(), Held(CLAIM, sent_at=monotonic())
    database.away = True
    async with beating(database, held, freeze_s=LEASE_S):
        await frozen(held)
        assert await ending_of(held) is Ending.SELF_STOP
    assert held.leash.cut


async def test_a_publish_in_flight_cannot_be_frozen_and_is_ended_before_the_lease_ends() -> None:
    database, begun = Database(), monotonic()
    held = Held(CLAIM, sent_at=begun)
    database.away = True
    async with beating(database, held):
        with held.publishing():
            assert await ending_of(held) is Ending.SELF_STOP
    assert held.leash.cut
    assert 0.8 * LEASE_S <= monotonic() - begun < LEASE_S


async def test_answered_beats_keep_the_work_going_past_the_lease() -> None:
    """G6: age alone frees nothing."""
    database, held = Database(), Counted(CLAIM, sent_at=monotonic())
    async with beating(database, held):
        await held.lead(asyncio.sleep(2 * LEASE_S))
    assert (held.ending, held.frozen) == (None, 0)


async def test_a_nudge_beats_at_once() -> None:
    database, held = Database(), Held(CLAIM, sent_at=monotonic())
    async with beating(database, held) as heart:
        await database.beaten.wait()
        database.beaten.clear()
        heart.nudge()
        await asyncio.wait_for(database.beaten.wait(), LEASE_S / 10)


async def test_progress_goes_up_with_the_next_beat_and_once() -> None:
    database, held = Database(), Held(CLAIM, sent_at=monotonic())
    async with beating(database, held):
        await database.beaten.wait()
        held.tell(OutputId(0), Live(stage="encoding", progress=0.5))
        database.beaten.clear()
        await asyncio.wait_for(database.beaten.wait(), LEASE_S / 5)
    assert database.beats[-1][0].live == {0: Live(stage="encoding", progress=0.5)}
    assert not held.changed


async def test_work_that_is_settling_is_not_cut_when_its_lease_goes() -> None:
    database, held = Database(), Held(CLAIM, sent_at=monotonic())
    held.settling, database.holds = True, False
    async with beating(database, held):
        await held.lead(database.beaten.wait())
    assert held.ending is None


async def test_a_drain_waits_for_a_publish_in_flight_and_a_lost_lease_does_not() -> None:
    held, published = Held(CLAIM, sent_at=0.0), asyncio.Event()
    entered = asyncio.Event()

    async def publish() -> None:
        with held.publishing():
            entered.set()
            await published.wait()
        await asyncio.sleep(3600)

    leading = asyncio.create_task(held.lead(publish()))
    await entered.wait()
    held.end(Ending.DRAIN)
    await asyncio.sleep(0)
    assert not leading.done()
    published.set()
    with pytest.raises(CutOff):
        await leading

    lost, entered_again = Held(CLAIM, sent_at=0.0), asyncio.Event()

    async def publish_for_ever() -> None:
        with lost.publishing():
            entered_again.set()
            await asyncio.sleep(3600)

    leading = asyncio.create_task(lost.lead(publish_for_ever()))
    await entered_again.wait()
    lost.end(Ending.LOST)
    with pytest.raises(CutOff):
        await leading


async def test_a_later_ending_outweighs_an_earlier_one_and_never_the_reverse() -> None:
    held = Held(CLAIM, sent_at=0.0)
    for ending in (Ending.CANCEL, Ending.DRAIN, Ending.LOST, Ending.SELF_STOP):
        held.end(ending)
    assert held.ending is Ending.LOST
    with pytest.raises(CutOff):
        await held.lead(asyncio.sleep(0))


@pytest.mark.parametrize("fails", [False, True])
async def test_a_cut_that_the_work_makes_in_its_last_step_cuts_nothing_that_follows(*, fails: bool) -> None:
    held = Held(CLAIM, sent_at=0.0)

    async def publish() -> str:
        with held.publishing():
            held.end(Ending.DRAIN)
            if fails:
                raise errors.Defect("in the work")
        return "published"

    async def keep() -> str:
        try:
            result = await held.lead(publish())
        except errors.Defect:
            result = "failed"
        await asyncio.sleep(0)  # here it would be felt
        return result

    assert await asyncio.create_task(keep()) == ("failed" if fails else "published")


async def test_work_that_is_cut_makes_no_further_step() -> None:
    held, gate, steps = Held(CLAIM, sent_at=0.0), asyncio.Event(), list[str]()

    async def pass_on() -> None:
        await gate.wait()
        steps.append("passed")

    leading = asyncio.create_task(held.lead(pass_on()))
    await asyncio.sleep(0)
    gate.set()  # its next step is due
    held.end(Ending.CANCEL)
    with pytest.raises(CutOff):
        await leading
    assert steps == []


async def test_work_of_which_a_part_failed_before_is_cut_as_any_other() -> None:
    held, goes_on = Held(CLAIM, sent_at=0.0), asyncio.Event()

    async def fail(_item: int) -> None:
        await asyncio.sleep(0)
        raise errors.Transient("destination_unavailable", "away")

    async def look_and_go_on() -> None:
        with pytest.raises(errors.Transient):
            await each(fail, [1, 2], at_once=2)
        goes_on.set()
        await asyncio.sleep(3600)

    leading = asyncio.create_task(held.lead(look_and_go_on()))
    await goes_on.wait()
    held.end(Ending.DRAIN)
    with pytest.raises(CutOff):
        await leading


async def test_work_that_goes_on_after_a_cut_is_cut_again() -> None:
    held, stuck = Held(CLAIM, sent_at=0.0), asyncio.Event()

    async def stubborn() -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            stuck.set()
            await asyncio.sleep(3600)

    leading = asyncio.create_task(held.lead(stubborn()))
    await asyncio.sleep(0)
    held.end(Ending.DRAIN)
    await stuck.wait()
    held.end(Ending.SELF_STOP)
    with pytest.raises(CutOff):
        await asyncio.wait_for(leading, 5)


async def test_who_leads_can_still_be_cancelled_by_others_also_when_the_work_is_cut() -> None:
    for ending in (None, Ending.CANCEL):
        held = Held(CLAIM, sent_at=0.0)
        leading = asyncio.create_task(held.lead(asyncio.sleep(3600)))
        await asyncio.sleep(0)
        if ending is not None:
            held.end(ending)
        leading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await leading
        assert leading.cancelled()
