"""What is wrong now is told in sentences, nothing of what is well, and seldom looked at."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from encoder import errors
from encoder.api.lookout import GOOD_S, Lookout, Seen, Trouble, troubles
from encoder.model.ids import TenantId, WorkerId
from encoder.store.fleet import Failing, QueueDepth, WorkerInfo, WorkerRow
from encoder.store.pauses import pause_text, read_pause

NOW = datetime(2026, 11, 30, 12, 10, tzinfo=UTC)
FIVE_AGO = NOW - timedelta(minutes=5)


def worker(host: str = "w1", *, queues: tuple[str, ...] = ("encode", "io"), **more: object) -> WorkerRow:
    info = WorkerInfo(
        id=WorkerId(uuid4()), host=host, pid=7, version="1", queues=queues, slots={"encode": 2}, encoders=()
    )
    row = WorkerRow(info=info, started_at=NOW - timedelta(hours=1), seen_at=NOW, draining=False)
    return replace(row, **more)  # type: ignore[arg-type]  # its own members


def depth(queue: str = "encode", **more: object) -> QueueDepth:
    quiet = QueueDepth(
        queue=queue,
        waiting=0,
        ready=0,
        scheduled=0,
        running=0,
        oldest_seconds=None,
        paused_at=None,
        paused_because=None,
    )
    return replace(quiet, **more)  # type: ignore[arg-type]  # its own members


WELL = Seen(depths=(depth(), depth("io")), workers=(worker(),), failing=None, took_s=0.01)


def found(*, operator: bool = True, **more: object) -> list[Trouble]:
    return list(troubles(replace(WELL, **more), NOW, operator=operator))  # type: ignore[arg-type]  # its own members


def test_nothing_is_told_while_all_is_well() -> None:
    assert found() == []
    busy = (depth(waiting=30, ready=2, running=2, scheduled=9, oldest_seconds=299.0),)
    assert found(depths=busy) == []


LOST: dict[str, Any] = {"lost": True, "seen_at": FIVE_AGO}


@pytest.mark.parametrize(
    ("changes", "code", "message", "count", "since", "only_operators"),
    [
        ({"took_s": 1.4}, "database_slow", "took 1.4 s", 1, None, False),
        ({"workers": (worker(), worker("w2", **LOST))}, "workers_lost", "1 worker lost", 1, FIVE_AGO, True),
        (
            {"depths": (depth(paused_at=FIVE_AGO, paused_because="the driver"),)},
            "queue_paused",
            "Queue encode is paused: the driver",
            0,
            FIVE_AGO,
            True,
        ),
        (
            {"depths": (depth(paused_at=FIVE_AGO, waiting=1),)},
            "queue_paused",
            "Queue encode is paused, 1 task waits",
            1,
            FIVE_AGO,
            False,
        ),
        (
            {"depths": (depth("gpu", waiting=3, oldest_seconds=300.0),)},
            "queue_without_worker",
            "No worker takes from queue gpu, 3 tasks wait",
            3,
            FIVE_AGO,
            False,
        ),
        (
            {"depths": (depth(waiting=40, ready=1, oldest_seconds=300.0),)},
            "long_wait",
            "41 tasks wait for a slot in queue encode",
            41,
            FIVE_AGO,
            False,
        ),
        (
            {"failing": Failing(deliveries=12, since=FIVE_AGO)},
            "webhooks_failing",
            "12 webhooks fail at the receiver",
            12,
            FIVE_AGO,
            False,
        ),
    ],
)
def test_what_is_wrong_is_told_once_with_its_count_and_since_when(
    changes: dict[str, Any],
    code: str,
    message: str,
    count: int,
    since: datetime | None,
    only_operators: bool,  # a column of the table
) -> None:
    (trouble,) = found(**changes)
    assert (trouble.kind, trouble.count, trouble.since) == (code, count, since)
    assert message in trouble.message
    assert [each.kind for each in found(operator=False, **changes)] == ([] if only_operators else [code])


def test_a_lost_worker_is_told_until_another_began_on_its_host() -> None:
    lost = worker("w2", **LOST)
    assert found(workers=(worker(), lost, worker("w2", started_at=NOW))) == []
    assert len(found(workers=(worker(), lost, worker("w2")))) == 1
    (trouble,) = found(workers=(worker(), lost, worker("w3", lost=True, seen_at=FIVE_AGO - timedelta(minutes=1))))
    assert (trouble.message, trouble.since) == ("2 workers lost", FIVE_AGO - timedelta(minutes=1))


def test_a_worker_that_drains_or_is_lost_takes_from_no_queue() -> None:
    waits = (depth(waiting=1, oldest_seconds=1.0),)
    for idle in (worker(draining=True), worker(**LOST)):
        assert "queue_without_worker" in {each.kind for each in found(depths=waits, workers=(idle,))}


@dataclass
class Watched:
    """The verbs of a store that a look asks."""

    now_s: float = 0.0
    looks: int = 0
    away: bool = False
    tenants: list[TenantId | None] = field(default_factory=list)

    async def depths(self, tenant: TenantId | None) -> Sequence[QueueDepth]:
        self.looks += 1
        self.tenants.append(tenant)
        await asyncio.sleep(0)
        if self.away:
            raise errors.StoreUnavailable("gone")
        return [depth()]

    async def workers(self, *, seen_within: timedelta) -> Sequence[WorkerRow]:
        assert seen_within >= timedelta(hours=1)
        return [worker()]

    async def failing(self, _tenant: TenantId) -> Failing | None:
        return None


async def test_many_pages_at_once_are_one_look_and_each_sees_what_it_may() -> None:
    store = Watched()
    lookout = Lookout(clock=lambda: store.now_s)

    async def look(tenant: int = 1, *, operator: bool = False) -> bool:
        return bool((await lookout.look(store, TenantId(tenant), operator=operator)).troubles)  # type: ignore[arg-type]

    assert await asyncio.gather(*(look() for _ in range(50))) == [False] * 50
    assert store.looks == 1
    await look(2)
    await look(operator=True)
    assert store.tenants == [1, 2, None]
    store.now_s += GOOD_S
    await look()
    assert store.looks == 4


async def test_a_database_that_is_away_is_told_since_the_first_look_that_missed_it() -> None:
    store = Watched(away=True)
    lookout = Lookout(clock=lambda: store.now_s)
    seen = []
    for _ in range(2):
        look = await lookout.look(store, TenantId(1), operator=False)  # type: ignore[arg-type]  # the verbs it asks
        seen.append(look)
        store.now_s += GOOD_S
    (first,), (second,) = (look.troubles for look in seen)
    assert first.since == second.since is not None
    assert "The database does not answer" in second.message
    store.away = False
    assert (await lookout.look(store, TenantId(1), operator=False)).troubles == ()  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("because", "by", "told"),
    [
        ("", None, (None, None)),
        ("the driver", None, ("the driver", None)),
        ("the driver", "ci", ("the driver", "ci")),
        ("", "ci", (None, "ci")),
    ],
)
def test_a_pause_is_read_as_it_was_written(because: str, by: str | None, told: tuple[str | None, str | None]) -> None:
    assert read_pause(pause_text(because, by)) == told
    assert read_pause(None) == (None, None)
