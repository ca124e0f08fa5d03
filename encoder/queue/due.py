"""Makes scheduled tasks ready when their time has come."""

from __future__ import annotations

import asyncio

from encoder import errors
from encoder.log import get_logger
from encoder.metrics.queue import verb
from encoder.store.protocol import Tasks

log = get_logger(__name__)

LONGEST_WAIT_S = 5.0
SHORTEST_WAIT_S = 0.05


class DueSweep:
    """Looks when the nearest task is due, at the latest each 5 s, for others schedule too."""

    def __init__(self, store: Tasks) -> None:
        self._store = store

    async def run(self) -> None:
        """Sweep for ever."""
        wait_s = 0.0
        while True:
            await asyncio.sleep(wait_s)
            wait_s = await self._step()

    async def _step(self) -> float:
        try:
            nearest_s = await self._store.next_due()
            if nearest_s is not None and nearest_s <= 0:
                with verb("due") as asked:
                    asked.result = "ok" if await self._store.due() else "empty"
                nearest_s = await self._store.next_due()
        except errors.StoreUnavailable as error:
            log.warning("due.unavailable", reason=str(error))
            return LONGEST_WAIT_S
        return LONGEST_WAIT_S if nearest_s is None else min(max(nearest_s, SHORTEST_WAIT_S), LONGEST_WAIT_S)
