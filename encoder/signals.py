"""What signals do to a process: it is cancelled, or leaves in order, and who asked for it is known."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Sequence
from contextlib import suppress

ENDING = (signal.SIGTERM, signal.SIGINT)


class Leave:
    """When we are asked to go, and by whom: a machine (SIGTERM), which tells others, or somebody at the keyboard.

    `asked`: from the first signal on.
    """

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self._at_once = asyncio.Event()

    def by(self, number: int) -> None:
        """A signal came. A second one is in a hurry."""
        if self.asked.is_set() or number == signal.SIGINT:
            self._at_once.set()
        self.asked.set()

    async def told(self, within_s: float) -> None:
        """Serve on until proxies have seen that we are not ready, so that nobody comes to a closed door."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self._at_once.wait()


def leaving(stops: Sequence[Callable[[], object]]) -> Leave:
    """Each SIGTERM or SIGINT is told to all who work."""
    leave = Leave()

    def told(number: int) -> None:
        leave.by(number)
        for stop in stops:
            stop()

    at(told, *ENDING)
    return leave


def cancel(*numbers: signal.Signals) -> None:
    """Such a signal cancels the task that calls this: what is open is closed."""
    starting = asyncio.current_task()
    if starting is not None:
        at(lambda _: starting.cancel(), *numbers)


def at(act: Callable[[int], object], *numbers: signal.Signals) -> None:
    """Have the loop do so. Its own handlers give a signal its default back when they go, and there it may strike."""
    loop = asyncio.get_running_loop()

    def struck(number: int, _frame: object) -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(act, number)

    for number in numbers:
        signal.signal(number, struck)
