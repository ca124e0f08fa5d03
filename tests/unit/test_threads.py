from __future__ import annotations

import asyncio
import threading

import pytest

from encoder.files.threads import in_thread


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
