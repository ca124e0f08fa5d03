"""How the whole does, for people."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta

from encoder.metrics.family import OTHER
from encoder.model.ids import TenantId
from encoder.model.queue import IO
from encoder.store.engine import Row
from encoder.store.fleet import Failing, QueueDepth, QueuePace, Signs, Span, Waiting
from encoder.store.line import SEEN
from encoder.store.statements import Statement
from encoder.store.verbs.base import Verbs
from encoder.store.verbs.read_fleet import depth_of, ended_of, live_worker_of, tenant_of, used_by_of

NEWEST = 5_000  # tasks, of which it is counted how many came lately
ENDED = 500  # jobs, the last that ended, of whose tasks it is told how long they waited
COUNTED = 100_000  # tasks that wait, by tenant
LOOKED = 1_000  # deliveries of a state, of which those are counted that fail
SECRETS_FOR = timedelta(hours=24)  # so long after its end a job may have its secrets
SHOWN_TENANTS = 20  # by their age
MOST_USED = 1_000  # tenants and presets of one span


class Insights(Verbs):
    async def depths(self, tenant_id: TenantId | None) -> Sequence[QueueDepth]:
        return [depth_of(row) for row in await self._pool.search(Statement.DEPTHS, tenant_id)]

    async def wanted_slots(self, queue: str) -> int:
        (row,) = await self._pool.rows(Statement.WANTED_SLOTS, queue)
        return int(row["slots"])

    async def free_slots(self, queue: str, tenant_id: TenantId) -> int:
        row = await self._pool.row(Statement.FREE_SLOTS, queue, tenant_id, SEEN)
        return 0 if row is None else int(row["slots"])

    async def signs(self, *, tenants: bool) -> Signs:
        depths = await self.depths(None)
        queues = [depth.queue for depth in depths]
        (row,) = await self._pool.rows(Statement.SIGNS, IO, SECRETS_FOR)
        oldest_s = row["oldest_transaction_s"]
        return Signs(
            depths=tuple(depths),
            wanted={queue: await self.wanted_slots(queue) for queue in queues},
            tenant_ages={queue: await self._tenant_ages(queue) for queue in queues if tenants},
            workers=tuple(live_worker_of(each) for each in await self._pool.rows(Statement.LIVE_WORKERS, SEEN)),
            leases_expired=int(row["leases_expired"]),
            schema_version=int(row["schema_version"]),
            webhooks_pending=int(row["webhooks_pending"]),
            webhook_oldest_s=max(0.0, float(row["webhook_oldest_s"])),
            oldest_transaction_s=None if oldest_s is None else max(0.0, float(oldest_s)),
            dead_rows={each["name"]: int(each["dead_rows"]) for each in await self._pool.rows(Statement.DEAD_ROWS)},
            swept_at=float(row["swept_at"]),
            sweep_blocked=int(row["sweep_blocked"]),
            sweep_overdue=int(row["sweep_overdue"]),
            secrets_overdue=int(row["secrets_overdue"]),
            removed={each["what"]: int(each["removed"]) for each in await self._pool.rows(Statement.SWEPT)},
        )

    async def _tenant_ages(self, queue: str) -> dict[str, float]:
        ages = [
            (str(row["tenant_id"]), max(0.0, float(row["seconds"])))
            for row in await self._pool.rows(Statement.TENANT_AGES, queue)
        ]
        shown, others = ages[:SHOWN_TENANTS], ages[SHOWN_TENANTS:]
        return dict(shown) | ({OTHER: others[0][1]} if others else {})

    async def failing(self, tenant_id: TenantId) -> Failing | None:
        (row,) = await self._pool.rows(Statement.FAILING_DELIVERIES, tenant_id, LOOKED)
        return Failing(deliveries=int(row["deliveries"]), since=row["since"]) if row["deliveries"] else None

    async def paces(
        self, queues: Sequence[str], *, came_within: timedelta, began_within: timedelta
    ) -> Sequence[QueuePace]:
        newest = await self._pool.rows(Statement.ARRIVALS, NEWEST, came_within)
        arrived = {row["queue"]: int(row["arrived"]) for row in newest}
        over_s = _looked_over_s(newest, came_within)
        waits: defaultdict[str, list[float]] = defaultdict(list)
        for row in await self._pool.rows(Statement.WAITED, ENDED, began_within):
            waits[row["queue"]].append(max(0.0, float(row["waited_seconds"])))
        return [
            QueuePace(
                queue=queue,
                arrivals_per_minute=60 * arrived.get(queue, 0) / over_s,
                waits_s=tuple(sorted(waits[queue])),
                tenants=await self._waiting(queue),
            )
            for queue in queues
        ]

    async def _waiting(self, queue: str) -> tuple[Waiting, ...]:
        counts = {
            row["tenant_id"]: int(row["waiting"])
            for row in await self._pool.rows(Statement.COUNT_WAITING, queue, COUNTED)
        }
        if not counts:
            return ()
        tenants = [tenant_of(row) for row in await self._pool.rows(Statement.WAITING_TENANTS, queue)]
        return tuple(
            Waiting(tenant_id=each.id, waiting=counts[each.id], used=each.used, cap=each.cap, share=each.share)
            for each in tenants
            if each.id in counts
        )

    async def span(self, tenant_id: TenantId | None, *, since: datetime, until: datetime, most: int) -> Span:
        ended = await self._pool.search(Statement.ENDED_BY, tenant_id, since, until, most)
        used = await self._pool.search(Statement.USED_BY, tenant_id, since, until, most, MOST_USED)
        return Span(
            ended=tuple(ended_of(row) for row in ended if row["jobs"]),
            used=tuple(map(used_by_of, used)),
            cut=sum(int(row["looked"]) for row in ended) >= most or len(used) >= MOST_USED,
        )


def _looked_over_s(newest: Sequence[Row], within: timedelta) -> float:
    """The time that the newest tasks span: less than `within` where more came than were looked at."""
    within_s = within.total_seconds()
    if sum(int(row["looked"]) for row in newest) < NEWEST:
        return within_s
    return min(within_s, max(1.0, *(float(row["oldest_seconds"]) for row in newest)))
