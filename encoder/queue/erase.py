"""Erases what has had its time and belongs to no job's rows any more. Any worker does it; two at once do no harm."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from datetime import timedelta
from typing import ClassVar

from encoder import errors
from encoder.log import get_logger
from encoder.model.ids import JobId
from encoder.queue.backoff import Uniform
from encoder.store.protocol import Ingest, Jobs
from encoder.store.sweeps import Looked

log = get_logger(__name__)

SECRETS_KEPT = timedelta(hours=23)  # and the sweep's period: gone within 24 h of the job's end
OBJECTS_KEPT = timedelta(days=15)  # SQS may hand out a message for 14
PERIOD_S = 1800.0
BATCH = 500
MET_AGAIN = timedelta(days=1)


class Sweep(ABC):
    """`what`: it erases, for the log."""

    what: ClassVar[str]

    def __init__(self, *, uniform: Uniform) -> None:
        self._uniform = uniform

    @abstractmethod
    async def _erase(self) -> int:
        """Erase all that is due, a batch at a time; how many."""

    async def run(self) -> None:
        """Sweep for ever."""
        while True:
            try:
                await self.sweep()
            except errors.StoreUnavailable as error:
                log.warning("erase.unavailable", what=self.what, reason=str(error))
            await asyncio.sleep(PERIOD_S * self._uniform(0.8, 1.2))

    async def sweep(self) -> int:
        """Erase all that is due; how many."""
        erased = await self._erase()
        if erased:
            log.info("erase.done", what=self.what, count=erased)
        return erased


class SecretSweep(Sweep):
    """Callers' secrets some time after the end of their job; until then a retry can still run.

    It goes through jobs in the order of their ends, from where it came to before: one that was held then is met again
    for a day.
    """

    what = "secrets"

    def __init__(self, store: Jobs, *, uniform: Uniform) -> None:
        super().__init__(uniform=uniform)
        self._store = store
        self._from: Looked | None = None

    async def _erase(self) -> int:
        erased, last = 0, self._from
        while (found := await self._store.erase_secrets(ended_for=SECRETS_KEPT, look=BATCH, after=last)) is not None:
            erased, last = erased + found.count, found.last
        if last is not self._from and last is not None:
            self._from = Looked(at=last.at - MET_AGAIN, id=JobId(0))
        return erased


class ObjectSweep(Sweep):
    """What was seen of objects of buckets, when nobody tells of it any more."""

    what = "objects"

    def __init__(self, store: Ingest, *, uniform: Uniform) -> None:
        super().__init__(uniform=uniform)
        self._store = store

    async def _erase(self) -> int:
        erased = 0
        while (batch := await self._store.forget_objects(seen_for=OBJECTS_KEPT, limit=BATCH)) > 0:
            erased += batch
        return erased
