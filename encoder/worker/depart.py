"""A worker that leaves by itself, so that nobody has to choose one to end: one without work, or past its age."""

from __future__ import annotations

import asyncio
import signal
from dataclasses import dataclass
from typing import Protocol

from encoder.log import get_logger

log = get_logger(__name__)

LOOK_EVERY_S = 1.0


class Leaving(Protocol):
    """What of a worker is needed."""

    @property
    def idle_s(self) -> float: ...

    def retire(self) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Departure:
    """When a worker is to leave, in seconds; None: never for that reason.

    `idle_s`: without work for so long. `age_s`: once it has run for so long it takes no more, and leaves when what it
    has is done, however long that takes.
    """

    idle_s: float | None = None
    age_s: float | None = None

    async def run(self, worker: Leaving, *, look_every_s: float = LOOK_EVERY_S) -> None:
        """Ends this process, in its one way to end (SIGTERM), when the time has come."""
        ages = asyncio.get_running_loop().time
        began, idle_s = ages(), self.idle_s
        while idle_s is None or worker.idle_s < idle_s:
            await asyncio.sleep(look_every_s)
            if self.age_s is not None and ages() - began >= self.age_s:
                worker.retire()
                idle_s = look_every_s  # what was claimed meanwhile would show by then
        log.info("worker.departs", idle_s=round(worker.idle_s), age_s=round(ages() - began))
        signal.raise_signal(signal.SIGTERM)
