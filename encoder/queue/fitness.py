"""What probes ask of a process: whether it lives, whether calls of it succeed, whether another would do better."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol

from encoder import errors
from encoder.log import get_logger
from encoder.model.plan import Note
from encoder.store.engine import ACQUIRE_S

log = get_logger(__name__)

DRAINING = Note(code="draining", message="The server is stopping.")
AWAY = Note(code="database_unavailable", message="The database does not answer.")
CUT_OFF = Note(code="connections_broken", message="The database answers, but not on the connections of this process.")
STILL = Note(code="heart_stopped", message="A worker of this process has not turned to its next beat for a lease.")
FULL = Note(code="disk_full", message="The disk of work in progress is full.")
ANSWER_S = 0.5  # for a look at our connections: probes wait a second, and what takes longer is told to the next


class Database(Protocol):
    """What of a store is needed."""

    async def ping(self) -> None: ...

    async def reach(self) -> None: ...


def _yes() -> bool:
    return True


@dataclass(kw_only=True)
class Fitness:
    """Of one process. `stopping`: set when it is to end; `within_s`: a database that needs longer is away.

    `beats`: whether what must never stand still goes on; `has_room`: on the disk of work in progress, in a thread.
    """

    store: Database
    stopping: asyncio.Event
    within_s: float = 2.0
    beats: Callable[[], bool] = _yes
    has_room: Callable[[], bool] = _yes
    _cut_off: bool = field(default=False, init=False)
    _looking: asyncio.Task[None] | None = field(default=None, init=False)

    def living(self) -> tuple[Note, ...]:
        """Why a restart would help."""
        return () if self.beats() else (STILL,)

    async def serving(self) -> tuple[Note, ...]:
        """Why calls would fail: the database may be away for everybody."""
        if self.stopping.is_set():
            return (DRAINING,)
        return () if await self._works(self.store.ping) else (AWAY,)

    async def local(self) -> tuple[Note, ...]:
        """Why another process would do better: what is wrong here alone.

        While the database is away for everybody nothing is: who was turned away at the door would be told nothing.
        """
        if self.stopping.is_set():
            return (DRAINING,)
        has_room = await asyncio.to_thread(self._has_room)
        is_cut_off = await self._is_cut_off()
        return (FULL,) * (not has_room) + (CUT_OFF,) * is_cut_off

    def _has_room(self) -> bool:
        try:
            return self.has_room()
        except OSError as error:  # where nobody can look, nobody can write
            log.warning("scratch.unseen", reason=str(error))
            return False

    async def _is_cut_off(self) -> bool:
        """As the last look found it: a new one is begun, and waited for a moment."""
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look(), name="fitness")
        await asyncio.wait({self._looking}, timeout=ANSWER_S)
        return self._cut_off

    async def _look(self) -> None:
        self._cut_off = await self._fails() and await self._works(self.store.reach)

    async def _fails(self) -> bool:
        """Whether a connection that was had does not work. To have none is to be busy, as the others then are too."""
        try:
            async with asyncio.timeout(ACQUIRE_S + self.within_s):
                await self.store.ping()
        except errors.StoreBusy:
            return False
        except (errors.StoreUnavailable, TimeoutError):
            return True
        return False

    async def _works(self, ask: Callable[[], Awaitable[None]]) -> bool:
        try:
            async with asyncio.timeout(self.within_s):
                await ask()
        except (errors.StoreUnavailable, TimeoutError):
            return False
        return True
