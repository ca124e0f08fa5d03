"""A tenant with ten thousand jobs, and one that comes after it with one."""

from __future__ import annotations

import pytest

from encoder.model.ids import TenantId
from encoder.store.protocol import Store
from tests.lab import work
from tests.lab.databases import is_mysql, run

pytestmark = [pytest.mark.both_databases, pytest.mark.impossible_rows]  # jobs by the thousand have no events

MANY, FEW = TenantId(8), TenantId(7)
SLOTS = 4
# what there is of one job, ten thousand times: to enqueue them would take a quarter of a minute
BACKLOG = (
    """INSERT INTO jobs (uuid, tenant_id, state, event_seq, spec, label, tags, created_at)
    SELECT {uuid}, tenant_id, state, 1, spec, 'copy', tags, created_at FROM jobs, {numbers}""",
    """INSERT INTO job_outputs (job_id, position, state, updated_at)
    SELECT id, 0, 'queued', created_at FROM jobs WHERE label = 'copy'""",
    """INSERT INTO tasks (job_id, tenant_id, name, kind, queue, state, run_at, max_attempts, args, created_at)
    SELECT id, tenant_id, 't1', 'transcode', 'encode', 'waiting', created_at, 3, '{{}}', created_at
    FROM jobs WHERE label = 'copy'""",
)
POSTGRES = {"uuid": "gen_random_uuid()", "numbers": "generate_series(1, 10000)"}
MARIADB = {"uuid": "UNHEX(LPAD(HEX(seq), 32, '0'))", "numbers": "seq_1_to_10000"}


async def test_one_job_behind_ten_thousand_of_another_tenant_starts_in_the_next_slot(dsn: str, store: Store) -> None:
    """N3, G14"""
    await work.enqueue(store, tenant=MANY)
    dialect = MARIADB if is_mysql(dsn) else POSTGRES
    await run(dsn, *(statement.format(**dialect) for statement in BACKLOG))
    running = list(await work.claim(store, limit=SLOTS))
    assert [claim.tenant_id for claim in running] == [MANY] * SLOTS
    await work.enqueue(store, tenant=FEW)
    await store.settle(running.pop(), work.failing())
    assert [claim.tenant_id for claim in await work.claim(store)] == [FEW]
