"""Keeps the leases: beats for all tasks at once, ends work whose lease is gone or can no longer be known."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress

from encoder import errors
from encoder.log import get_logger
from encoder.metrics.queue import lateness, self_stops, verb
from encoder.model.ids import WorkerId
from encoder.queue.lease import Contact, LeaseTimes
from encoder.store import protocol
from encoder.store.rows import Pulse
from encoder.worker.held import Ending, Held

log = get_logger(__name__)


class Heart:
    """Two loops whose death ends the worker: one beats, one watches the clock (G4, G6, G7)."""

    def __init__(
        self,
        heart: protocol.Heart,
        worker_id: WorkerId,
        times: LeaseTimes,
        contact: Contact,
        *,
        held: Callable[[], Iterable[Held]],
        clock: Callable[[], float],
        progress_s: float,
    ) -> None:
        self._heart = heart
        self._worker_id = worker_id
        self._times = times
        self._contact = contact
        self._held = held
        self._clock = clock
        self._progress_s = min(progress_s, times.beat_s)
        self._nudged = asyncio.Event()
        self._turned_at: float | None = None

    @property
    def turns(self) -> bool:
        """Whether it goes on, answered or not: a turn takes two fifths of a lease at most. It need not have begun."""
        return self._turned_at is None or self._clock() - self._turned_at < self._times.lease_s

    def nudge(self) -> None:
        """Beat now: a cancel was hinted."""
        self._nudged.set()

    async def run(self) -> None:
        """Beat and watch for ever."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._beat_for_ever(), name="heart.beat")
                group.create_task(self._watch_for_ever(), name="heart.watch")
        finally:
            await self._heart.close()

    async def _beat_for_ever(self) -> None:
        promised = self._clock()
        while True:
            self._turned_at = self._clock()
            with verb("beat") as asked:
                answered = await self._beat()
                asked.result = "ok" if answered else "error"
            if answered:
                lateness.of().observe(max(0.0, self._clock() - promised))
                promised = self._clock() + self._times.beat_s
            due = self._clock() + (self._times.beat_s if answered else self._times.beat_s / 4)
            await self._rest(due)

    async def _rest(self, due: float) -> None:
        """Until the next beat is due, a nudge comes, or there is progress to tell."""
        while (left_s := due - self._clock()) > 0:
            with suppress(TimeoutError):
                async with asyncio.timeout(min(left_s, self._progress_s)):
                    await self._nudged.wait()
            if self._nudged.is_set() or any(held.changed for held in self._held()):
                break
        self._nudged.clear()

    async def _beat(self) -> bool:
        asked = [held for held in self._held() if held.ending is not Ending.LOST]
        sent_at = self._clock()
        try:
            async with asyncio.timeout(self._times.beat_s):
                pulses = await self._heart.beat(
                    self._worker_id, [held.beat() for held in asked], lease=self._times.lease
                )
        except (errors.StoreUnavailable, TimeoutError) as error:
            self._contact.broken(self._clock())
            log.warning("beat.unanswered", reason=str(error) or "timeout", tasks=len(asked))
            return False
        self._contact.kept(self._clock())
        self._take(asked, pulses, sent_at)
        return True

    def _take(self, asked: list[Held], pulses: Iterable[Pulse], sent_at: float) -> None:
        alive = {(pulse.task_id, pulse.epoch): pulse for pulse in pulses}
        for held in asked:
            pulse = alive.get((held.claim.task_id, held.claim.epoch))
            if pulse is not None:
                held.sent_at = sent_at
                held.thaw()
                if pulse.cancel:
                    held.end(Ending.CANCEL)
            elif not held.settling:
                log.warning("lease.lost", task=held.claim.task_id, epoch=held.claim.epoch)
                held.end(Ending.LOST)

    async def _watch_for_ever(self) -> None:
        """Hold what may soon be somebody else's; end it if it cannot stand still, or not so long. Needs no answer."""
        while True:
            await asyncio.sleep(self._times.lease_s / 40)
            for held in list(self._held()):
                over_s = self._clock() - held.sent_at - self._times.self_stop_s
                if over_s <= 0 or (held.ending or 0) >= Ending.SELF_STOP:
                    continue
                was_frozen = held.leash.frozen
                if over_s > self._times.freeze_s or not held.freeze():
                    log.warning("lease.self_stop", task=held.claim.task_id, over_s=round(over_s, 1))
                    self_stops.of().inc()
                    held.end(Ending.SELF_STOP)
                elif not was_frozen:
                    log.warning("lease.frozen", task=held.claim.task_id)
