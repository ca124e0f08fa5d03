"""How far a sweep is: what it removed, what the storage would not let go, and how long it may go on."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

from encoder.log import get_logger
from encoder.model.ids import SweepId
from encoder.model.policy import SWEPT
from encoder.store.protocol import Sweeps

T = TypeVar("T")

log = get_logger(__name__)

JOBS, OBJECTS, BYTES, UPLOADS = "jobs", "objects", "bytes", "uploads"
SECRETS, KEYS, SEEN, WORKERS, SWEEPS = "secrets", "keys", "seen", "workers", "sweeps"
UNFINISHED, STRAYS = "unfinished", "strays"
WHAT = tuple(SWEPT)  # and bytes


class Time:
    """Of one sweep. `clock`: seconds, never back; `most_s` None: as long as it takes."""

    def __init__(self, most_s: float | None, *, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._until = None if most_s is None else clock() + most_s

    @property
    def is_up(self) -> bool:
        return self._until is not None and self._clock() >= self._until

    async def halved(self, work: Callable[[], Awaitable[T]]) -> T:
        """Do `work`, and then nothing for as long: others want the database too."""
        begun = self._clock()
        done = await work()
        await asyncio.sleep(self._clock() - begun)
        return done


class Tally:
    """Kept in the row of the sweep while it goes on: whoever is killed leaves what he did counted."""

    def __init__(self, store: Sweeps, sweep: SweepId) -> None:
        self._store = store
        self._sweep = sweep
        self._removed: Counter[str] = Counter()
        self.blocked = 0
        self.problem: str | None = None

    @property
    def removed(self) -> Mapping[str, int]:
        """By what; what was not there is not told."""
        return {what: self._removed[what] for what in (*WHAT, BYTES) if self._removed[what]}

    async def add(self, more: Mapping[str, int], *, refused: Mapping[str, str] | None = None) -> None:
        """Count what is gone by now, and what stays: by where it lies, why."""
        refused = refused or {}
        if not any(more.values()) and not refused:
            return
        self._removed.update(more)
        self.blocked += len(refused)
        for place, why in refused.items():
            log.warning("retention.blocked", place=place, reason=why)
            self.problem = self.problem or f"{place} stays: {why}"
        counted = {what: count for what, count in more.items() if what != BYTES}
        await self._store.note_sweep(self._sweep, self.removed, more=counted, blocked=self.blocked)
