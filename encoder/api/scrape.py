"""What the API reads of the whole platform when its numbers are asked for."""

from __future__ import annotations

import asyncio
import time

from encoder import errors
from encoder.metrics import family, fleet
from encoder.store.fleet import QueueDepth, Signs
from encoder.store.protocol import Insights

COUNT_AGAIN_S = 10.0  # the platform is read at most so often, however many scrape
LOOK_S = 7.0  # Prometheus waits for ten: while a database hangs, what this process counts itself must come through
_OF_THE_PLATFORM = (
    fleet.tasks,
    fleet.oldest,
    fleet.wanted,
    fleet.tenant_oldest,
    fleet.workers,
    fleet.slots,
    fleet.versions,
    fleet.expired,
    fleet.schema,
    fleet.webhook_pending,
    fleet.webhook_oldest,
    fleet.oldest_xmin,
    fleet.dead_tuples,
    fleet.retention_success,
    fleet.retention_blocked,
    fleet.retention_overdue,
    fleet.secrets_overdue,
)


class Scrape:
    """The numbers of this process, and with them those of the platform. One per process: it remembers what it read.

    `tenants`: whether the age of what waits is told by tenant, too.
    """

    def __init__(self, store: Insights, *, tenants: bool = False) -> None:
        self._store = store
        self._tenants = tenants
        self._looked_at = float("-inf")
        self._looking = asyncio.Lock()
        self._removed: dict[str, int] = {}

    async def text(self) -> bytes:
        """All of them. While the database is away, what is read there is left out."""
        async with self._looking:
            if time.monotonic() - self._looked_at >= COUNT_AGAIN_S:
                await self._look()
        return family.text()

    async def _look(self) -> None:
        try:
            async with asyncio.timeout(LOOK_S):
                signs = await self._store.signs(tenants=self._tenants)
        except (errors.StoreUnavailable, TimeoutError):
            for each in _OF_THE_PLATFORM:
                each.clear()
            return
        self._looked_at = time.monotonic()
        self._tell(signs)

    def _tell(self, signs: Signs) -> None:
        for depth in signs.depths:
            _tell_depth(depth)
        for queue, slots in signs.wanted.items():
            fleet.wanted.of(queue).set(slots)
        _tell_fleet(signs)
        for number, value in (
            (fleet.expired, signs.leases_expired),
            (fleet.schema, signs.schema_version),
            (fleet.webhook_pending, signs.webhooks_pending),
            (fleet.webhook_oldest, signs.webhook_oldest_s),
            (fleet.retention_success, signs.swept_at),
            (fleet.retention_blocked, signs.sweep_blocked),
            (fleet.retention_overdue, signs.sweep_overdue),
            (fleet.secrets_overdue, signs.secrets_overdue),
        ):
            number.of().set(value)
        if signs.oldest_transaction_s is not None:
            fleet.oldest_xmin.of().set(signs.oldest_transaction_s)
        for table, rows in signs.dead_rows.items():
            fleet.dead_tuples.of(table).set(rows)
        for what, removed in signs.removed.items():
            fleet.retention_removed.of(what).inc(max(0, removed - self._removed.get(what, 0)))
            self._removed[what] = removed


def _tell_depth(depth: QueueDepth) -> None:
    fleet.tasks.of(depth.queue, "waiting").set(depth.waiting)
    fleet.tasks.of(depth.queue, "ready").set(depth.ready)
    fleet.tasks.of(depth.queue, "scheduled").set(depth.scheduled)
    fleet.tasks.of(depth.queue, "running").set(depth.running)
    fleet.oldest.of(depth.queue).set(depth.oldest_seconds or 0)


def _tell_fleet(signs: Signs) -> None:
    """Queues whose last worker went have none: that must be told, too."""
    fleet.versions.of().set(len({worker.version for worker in signs.workers}))
    for depth in signs.depths:
        takers = [worker for worker in signs.workers if depth.queue in worker.slots]
        fleet.workers.of(depth.queue).set(len(takers))
        fleet.slots.of(depth.queue).set(sum(worker.slots[depth.queue] for worker in takers if not worker.draining))
    fleet.tenant_oldest.clear()
    for queue, ages in signs.tenant_ages.items():
        for tenant, seconds in ages.items():
            fleet.tenant_oldest.of(queue, tenant).set(seconds)
