"""Hints wake the right claimers, and the poll comes without them."""

from __future__ import annotations

import asyncio

from encoder.queue.wake import Wake


def middle(low: float, high: float) -> float:
    return (low + high) / 2


async def test_a_hint_wakes_the_claimer_of_its_queue_only() -> None:
    wake = Wake(("encode", "io"), poll_s=3600, healthy=lambda: True, uniform=middle)
    encode = asyncio.create_task(wake.look("encode", idle=True))
    io = asyncio.create_task(wake.look("io", idle=True))
    await asyncio.sleep(0)
    wake.heard("ready:encode")
    await asyncio.wait_for(encode, 1)
    assert not io.done()
    wake.heard("reconnected")
    await asyncio.wait_for(io, 1)


async def test_a_hint_that_came_before_the_look_is_not_lost() -> None:
    wake = Wake(("encode", "io"), poll_s=3600, healthy=lambda: True, uniform=middle)
    wake.heard("ready:encode")
    await asyncio.wait_for(wake.look("encode", idle=True), 1)


async def test_a_poke_that_came_before_the_first_look_is_not_lost() -> None:
    """Seen to be: a worker that was stopped while it started ended 5 s later."""
    wake = Wake(("encode", "io"), poll_s=3600, healthy=lambda: True, uniform=middle)
    wake.poke()
    for queue in ("encode", "io"):
        await asyncio.wait_for(wake.look(queue, idle=True), 1)


async def test_without_hints_the_poll_comes() -> None:
    wake = Wake(("encode", "io"), poll_s=0.01, healthy=lambda: False, uniform=middle)
    await asyncio.wait_for(wake.look("encode", idle=True), 1)


async def test_cancel_hints_reach_their_listener_and_nonsense_is_ignored() -> None:
    wake = Wake(("encode", "io"), poll_s=1, healthy=lambda: True, uniform=middle)
    told: list[int] = []
    wake.on_cancel(told.append)
    for hint in ("cancel:42", "cancel:x", "cancel:", "ready:elsewhere", "nonsense", ""):
        wake.heard(hint)
    assert told == [42]
