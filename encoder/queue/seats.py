"""What those see who watch one job, or all of a tenant. The watcher shows it to them; nothing here reads a database."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress

from encoder.model.event import Event
from encoder.model.ids import JobId
from encoder.store.rows import JobRow, Sight

MOST_KEPT = 200  # events of a job; who is further behind reads them himself
MOST_CHANGED = 500  # jobs that a tenant's watcher may be behind; then he is told to look at all


class Seat:
    """Somebody who watches. He waits here, and looks when he is rung."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()
        self.closed = False

    def ring(self) -> None:
        self._rung.set()

    def close(self) -> None:
        """The server stops: he is to go."""
        self.closed = True
        self.ring()

    async def wait(self, limit_s: float) -> None:
        """Until there is something new, or for so long."""
        with suppress(TimeoutError):
            async with asyncio.timeout(limit_s):
                await self._rung.wait()
        self._rung.clear()


class View:
    """One job, as all see it who watch it. `job`: None as long as nobody has looked; `gone`: it was deleted."""

    def __init__(self, seq: int) -> None:
        self.job: JobRow | None = None
        self.gone = False
        self.seq = seq  # of the last event that was read
        self._kept: tuple[Event, ...] = ()
        self.seats: set[Seat] = set()

    def after(self, seq: int) -> Sequence[Event] | None:
        """The events behind a number; None where they are not all at hand."""
        if seq >= self.seq:
            return ()
        newer = [event for event in self._kept if event.seq > seq]
        return newer if newer and newer[0].seq == seq + 1 else None

    def show(self, sight: Sight) -> None:
        self.job = sight.job
        if sight.events:
            self._kept = (*self._kept, *sight.events)[-MOST_KEPT:]
            self.seq = sight.events[-1].seq
        self._ring()

    def end(self) -> None:
        self.gone = True
        self._ring()

    def _ring(self) -> None:
        for seat in self.seats:
            seat.ring()


class JobSeat(Seat):
    """Who watches one job."""

    def __init__(self, view: View) -> None:
        super().__init__()
        self.view = view


class TenantSeat(Seat):
    """Who watches all jobs of a tenant. Of each that has changed the last state is kept until he takes it.

    `open`: what is committed from now on is told; `lost`: more has changed than can be told.
    """

    def __init__(self) -> None:
        super().__init__()
        self.open = False
        self.lost = False
        self._changed: dict[JobId, JobRow | None] = {}

    def begin(self, *, lost: bool) -> None:
        """The database was looked at, and something may have been left out."""
        if lost:
            self._lose()
        if not self.open:
            self.open = True
            self.ring()

    def show(self, job_id: JobId, job: JobRow | None) -> None:
        """`job`: None for one that was deleted."""
        self._changed[job_id] = job
        self.ring()
        if len(self._changed) > MOST_CHANGED:
            self._lose()

    def take(self) -> Mapping[JobId, JobRow | None] | None:
        """What has changed since he took last; None where that is not known any more."""
        changed, lost = self._changed, self.lost
        self._changed, self.lost = {}, False
        return None if lost else changed

    def _lose(self) -> None:
        self._changed.clear()
        self.lost = True
        self.ring()
