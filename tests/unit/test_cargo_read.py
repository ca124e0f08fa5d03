"""A file on its way out is closed when the last thread has done with it, and not before, however often one cancels."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable
from contextlib import aclosing
from pathlib import Path

import pytest

from encoder.destinations import cargo
from encoder.suites.cargo import parcel
from encoder.suites.destination import nothing


class Held:
    """Stands for `os.read`: after `free` reads it lingers in the thread, and then still reads."""

    def __init__(self, read: Callable[[int, int], bytes], *, free: int) -> None:
        self.began = asyncio.Event()
        self.may_end = threading.Event()
        self.failures: list[OSError] = []
        self._read = read
        self._free = free
        self._loop = asyncio.get_running_loop()

    def __call__(self, descriptor: int, count: int) -> bytes:
        self._free -= 1
        if self._free < 0:
            self._loop.call_soon_threadsafe(self.began.set)
            self.may_end.wait(10)
        try:
            return self._read(descriptor, count)
        except OSError as failure:
            self.failures.append(failure)
            raise

    async def cancelled_twice(self, task: asyncio.Task[None]) -> None:
        await self.began.wait()
        for _ in range(2):
            task.cancel()
            for _ in range(5):  # the cancel has gone as far as it goes
                await asyncio.sleep(0)
        assert not task.done()
        self.may_end.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert self.failures == []


async def test_a_parcel_is_closed_after_its_last_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    held = Held(os.read, free=1)
    monkeypatch.setattr("os.read", held)

    async def read_all() -> None:
        async with aclosing(cargo.chunks(parcel(tmp_path, b"data" * 2), 4, sent=nothing)) as chunks:
            async for _ in chunks:
                await asyncio.Event().wait()  # who sends it has just begun

    await held.cancelled_twice(asyncio.create_task(read_all()))
