"""Erases callers' secrets some time after the end of their job; until then a retry can still run."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from encoder import errors
from encoder.log import get_logger
from encoder.queue.backoff import Uniform
from encoder.store.protocol import Jobs

log = get_logger(__name__)

KEPT = timedelta(hours=23)  # and the sweep's period: gone within 24 h of the job's end
PERIOD_S = 1800.0
BATCH = 500


class SecretSweep:
    """Any worker does it; two at once do no harm."""

    def __init__(self, store: Jobs, *, uniform: Uniform) -> None:
        self._store = store
        self._uniform = uniform

    async def run(self) -> None:
        """Sweep for ever."""
        while True:
            try:
                await self.sweep()
            except errors.StoreUnavailable as error:
                log.warning("secrets.unavailable", reason=str(error))
            await asyncio.sleep(PERIOD_S * self._uniform(0.8, 1.2))

    async def sweep(self) -> int:
        """Erase all that is due; of how many jobs."""
        erased = 0
        while (batch := await self._store.erase_secrets(ended_for=KEPT, limit=BATCH)) > 0:
            erased += batch
        if erased:
            log.info("secrets.erased", jobs=erased)
        return erased
