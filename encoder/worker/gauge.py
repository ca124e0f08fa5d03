"""Tells people how a worker's machine is: its load, memory and scratch. Nothing is decided by it."""

from __future__ import annotations

import asyncio
import os

from encoder import errors
from encoder.log import get_logger
from encoder.model.base import Json
from encoder.queue.backoff import Uniform
from encoder.store.fleet import WorkerInfo
from encoder.store.protocol import Workers
from encoder.worker.budget import Budget

log = get_logger(__name__)

EVERY_S = 15.0


class Gauge:
    """Says again and again what a worker said of itself, and how its machine is by now."""

    def __init__(self, store: Workers, info: WorkerInfo, budget: Budget, *, uniform: Uniform) -> None:
        self._store = store
        self._info = info
        self._budget = budget
        self._uniform = uniform

    async def run(self) -> None:
        """Tell for ever."""
        while True:
            try:
                await self._store.tell_about(self._info.id, self._info.about | {"machine": machine(self._budget)})
            except errors.StoreUnavailable as error:
                log.warning("worker.unheard", reason=str(error))
            await asyncio.sleep(EVERY_S * self._uniform(0.8, 1.2))


def machine(budget: Budget) -> dict[str, Json]:
    """The load of the whole machine over a minute; memory as promised and scratch as used, of what we may have."""
    room = budget.room()
    return {
        "load": round(os.getloadavg()[0], 2),
        "cores": os.cpu_count() or 1,
        "memoryBytes": room.memory_bytes,
        "memoryUsedBytes": room.memory_promised_bytes,
        "scratchBytes": room.scratch_bytes,
        "scratchUsedBytes": room.scratch_used_bytes,
    }
