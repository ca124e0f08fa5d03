"""The slots that a queue wants, as an autoscaler asks for them: on each database, as a role that may read no more."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import pytest

from encoder.model.ids import TenantId
from encoder.store.fleet import Quota
from encoder.store.protocol import Store
from tests.lab import scaler, work
from tests.lab.databases import AWAY, ask, is_mysql, run

pytestmark = [pytest.mark.both_databases, pytest.mark.impossible_rows]  # tasks by the thousand have no jobs

ONE, TWO = TenantId(1), TenantId(2)
WAIT = """INSERT INTO tasks (job_id, tenant_id, name, kind, queue, state, run_at, max_attempts, args, created_at)
SELECT {number}, {number} % {tenants} + {tenant}, 't1', 'transcode', '{queue}', 'waiting', {since}, 3, '{{}}', {since}
FROM {numbers}"""


async def wait(
    dsn: str,
    count: int,
    *,
    since_s: int = 0,
    tenant: int = ONE,
    tenants: int = 1,
    queue: str = "encode",
    after: int = 999,
) -> None:
    """So many tasks that wait, in turns of so many tenants from this one on."""
    if is_mysql(dsn):
        words = {
            "number": "seq",
            "numbers": f"seq_{after + 1}_to_{after + count}",
            "since": f"UTC_TIMESTAMP(6) - INTERVAL {since_s} SECOND",
        }
    else:
        words = {
            "number": "n",
            "numbers": f"generate_series({after + 1}, {after + count}) n",
            "since": f"now() - interval '{since_s} s'",
        }
    await run(dsn, WAIT.format(tenant=tenant, tenants=tenants, queue=queue, **words))


async def busy(dsn: str, store: Store, count: int, tenant: TenantId) -> None:
    """So many slots that are busy with work of a tenant."""
    for _ in range(count):
        await work.enqueue(store, tenant=tenant)
    assert len(await work.claim(store, limit=count)) == count


def text(dsn: str, queue: str = "encode") -> str:
    return scaler.question("mysql" if is_mysql(dsn) else "postgres", queue)


async def wanted(dsn: str, store: Store, queue: str = "encode") -> int:
    """What the store says, and whoever asks with the text alone."""
    ((slots,),) = await ask(dsn, text(dsn, queue))
    assert await store.wanted_slots(queue) == slots
    return int(slots)


async def test_an_empty_queue_wants_none_and_one_that_nobody_knows_neither(dsn: str, store: Store) -> None:
    assert await wanted(dsn, store) == 0
    assert await wanted(dsn, store, "nobodys") == 0


async def test_what_runs_is_wanted_whatever_waits(dsn: str, store: Store) -> None:
    await busy(dsn, store, 3, ONE)
    assert await wanted(dsn, store) == 3
    assert await wanted(dsn, store, "io") == 0


async def test_of_a_burst_half_is_wanted_at_once_and_all_when_its_head_has_waited_two_minutes(
    dsn: str, store: Store
) -> None:
    await busy(dsn, store, 1, TWO)
    await wait(dsn, 41)
    assert await wanted(dsn, store) == 1 + 21
    await wait(dsn, 1, since_s=90, tenant=TWO, after=106091)
    assert 1 + 32 <= await wanted(dsn, store) <= 1 + 42
    await wait(dsn, 1, since_s=3600, tenant=3, after=106092)
    assert await wanted(dsn, store) == 1 + 43
    await wait(dsn, 100, queue="io", after=106093)
    assert await wanted(dsn, store) == 1 + 43


async def test_what_stands_in_line_is_wanted_as_what_waits(dsn: str, store: Store) -> None:
    await work.enqueue(store, tenant=ONE)
    assert await wanted(dsn, store) == 1
    await run(dsn, "UPDATE tasks SET state = 'ready'", "DELETE FROM task_ready")
    line = "INSERT INTO task_ready (queue, seq, task_id, tenant_id, weight) SELECT queue, id, id, 1, 1 FROM tasks"
    await run(dsn, line)
    await wait(dsn, 3, after=1060)
    assert await wanted(dsn, store) == 2
    await run(dsn, "UPDATE tasks SET created_at = '2020-01-01', run_at = '2020-01-01' WHERE state = 'ready'")
    assert await wanted(dsn, store) == 4
    await run(dsn, "UPDATE tasks SET state = 'cancelled' WHERE state = 'ready'")
    assert await wanted(dsn, store) == 2, "a tombstone wants nothing, and is nobody's head"


async def test_a_tenant_at_its_cap_wants_nothing_and_its_age_hurries_nobody(dsn: str, store: Store) -> None:
    await store.set_quota(Quota(tenant_id=ONE, queue="encode", cap=2))
    await busy(dsn, store, 2, ONE)
    await wait(dsn, 500, since_s=3600)
    assert await wanted(dsn, store) == 2
    await wait(dsn, 10, tenant=TWO, after=1550)
    assert await wanted(dsn, store) == 2 + 5
    await store.set_quota(Quota(tenant_id=ONE, queue="encode", cap=7))
    assert await wanted(dsn, store) == 2 + 5 + 10
    await store.set_quota(Quota(tenant_id=ONE, queue="encode", cap=1))
    assert await wanted(dsn, store) == 2 + 5


async def test_a_paused_queue_wants_what_is_busy(dsn: str, store: Store) -> None:
    await busy(dsn, store, 2, ONE)
    await wait(dsn, 10, since_s=3600)
    await store.pause("encode", "for a test")
    assert await wanted(dsn, store) == 2
    await store.resume("encode")
    assert await wanted(dsn, store) == 12


async def test_the_scaler_may_ask_this_and_read_nothing_of_a_job(dsn: str, store: Store) -> None:
    await work.enqueue(store, tenant=ONE)
    async with scaler_of(dsn) as restricted:
        assert await ask(restricted, text(dsn)) == [(1,)]
        for forbidden in ("SELECT args FROM tasks", "SELECT spec FROM jobs", "DELETE FROM task_ready"):
            with pytest.raises(AWAY, match=r"(?i)denied|read-only"):
                await ask(restricted, forbidden)


@asynccontextmanager
async def scaler_of(dsn: str) -> AsyncIterator[str]:
    """The database's address for the role that `autoscaling.md` makes."""
    engine: scaler.Engine = "mysql" if is_mysql(dsn) else "postgres"
    await run(dsn, *scaler.grants(engine))
    place = urlsplit(dsn).netloc.rpartition("@")[2]
    try:
        yield urlsplit(dsn)._replace(netloc=f"{scaler.ROLE}:change%20me@{place}").geturl()
    finally:
        if not is_mysql(dsn):
            await run(dsn, f"DROP OWNED BY {scaler.ROLE}")
        await run(dsn, f"DROP {'USER' if is_mysql(dsn) else 'ROLE'} {scaler.ROLE}")


