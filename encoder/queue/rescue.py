"""Frees the tasks of workers that fell silent. Any worker does it, none is elected, two at once do no harm."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

from encoder import errors
from encoder.log import get_logger
from encoder.metrics.queue import rescues, verb
from encoder.queue import settle, tally
from encoder.queue.backoff import Uniform
from encoder.queue.lease import Contact, LeaseTimes
from encoder.store.protocol import Tasks, Workers
from encoder.store.rows import Expired, Settled, Settlement

log = get_logger(__name__)


class Rescues(Tasks, Workers, Protocol):
    """What a rescuer needs of a store."""


def closing(expired: Expired) -> Settlement:
    """How the claim of a silent owner ends."""
    return settle.timed_out() if expired.by_deadline else settle.lost(expired.claim)


class Rescuer:
    """Sweeps expired leases, behind the outage guard.

    After an outage every lease looks expired although its owner lives and returns; so a process rescues only after
    one full lease of unbroken contact, on a server that has itself been up as long (G8).
    """

    def __init__(
        self, store: Rescues, times: LeaseTimes, contact: Contact, *, clock: Callable[[], float], uniform: Uniform
    ) -> None:
        self._store = store
        self._times = times
        self._contact = contact
        self._clock = clock
        self._uniform = uniform

    async def run(self) -> None:
        """Sweep for ever."""
        while True:
            await asyncio.sleep(self._times.rescue_s * self._uniform(0.8, 1.2))
            try:
                await self.sweep()
                self._contact.kept(self._clock())
            except errors.StoreUnavailable as error:
                self._contact.broken(self._clock())
                log.warning("rescue.unavailable", reason=str(error))

    async def sweep(self) -> int:
        """Settle what has expired; how many tasks that were."""
        if not await self._trusted():
            return 0
        rescued = 0
        for expired in await self._store.expired():
            try:
                with verb("rescue") as asked:
                    settled = await self._store.rescue(expired.claim, closing(expired))
                    asked.result = "stale" if settled is None else "ok"
            except errors.StoreUnavailable:
                raise
            except Exception:  # one task that cannot be closed must not keep the others from being freed
                log.exception("rescue.defect", task=expired.claim.task_id)
                continue
            if settled is not None:
                rescued += 1
                tally.count(expired.claim, closing(expired), settled)
                rescues.of("deadline" if expired.by_deadline else "expired").inc()
                if not expired.by_deadline:
                    await self._note(expired, settled)
                log.warning(
                    "task.rescued",
                    task=expired.claim.task_id,
                    epoch=expired.claim.epoch,
                    job=expired.claim.job_id,
                    state=settled.task_state,
                    by_deadline=expired.by_deadline,
                )
        return rescued

    async def _note(self, expired: Expired, settled: Settled) -> None:
        """For people: what was settled is settled, whether or not it is noted with the worker."""
        with suppress(errors.StoreUnavailable):
            await self._store.note_lost(expired.worker_id, expired.claim, settled.task_state)

    async def _trusted(self) -> bool:
        if self._contact.unbroken_s(self._clock()) < self._times.lease_s:
            return False
        return await self._store.uptime_seconds() >= self._times.lease_s
