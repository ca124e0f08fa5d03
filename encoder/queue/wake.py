"""Tells claimers when to look. The rows are the truth; hints only save the wait for the next poll."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from encoder.queue.backoff import Uniform

COOLDOWN_S = 0.02  # after a look: a burst of hints costs one more look, not one each
IDLE_POLL_S = 5.0  # between polls while hints are known to come through and all is idle


class Wake:
    """One per worker process. `heard` is the ear's callback; the claimers of `queues` wait on `look`."""

    def __init__(
        self,
        queues: Iterable[str],
        *,
        poll_s: float,
        healthy: Callable[[], bool],
        uniform: Uniform,
        idle_poll_s: float = IDLE_POLL_S,
    ) -> None:
        self._poll_s = poll_s
        self._idle_poll_s = idle_poll_s
        self._healthy = healthy
        self._uniform = uniform
        self._ready = {queue: asyncio.Event() for queue in queues}  # all from the start: a poke may come before a look
        self._on_cancel: Callable[[int], None] = lambda _job_id: None
        self._on_log: Callable[[int | None], None] = lambda _job_id: None

    def on_cancel(self, told: Callable[[int], None]) -> None:
        """Whom to tell the id of a job that is to be cancelled."""
        self._on_cancel = told

    def on_log(self, told: Callable[[int | None], None]) -> None:
        """Whom to tell the id of a job whose log somebody reads; None: of any."""
        self._on_log = told

    def heard(self, hint: str) -> None:
        """Take one hint of the ear."""
        verb, _, what = hint.partition(":")
        if verb == "ready" and what in self._ready:
            self._ready[what].set()
        elif verb == "cancel" and what.isdecimal():
            self._on_cancel(int(what))
        elif verb == "log" and (not what or what.isdecimal()):
            self._on_log(int(what) if what else None)
        elif verb == "reconnected":  # hints may have been missed
            self.poke()

    def poke(self, queue: str | None = None) -> None:
        """Make claimers look now: all, or those of one queue."""
        for event in self._ready.values() if queue is None else (self._ready[queue],):
            event.set()

    async def look(self, queue: str, *, idle: bool) -> None:
        """Return when it is time to look at `queue` again: a hint came, a slot became free, or the poll is due."""
        event = self._ready[queue]
        slow = idle and self._healthy()
        wait_s = (max(self._idle_poll_s, self._poll_s) if slow else self._poll_s) * self._uniform(0.8, 1.2)
        due = asyncio.get_running_loop().call_later(wait_s, event.set)
        try:
            await event.wait()
        finally:
            due.cancel()
        event.clear()
