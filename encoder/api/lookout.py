"""What is wrong now, in sentences: nothing while all is well. Every page shows it, so it is looked at seldom."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from encoder import errors
from encoder.model.ids import TenantId
from encoder.store.fleet import Failing, QueueDepth, WorkerRow
from encoder.store.line import SEEN
from encoder.store.protocol import Store

GOOD_S = 5.0  # for which a look is good
LONG = timedelta(minutes=5)  # that work may wait before it is told
SLOW_S = 1.0  # for a look, which takes milliseconds
AWAY_S = 2.0  # after which no answer is awaited
LOST_WITHIN = timedelta(hours=1)  # in which a worker fell silent that nobody has begun in place of
_KEPT = 1_000  # tenants whose last look is remembered


class Kind(StrEnum):
    """What can be wrong."""

    DATABASE_UNAVAILABLE = "database_unavailable"
    DATABASE_SLOW = "database_slow"
    WORKERS_LOST = "workers_lost"
    QUEUE_PAUSED = "queue_paused"
    QUEUE_WITHOUT_WORKER = "queue_without_worker"
    LONG_WAIT = "long_wait"
    WEBHOOKS_FAILING = "webhooks_failing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """`about`: the page of the dashboard that tells more. `since`: None: it is not known."""

    kind: Kind
    message: str
    count: int
    since: datetime | None
    about: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """`at`: by the clock of this process."""

    at: datetime
    troubles: tuple[Trouble, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a look found. `depths`: of the one who looks, or of all tenants; `workers`: of the last hour, lost too."""

    depths: Sequence[QueueDepth]
    workers: Sequence[WorkerRow]
    failing: Failing | None
    took_s: float


class Lookout:
    """Looks for whoever asks, every few seconds at most for each tenant. An operator is told of the fleet too."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._looks: dict[tuple[TenantId, bool], tuple[float, Look]] = {}
        self._looking: dict[tuple[TenantId, bool], asyncio.Task[Look]] = {}
        self._away_since: datetime | None = None

    async def look(self, store: Store, tenant_id: TenantId, *, operator: bool) -> Look:
        """What is wrong now for a tenant; `operator`: and for all. Never fails: a database away is a trouble."""
        whose = (tenant_id, operator)
        good_until, known = self._looks.get(whose, (0.0, None))
        if known is not None and self._clock() < good_until:
            return known
        task = self._looking.get(whose)
        if task is None:
            task = self._looking[whose] = asyncio.ensure_future(self._look(store, tenant_id, operator=operator))
            task.add_done_callback(lambda _task: self._looking.pop(whose, None))
        return await asyncio.shield(task)

    async def _look(self, store: Store, tenant_id: TenantId, *, operator: bool) -> Look:
        began = self._clock()
        now = datetime.now(UTC)
        try:
            async with asyncio.timeout(AWAY_S):
                depths = await store.depths(None if operator else tenant_id)
                workers = await store.workers(seen_within=max(SEEN, LOST_WITHIN))
                failing = await store.failing(tenant_id)
        except (errors.StoreUnavailable, TimeoutError):
            self._away_since = self._away_since or now
            found: tuple[Trouble, ...] = (_away(self._away_since),)
        else:
            self._away_since = None
            seen = Seen(depths=depths, workers=workers, failing=failing, took_s=self._clock() - began)
            found = tuple(troubles(seen, now, operator=operator))
        look = Look(at=now, troubles=found)
        if len(self._looks) >= _KEPT:
            self._looks.clear()
        self._looks[tenant_id, operator] = (self._clock() + GOOD_S, look)
        return look


def troubles(seen: Seen, now: datetime, *, operator: bool) -> Iterator[Trouble]:
    """What of it is wrong, the gravest first."""
    if seen.took_s >= SLOW_S:
        message = f"The database is slow: a look that takes milliseconds took {seen.took_s:.1f} s"
        yield Trouble(kind=Kind.DATABASE_SLOW, message=message, count=1, since=None, about="about")
    if operator:
        yield from _lost(seen.workers)
    alive = [row for row in seen.workers if not row.lost and not row.draining]
    for depth in seen.depths:
        yield from _held_up(depth, alive, now, operator=operator)
    if seen.failing is not None:
        count = seen.failing.deliveries
        message = f"{_many(count, 'webhook')} {_do(count, 'fails', 'fail')} at the receiver"
        yield Trouble(
            kind=Kind.WEBHOOKS_FAILING, message=message, count=count, since=seen.failing.since, about="webhooks"
        )


def _away(since: datetime) -> Trouble:
    message = "The database does not answer. Encodes go on; their ends will be recorded when it is back"
    return Trouble(kind=Kind.DATABASE_UNAVAILABLE, message=message, count=1, since=since, about="about")


def _lost(workers: Sequence[WorkerRow]) -> Iterator[Trouble]:
    """Workers that fell silent, and on whose host none began since."""
    lost = [row for row in workers if row.lost and not any(_follows(other, row) for other in workers)]
    if lost:
        since = min(row.seen_at for row in lost)
        message = f"{_many(len(lost), 'worker')} lost"
        yield Trouble(kind=Kind.WORKERS_LOST, message=message, count=len(lost), since=since, about="fleet")


def _follows(other: WorkerRow, lost: WorkerRow) -> bool:
    return not other.lost and other.info.host == lost.info.host and other.started_at > lost.seen_at


def _held_up(depth: QueueDepth, alive: Sequence[WorkerRow], now: datetime, *, operator: bool) -> Iterator[Trouble]:
    stands = depth.waiting + depth.ready
    oldest = None if depth.oldest_seconds is None else now - timedelta(seconds=depth.oldest_seconds)
    if depth.paused_at is not None:
        if stands or operator:
            because = f": {depth.paused_because}" if depth.paused_because else ""
            waits = f", {_many(stands, 'task')} {_do(stands, 'waits', 'wait')}" if stands else ""
            message = f"Queue {depth.queue} is paused{because}{waits}"
            yield Trouble(kind=Kind.QUEUE_PAUSED, message=message, count=stands, since=depth.paused_at, about="queues")
    elif stands and not any(depth.queue in row.info.queues for row in alive):
        message = f"No worker takes from queue {depth.queue}, {_many(stands, 'task')} {_do(stands, 'waits', 'wait')}"
        yield Trouble(kind=Kind.QUEUE_WITHOUT_WORKER, message=message, count=stands, since=oldest, about="queues")
    elif oldest is not None and now - oldest >= LONG:
        message = f"{_many(stands, 'task')} {_do(stands, 'waits', 'wait')} for a slot in queue {depth.queue}"
        yield Trouble(kind=Kind.LONG_WAIT, message=message, count=stands, since=oldest, about="queues")


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _do(count: int, one: str, more: str) -> str:
    return one if count == 1 else more
