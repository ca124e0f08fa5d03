from __future__ import annotations

import asyncio
import threading

import pytest

from encoder.files.threads import behind, in_thread, opened


async def test_a_call_returns_and_raises_as_it_would_by_itself() -> None:
    assert await in_thread(divmod, 7, 2) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        await in_thread(divmod, 7, 0)


@pytest.mark.parametrize("cancels", [1, 3])
async def test_a_cancelled_call_has_ended_before_its_caller_goes_on(cancels: int) -> None:
    began, may_end, ended = asyncio.Event(), threading.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def call() -> None:
        loop.call_soon_threadsafe(began.set)
        may_end.wait(10)
        ended.set()

    task = asyncio.create_task(in_thread(call))
    await began.wait()
    for _ in range(cancels):
        task.cancel()
        await asyncio.sleep(0)
    assert not task.done()
    may_end.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended.is_set()


async def test_what_was_opened_is_closed_though_nobody_waited_for_it() -> None:
    """Seen to leak: a cancel in the moment of opening lost the descriptor for good."""
    began, may_end, closed = asyncio.Event(), threading.Event(), list[int]()
    loop = asyncio.get_running_loop()

    def opens() -> int:
        loop.call_soon_threadsafe(began.set)
        may_end.wait(10)
        return 7

    async def use() -> None:
        async with opened(opens, closed.append):
            pytest.fail("it was cancelled before")

    task = asyncio.create_task(use())
    await began.wait()
    task.cancel()
    may_end.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert closed == [7]


async def test_what_could_not_be_opened_is_not_closed() -> None:
    closed: list[int] = []

    def opens() -> int:
        raise FileNotFoundError

    with pytest.raises(FileNotFoundError):
        async with opened(opens, closed.append):
            pytest.fail("it was not opened")
    assert closed == []


async def test_calls_behind_their_caller_keep_their_order_and_have_ended_with_the_block() -> None:
    may_go, made = threading.Event(), list[int]()

    def call(number: int) -> None:
        may_go.wait(10)
        made.append(number)

    async with behind(call) as run:
        await run(1)
        assert made == []  # its caller goes on
        may_go.set()
        await run(2)
        assert made[:1] == [1]
    assert made == [1, 2]


async def test_what_a_call_behind_raises_the_next_or_the_end_raises() -> None:
    made = list[str]()

    async def use(*then: str) -> None:
        async with behind(divmod) as run:
            await run(1, 0)
            for what in then:
                await run(1, 1)
                made.append(what)

    for then in ((), ("the next",)):
        with pytest.raises(ZeroDivisionError):
            await use(*then)
    assert made == []


async def test_an_error_of_the_block_says_more_than_that_of_a_call() -> None:
    async def use() -> None:
        async with behind(divmod) as run:
            await run(1, 0)
            raise LookupError

    with pytest.raises(LookupError):
        await use()


async def test_a_block_that_is_cancelled_ends_after_its_call() -> None:
    may_end, ended = threading.Event(), threading.Event()

    def call() -> None:
        may_end.wait(10)
        ended.set()

    async def use() -> None:
        async with behind(call) as run:
            await run()
            began.set()
            await asyncio.sleep(60)

    began = asyncio.Event()
    task = asyncio.create_task(use())
    await began.wait()
    task.cancel()
    await asyncio.sleep(0)
    assert not task.done()
    may_end.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended.is_set()