async def test_a_long_queue_of_many_tenants_is_looked_at_and_not_read(dsn: str, store: Store) -> None:
    """5,000 of each of four tenants: on PostgreSQL a fifth of it is read, on MariaDB its index once."""
    await wait(dsn, 20_000, tenants=4, since_s=3600)
    for tenant in (1, 2):
        await store.set_quota(Quota(tenant_id=TenantId(tenant), queue="encode", cap=3))
    assert await wanted(dsn, store) == 3 + 3 + 1000 + 1000
    if is_mysql(dsn):
        plan = [row for row in await ask(dsn, f"ANALYZE {text(dsn)}") if row[2] == "tasks"]
        assert {row[5] for row in plan} == {"tasks_heads"}
        assert sorted(float(row[9]) for row in plan) == [1, 20_000]
        assert "Using index" in next(row[-1] for row in plan if float(row[9]) > 1)
        return
    lines = [line.strip() for (line,) in await ask(dsn, f"EXPLAIN (ANALYZE, COSTS off, TIMING off) {text(dsn)}")]
    read = [line for line in lines if line.startswith("->") and " on tasks" in line and "rows=" in line]
    assert not any("Seq Scan" in line for line in read)
    assert sum(rows_of(line) for line in read) <= 4 * 1000 + 4 * 3, lines


def rows_of(step: str) -> float:
    """How many rows it gave, in all its rounds."""
    rows, loops = re.search(r"rows=([\d.]+) loops=(\d+)", step).groups()  # type: ignore[union-attr]  # each step says it
    return float(rows) * int(loops)
