"""Tells people how a worker's machine is: its load, memory and scratch. Nothing is decided by it."""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from pathlib import Path

from encoder import errors
from encoder.log import get_logger
from encoder.metrics import worker
from encoder.model.base import Json
from encoder.queue.backoff import Uniform
from encoder.store.fleet import WorkerInfo
from encoder.store.protocol import Workers
from encoder.worker.budget import Budget, Room

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
                room = self._budget.room()
                tell(room)
                await self._store.tell_about(self._info.id, self._info.about | {"machine": machine(room)})
            except errors.StoreUnavailable as error:
                log.warning("worker.unheard", reason=str(error))
            except OSError as error:
                log.warning("scratch.unseen", reason=str(error))
            await asyncio.sleep(EVERY_S * self._uniform(0.8, 1.2))


def tell(room: Room) -> None:
    """The same for metrics."""
    for number, kinds in (
        (worker.scratch, (room.scratch_bytes, room.scratch_used_bytes, room.scratch_promised_bytes)),
        (worker.memory, (room.memory_bytes, used_bytes(), room.memory_promised_bytes)),
    ):
        for kind, size in zip(("limit", "used", "reserved"), kinds, strict=True):
            number.of(kind).set(size)


def machine(room: Room) -> dict[str, Json]:
    """The load of the whole machine over a minute; memory as promised and scratch as used, of what we may have."""
    return {
        "load": round(os.getloadavg()[0], 2),
        "cores": os.cpu_count() or 1,
        "memoryBytes": room.memory_bytes,
        "memoryUsedBytes": room.memory_promised_bytes,
        "scratchBytes": room.scratch_bytes,
        "scratchUsedBytes": room.scratch_used_bytes,
    }


def used_bytes(ours: Path = Path("/proc/self")) -> int:
    """Memory that this process and its children hold just now, by the kernel's word."""
    pids = {"self"}
    for told in ours.glob("task/*/children"):
        with suppress(OSError):  # that thread is gone
            pids.update(told.read_text().split())
    return sum(map(_held_bytes, pids))


def _held_bytes(pid: str) -> int:
    with suppress(OSError):  # it is gone
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
    return 0
