"""At 100,000 jobs each statement still reads no more than what it gives back: by its index, and whatever the planner
believes of the tables. The rows arrive in one burst, so the statistics are those of empty tables unless a test says so.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from encoder import errors
from encoder.model.ids import TenantId
from encoder.store.postgres import open_store, sql
from encoder.store.postgres.pool import SESSION
from encoder.store.postgres.sql import TEXTS
from encoder.store.rows import JobFilter
from encoder.store.statements import Statement
from encoder.store.verbs import reading
from tests.lab.postgres import Cluster

JOBS = 100_000
LIMIT = 50
HOT = {"task_leases", "workers", "tasks_id_seq"}  # as small as the fleet: a scan of these is the plan

# half of the jobs are queued, half completed, five failed; tenant 3 has a hundred; ten have a tag; then
# come 300 of tenant 7, all failed
FILL = """
INSERT INTO jobs (uuid, tenant_id, state, event_seq, spec, label, tags, created_at,
  finished_at, deleted_at)
SELECT gen_random_uuid(),
       CASE WHEN n <= 100 THEN 3 ELSE 1 + n % 3 % 2 END,
       CASE WHEN n % 20000 = 0 THEN 'failed' WHEN n % 2 = 0 THEN 'completed' ELSE 'queued' END,
       1, '{}', 'in.mp4', CASE WHEN n % 10000 = 0 THEN '{rare}'::text[] ELSE '{}' END, now(),
       CASE WHEN n % 2 = 0 THEN now() - n * interval '1 second' END, CASE WHEN n % 10000 = 0 THEN now() END
FROM generate_series(1, 100000) n;
INSERT INTO job_outputs (job_id, position, state, updated_at) SELECT id, 0, 'queued', now() FROM jobs;
INSERT INTO tasks (job_id, tenant_id, name, kind, queue, state, run_at, max_attempts, args, created_at)
SELECT id, tenant_id, 't1', 'transcode', 'encode',
       CASE WHEN id % 4 = 0 THEN 'done' WHEN id % 4 = 2 THEN 'scheduled'
            WHEN id % 4 = 1 OR id > 90000 THEN 'waiting' ELSE 'ready' END,
       now() + (id % 1000 - 1) * interval '1 hour', 3, '{}', now() FROM jobs;
INSERT INTO task_ready (queue, seq, task_id, tenant_id, weight)
SELECT queue, id, id, tenant_id, 1 FROM tasks WHERE state = 'ready';
INSERT INTO webhook_deliveries (job_id, tenant_id, event_seq, event_type, webhook_id, url, body, state, created_at)
SELECT id, tenant_id, 1, 'job.submitted', 'w', 'u', 'b',
       CASE WHEN id % 20000 = 7 THEN 'exhausted' ELSE 'pending' END, now() FROM jobs;
INSERT INTO webhook_endpoints
  (uuid, tenant_id, name, receiver, enabled, sealed_url, secret, secret_at, created_at, updated_at)
SELECT gen_random_uuid(), n / 10, n, '{}', n % 2 = 0, '', '', now(), now(), now() FROM generate_series(10, 10000) n;
INSERT INTO job_events (job_id, seq, type, at, run, data)
SELECT id, 1, 'job.submitted', now(), 1, '{}' FROM jobs;
INSERT INTO uploads (id, tenant_id, key, file_name, content_type, state, created_at, expires_at, look_at)
SELECT uuid, tenant_id, 'k', 'in.mp4', 'video/mp4', 'pending', now(), now(), now() FROM jobs;
INSERT INTO upload_jobs (upload_id, tenant_id, uuid, spec, label, max_attempts)
SELECT uuid, tenant_id, uuid, '{}', 'in.mp4', 3 FROM jobs;
INSERT INTO jobs (uuid, tenant_id, state, event_seq, spec, label, created_at, finished_at, problem)
SELECT gen_random_uuid(), 7, 'failed', 1, '{}', 'in.mp4', now(), now(), '{"code": "worker_lost", "class": "crash"}'
FROM generate_series(1, 300) n;
"""


@dataclass(frozen=True, slots=True)
class Node:
    """A step of a plan that reads a table."""

    kind: str
    table: str
    index: str | None
    read: float


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def crowded(cluster: Cluster) -> AsyncIterator[str]:
    """A database with a backlog that came in one burst."""
    async with cluster.ready() as dsn:
        connection = await asyncpg.connect(dsn)
        await connection.execute(FILL)
        await connection.close()
        yield dsn


@pytest.fixture
async def connection(crowded: str) -> AsyncIterator[asyncpg.Connection]:
    opened = await asyncpg.connect(crowded, server_settings=SESSION)
    yield opened
    await opened.close()


async def plan(connection: asyncpg.Connection, statement: Statement | str, *literals: str, kept: bool) -> list[Node]:
    """What running the statement read. `kept`: with the plan that a connection keeps whatever the values."""
    text = TEXTS[statement] if isinstance(statement, Statement) else statement
    mode = "force_generic_plan" if kept else "force_custom_plan"
    transaction = connection.transaction()
    await transaction.start()
    try:
        await connection.execute(f"SET LOCAL plan_cache_mode = {mode}")
        await connection.execute(f"PREPARE verb AS {text}")
        values = f"({', '.join(literals)})" if literals else ""
        explained = await connection.fetchval(f"EXPLAIN (ANALYZE, FORMAT json) EXECUTE verb{values}")
        await connection.execute("DEALLOCATE verb")
    finally:
        await transaction.rollback()
    return list(_nodes(json.loads(explained)[0]["Plan"]))


def _nodes(step: dict[str, Any]) -> Iterator[Node]:
    if "Relation Name" in step and step["Node Type"] != "ModifyTable":
        loops = step["Actual Loops"]
        read = (step["Actual Rows"] + step.get("Rows Removed by Filter", 0)) * loops
        yield Node(step["Node Type"], step["Relation Name"], step.get("Index Name"), read)
    elif step["Node Type"] == "Bitmap Index Scan":
        yield Node(step["Node Type"], "", step["Index Name"], 0)
    for below in step.get("Plans", ()):
        yield from _nodes(below)


def scanned(nodes: list[Node]) -> set[str]:
    return {node.table for node in nodes if node.kind == "Seq Scan"} - HOT


def indexes(nodes: list[Node]) -> set[str | None]:
    return {node.index for node in nodes}


def read(nodes: list[Node], table: str) -> float:
    return sum(node.read for node in nodes if node.table == table)


CLAIM = ("'encode'", str(-(1 << 63)), "3", "gen_random_uuid()", "'60 s'", "'60 s'")


async def test_a_claim_reads_three_rows_per_task_at_most(connection: asyncpg.Connection) -> None:
    """G17"""
    nodes = await plan(connection, Statement.CLAIM, *CLAIM, kept=True)
    assert scanned(nodes) == set()
    assert {"task_ready_pk", "tasks_pk"} <= indexes(nodes)
    assert read(nodes, "task_ready") <= 3 * 3
    assert read(nodes, "tasks") <= 3 * 3


async def test_the_plan_of_a_claim_stays_when_statistics_come(connection: asyncpg.Connection) -> None:
    before = await plan(connection, Statement.CLAIM, *CLAIM, kept=True)
    await connection.execute("ANALYZE")
    assert await plan(connection, Statement.CLAIM, *CLAIM, kept=True) == before
    assert await plan(connection, Statement.CLAIM, *CLAIM, kept=False) == before


ONE_JOB = ("gen_random_uuid()", "'60 s'", "'60 s'")


@pytest.mark.parametrize(("state", "places"), [("waiting", 0), ("scheduled", 0), ("ready", 9)])
async def test_a_claim_of_one_job_reads_it_by_its_key_and_nothing_of_other_lines(
    connection: asyncpg.Connection, state: str, places: int
) -> None:
    """Of its own line, all; where it stands in none, nothing. A line is as long as there are slots: here nine."""
    transaction = connection.transaction()
    await transaction.start()
    job = await connection.fetchval("SELECT min(id) FROM tasks WHERE state = $1", state)
    await connection.execute("UPDATE task_ready SET queue = 'gpu' WHERE seq >= $1 + 4 * $2::bigint", job, places)
    nodes = await plan(connection, Statement.CLAIM_JOB, str(job), *ONE_JOB, kept=True)
    await transaction.rollback()
    assert scanned(nodes) == set()
    assert "tasks_name_once" in indexes(nodes)
    assert read(nodes, "task_ready") <= places + 1  # and its own place once more
    assert read(nodes, "tasks") <= 3


async def test_an_admission_looks_once_at_each_tenant_and_reads_what_it_may_choose(
    connection: asyncpg.Connection,
) -> None:
    tenants = await plan(connection, Statement.WAITING_TENANTS, "'encode'", kept=True)
    heads = await plan(connection, Statement.HEADS, "'encode'", "ARRAY[1, 2, 3]", "5", kept=True)
    for nodes, most in ((tenants, 4), (heads, 3 * 5)):
        assert scanned(nodes) <= {"task_ready"}  # which no admission lets grow
        assert "tasks_heads" in indexes(nodes)
        assert read(nodes, "tasks") <= most


async def test_secrets_that_should_be_gone_are_looked_for_where_there_are_secrets(
    connection: asyncpg.Connection,
) -> None:
    nodes = await plan(connection, Statement.SIGNS, "'io'", "'0 s'", kept=True)
    assert "jobs_with_secrets" in indexes(nodes)
    assert "jobs" not in scanned(nodes)
    assert read(nodes, "jobs") == 0, "none has any"


async def test_the_due_sweep_reads_what_is_due(connection: asyncpg.Connection) -> None:
    nodes = await plan(connection, Statement.DUE, str(LIMIT), kept=True)
    assert scanned(nodes) == set()
    assert "tasks_due" in indexes(nodes)
    assert read(nodes, "tasks") <= 3 * LIMIT
    assert "tasks_due" in indexes(await plan(connection, Statement.NEXT_DUE, kept=True))


@pytest.mark.parametrize(
    ("statement", "index", "values"),
    [
        (Statement.DUE_JOBS, "jobs_ended", ("'[{\"hours\": 1}]'", "'1 hour'", str(LIMIT), "'1970-01-01'", "0")),
        (Statement.DELETED_JOBS, "jobs_deleted", (str(LIMIT), "'1970-01-01'", "0")),
        (Statement.MARKED_JOBS, "jobs_purging", (str(LIMIT), "'1970-01-01'", "0", "'0 s'")),
    ],
)
async def test_what_may_go_is_found_by_its_age(
    connection: asyncpg.Connection, statement: Statement, index: str, values: tuple[str, ...]
) -> None:
    nodes = await plan(connection, statement, *values, kept=True)
    assert scanned(nodes) == set()
    assert index in indexes(nodes)
    assert read(nodes, "jobs") <= 3 * LIMIT  # of every second one a task is live
    assert read(nodes, "tasks") <= 3 * LIMIT


ALL_STATES = "ARRAY['queued', 'processing', 'completed', 'failed', 'cancelled']"
NEWEST = str((1 << 63) - 1)
NO_FILTER = ["NULL"] * 4


@pytest.mark.parametrize("states", [ALL_STATES, "ARRAY['queued']", "ARRAY['failed']", "ARRAY['processing', 'failed']"])
@pytest.mark.parametrize("tenant", ["1", "3"])
async def test_a_page_of_jobs_reads_a_page_per_state_however_rare(
    connection: asyncpg.Connection, tenant: str, states: str
) -> None:
    nodes = await plan(
        connection, Statement.FIND_JOBS, tenant, states, NEWEST, str(LIMIT), *NO_FILTER, "0", *["NULL"] * 3, kept=False
    )
    assert scanned(nodes) == set()
    assert "jobs_by_state" in indexes(nodes)
    assert read(nodes, "jobs") <= 6 * LIMIT


async def test_a_page_of_a_rare_tag_is_found_by_the_tag(connection: asyncpg.Connection) -> None:
    await connection.execute("ANALYZE jobs")
    filters = ("'rare'", *["NULL"] * 3, "0", *["NULL"] * 3)
    nodes = await plan(connection, Statement.FIND_JOBS, "1", ALL_STATES, NEWEST, str(LIMIT), *filters, kept=False)
    assert scanned(nodes) == set()
    assert "jobs_by_tag" in indexes(nodes)
    assert read(nodes, "jobs") <= 10 * 6


async def test_a_page_of_a_code_reads_what_failed_and_its_outputs(connection: asyncpg.Connection) -> None:
    filters = (*NO_FILTER, "0", "NULL", "NULL", "'nope'")
    nodes = await plan(connection, Statement.FIND_JOBS, "7", ALL_STATES, NEWEST, str(LIMIT), *filters, kept=False)
    assert scanned(nodes) == set()
    assert indexes(nodes) - {None} == {"jobs_by_state", "job_outputs_pk"}
    assert read(nodes, "jobs") == 300
    assert read(nodes, "job_outputs") == 0  # they have none


@pytest.mark.parametrize("wanted", [{"text": "nowhere"}, {"preset": "none"}])
async def test_a_search_is_stopped_in_its_time_and_the_next_list_is_not(
    crowded: str, monkeypatch: pytest.MonkeyPatch, wanted: dict[str, str]
) -> None:
    monkeypatch.setattr(reading, "SEARCH_S", 0.02)
    store = await open_store(crowded, pool_size=1)
    try:
        with pytest.raises(errors.Rejected, match="Narrow the time"):
            await store.find_jobs(JobFilter(tenant_id=TenantId(1), **wanted))  # type: ignore[arg-type]  # its members
        assert len(await store.find_jobs(JobFilter(tenant_id=TenantId(1), limit=LIMIT))) == LIMIT
    finally:
        await store.close()


@pytest.mark.parametrize(
    ("statement", "values"),
    [
        (Statement.DEAD_GROUPS, ("7", str(LIMIT), "NULL", "NULL")),
        (Statement.DEAD_JOBS, ("7", "0", str(LIMIT), *["NULL"] * 4)),
        (Statement.DEAD_JOBS, ("7", "100100", str(LIMIT), "'other'", "'crash'", "now()", "now()")),
    ],
)
async def test_a_look_at_what_failed_reads_so_many_whatever_matches(
    connection: asyncpg.Connection, statement: Statement, values: tuple[str, ...]
) -> None:
    nodes = await plan(connection, statement, *values, kept=True)
    assert scanned(nodes) == set()
    assert indexes(nodes) == {"jobs_by_state"}
    assert read(nodes, "jobs") == LIMIT


@pytest.mark.parametrize("by", [("5", "NULL"), ("NULL", "gen_random_uuid()")])
async def test_a_job_is_read_by_its_number_or_uuid(connection: asyncpg.Connection, by: tuple[str, str]) -> None:
    for kept in (True, False):
        nodes = await plan(connection, Statement.JOB, *by, "1", "false", "'90 s'", kept=kept)
        assert scanned(nodes) == set()
        assert read(nodes, "jobs") <= 2


BEHIND = str(JOBS)  # a floor behind the line of this backlog, which is longer than admissions make one

# $1 … $19 of an enqueue
NEW_JOB = (
    *("NULL", "NULL", "gen_random_uuid()", "1", "'{}'", "'in.mp4'", "'{}'", "NULL", "NULL", "NULL", "1", "0", "3"),
    *("'job.submitted'", "'[]'", "10", "false"),
)


PART = """{"name": "t1/1", "kind": "chunk", "queue": "encode", "weight": 1, "args": {}}"""
JOIN = PART.replace("t1/1", "t1/join")


@pytest.mark.parametrize(
    ("statement", "values"),
    [
        (Statement.LOCK_JOB, ("5",)),
        (Statement.LOCK_FREE_JOB, ("5",)),
        (Statement.LOCK_QUEUE, ("'encode'",)),
        (Statement.ADMIT, ("ARRAY[5, 9, 13]",)),
        (Statement.SET_QUOTA, ("1", "'encode'", "5", "1")),
        (Statement.HOLDUPS, ("1", "ARRAY['encode', 'io']", "'90 s'")),
        (Statement.KNOWN_QUEUES, ()),
        (Statement.OPEN_ROOT, ("5", "'t2'", "0", "3", "'gpu'")),
        (Statement.HOLD_TASK, ("5", "1", "5")),
        (Statement.OUTPUTS_OF_JOBS, ("ARRAY[5, 6, 7]",)),
        (Statement.EVENTS, ("5", "0", "500")),
        (Statement.LOG, ("5", "0")),
        (Statement.JOBS_NOW, ("ARRAY[5, 6, 7]",)),
        (Statement.GLANCES, ("ARRAY[5, 6, 7]",)),
        (Statement.CHUNKS, ("ARRAY[5, 6]",)),
        (Statement.EVENTS_OF_JOBS, ("ARRAY[5, 6, 7]", "ARRAY[0, 0, 1]", "500")),
        (Statement.MOMENT, ()),
        (Statement.STIRRED, ("ARRAY[1, 3]", str(JOBS - 5), "now() + interval '1 minute'", "50")),
        (Statement.CLOSE_TASK, ("5", "1", "'done'", "'0'", "0", "0", "NULL", "false", "NULL")),
        (Statement.OPEN_NEXT, ("5", "1", "true")),
        (Statement.SIBLINGS, ("5",)),
        (Statement.CANCEL_PARTS, ("ARRAY[5, 6]",)),
        (Statement.FLAG_PARTS, ("ARRAY[5, 6]",)),
        (Statement.LIVE, ("5",)),
        (Statement.PARTS, ("5",)),
        (Statement.NOTE_CHUNKS, ("5",)),
        (Statement.CHUNKED_JOBS, (str(LIMIT), "0")),
        (Statement.HAVE_CHUNKS, ("ARRAY[5, 6]",)),
        (Statement.FORGET_CHUNKS, ("ARRAY[5, 6]", "now()")),
        (Statement.FAN_OUT, ("5", "0", "3", f"'{JOIN}'", f"'[{PART}]'")),
        (Statement.SETTLED_BEFORE, ("5",)),
        (Statement.CANCEL_TASKS, ("5",)),
        (Statement.FLAG_LEASES, ("5",)),
        (Statement.GONE, ("5", "5")),
        (Statement.DELIVERY, ("5", "false")),
        (Statement.REOPEN_DELIVERY, ("1", "5")),
        (Statement.ENDPOINTS, ("7", "NULL")),
        (Statement.ENDPOINTS, ("7", "'70'")),
        (Statement.HOLD_ENDPOINT, ("7", "'70'")),
        (Statement.PUT_ENDPOINT, ("gen_random_uuid()", "7", "'70'", "'{}'", "true", "''", "''")),
        (Statement.ROTATE_ENDPOINT, ("7", "'70'", "gen_random_uuid()", "''", "'1 day'")),
        (Statement.REMOVE_ENDPOINT, ("7", "'70'")),
        (Statement.TESTS_OF_ENDPOINT, ("-5",)),
        (Statement.TEST_ENDPOINT, ("-5", "7", "'70'", "1", "'x'", "'w'", "'u'", "'b'", "10")),
        (sql.TICKET, ("7",)),
        (Statement.REPLAY, ("5", "5", "'n/5'", "10")),
        (Statement.HELD, ("5", "1")),
        (Statement.CREATED_BETWEEN, ("now() - interval '1 year'", "now() - interval '1 year'")),
        (Statement.LOCK_ENDED, ("ARRAY[4]",)),
        (Statement.REMOVE_JOBS, ("ARRAY[4]",)),
        (Statement.UPLOAD, ("gen_random_uuid()", "1")),
        (Statement.UPLOAD, ("gen_random_uuid()", "NULL")),
        (Statement.UPLOAD_ARRIVED, ("gen_random_uuid()", "7", "'5 s'")),
        (Statement.TAKE_UPLOAD_JOB, ("gen_random_uuid()",)),
        (Statement.UPLOAD_DONE, ("gen_random_uuid()",)),
        (Statement.END_UPLOAD, ("gen_random_uuid()", "'failed'", "'upload_expired'", "'0 s'")),
        (Statement.HOLD_UPLOAD, ("gen_random_uuid()", "gen_random_uuid()", "'60 s'")),
        (Statement.MOVE_UPLOAD, ("gen_random_uuid()", "gen_random_uuid()", "7", "'m'", "'60 s'", "'1 hour'")),
        (Statement.FREE_UPLOAD, ("gen_random_uuid()", "gen_random_uuid()")),
        (Statement.LOOK_UPLOADS, ("3",)),
        (Statement.SPENT_UPLOADS, ("'-1 hour'", "3", "'1970-01-01'", "gen_random_uuid()", "'1 hour'")),
        (Statement.MARK_UPLOADS, ("ARRAY[gen_random_uuid()]",)),
        (Statement.UPLOADS_THERE, ("ARRAY[gen_random_uuid()]",)),
        (Statement.MARK_JOBS, ("ARRAY[5, 6]", "now()")),
        (Statement.IS_PURGING, ("gen_random_uuid()",)),
        (Statement.PLACES_OF_JOBS, ("ARRAY[5, 6]",)),
        (Statement.JOBS_THERE, ("ARRAY[gen_random_uuid()]",)),
        (Statement.REMOVE_UPLOADS, ("ARRAY[gen_random_uuid()]",)),
        (sql.STEP_BACK, ("1", "0", "'encode'", BEHIND)),
        (sql.ENQUEUE, (*NEW_JOB, "NULL", "'encode'", BEHIND, "'{}'")),
        (sql.ENQUEUE, (*NEW_JOB, "gen_random_uuid()", "'gpu'", "0", "'{}'")),
        (
            Statement.RECORD,
            (
                "5",
                "now()",
                "'queued'",
                "1",
                "false",
                "1",
                "NULL",
                "NULL",
                """'[{"position": 0}]'""",
                "'[]'",
                """'[{"receiver": "70", "seq": 1, "type": "x", "webhook_id": "w", "url": "u", "body": 1}]'""",
                "ARRAY['b']",
                "10",
            ),
        ),
    ],
)
async def test_what_names_a_row_reads_a_handful(
    connection: asyncpg.Connection, statement: str, values: tuple[str, ...]
) -> None:
    nodes = await plan(connection, statement, *values, kept=True)
    assert scanned(nodes) == set()
    assert sum(node.read for node in nodes) <= 20


CHUNKS = 40  # of job 5, of which three are being made
IN_CHUNKS = """
INSERT INTO tasks (job_id, tenant_id, name, kind, queue, state, pending, run_at, max_attempts, args, created_at)
SELECT 5, 1, 't1/join', 'assemble', 'encode', 'blocked', 40, now(), 3, '{"chunks": 44}', now();
INSERT INTO tasks (job_id, tenant_id, name, kind, queue, state, then_id, run_at, max_attempts, args, created_at)
SELECT 5, 1, 't1/c' || n, 'chunk', 'encode', CASE WHEN n <= 3 THEN 'running' WHEN n < 30 THEN 'done' ELSE 'waiting' END,
  (SELECT max(id) FROM tasks), now(), 3, '{"outputs": [0], "frames": 100}', now() FROM generate_series(1, 40) n;
INSERT INTO task_leases (task_id, epoch, worker_id, queue, tenant_id, weight, expires_at, deadline_at, beat_at)
SELECT id, 1, gen_random_uuid(), 'encode', 1, 1, now(), now(), now()
FROM tasks WHERE then_id IS NOT NULL AND state = 'running';
"""


@pytest.mark.parametrize("kept", [True, False])
async def test_how_far_a_job_in_chunks_is_reads_each_chunk_once(connection: asyncpg.Connection, *, kept: bool) -> None:
    transaction = connection.transaction()
    await transaction.start()
    try:
        await connection.execute(IN_CHUNKS)
        behind = await connection.fetchval("SELECT max(id) FROM tasks WHERE state = 'blocked'")
        for statement, values in (
            (Statement.CHUNKS, f"ARRAY[{behind}]"),
            (Statement.GLANCES, "ARRAY[5, 6]"),
        ):
            nodes = await plan(connection, statement, values, kept=kept)
            assert scanned(nodes) == set()
            assert sum(node.read for node in nodes) <= CHUNKS + 25, statement
    finally:
        await transaction.rollback()


@pytest.mark.parametrize("kept", [True, False])
async def test_free_slots_are_told_by_a_thousand_of_those_that_wait(
    connection: asyncpg.Connection, *, kept: bool
) -> None:
    nodes = await plan(connection, Statement.FREE_SLOTS, "'encode'", "1", "'90 s'", kept=kept)
    assert scanned(nodes) <= {"task_ready"}  # which no admission lets grow
    assert "tasks_heads" in indexes(nodes)
    assert read(nodes, "tasks") == 1000


@pytest.mark.parametrize("state", ["NULL", "'exhausted'"])
@pytest.mark.parametrize(("tenant", "job"), [("1", "NULL"), ("3", "NULL"), ("3", "5"), ("1", "5")])
async def test_a_look_at_deliveries_reads_as_many_as_it_looks_at(
    connection: asyncpg.Connection, tenant: str, job: str, state: str
) -> None:
    rest = ("'70'", "'job.failed'", "now()", "now()")
    values = (tenant, str((1 << 63) - 1), str(LIMIT), job, state, *rest)
    nodes = await plan(connection, Statement.LOOK_AT_DELIVERIES, *values, kept=False)
    assert scanned(nodes) == set()
    assert read(nodes, "webhook_deliveries") <= LIMIT
    assert read(nodes, "jobs") <= LIMIT


async def test_a_page_of_deliveries_reads_a_page(connection: asyncpg.Connection) -> None:
    nodes = await plan(connection, Statement.DELIVERIES, "ARRAY[5, 70, 900]", kept=True)
    assert scanned(nodes) == set()
    assert read(nodes, "webhook_deliveries") <= 3
    assert read(nodes, "jobs") <= 3


async def test_what_has_not_ended_is_counted_to_its_limit(connection: asyncpg.Connection) -> None:
    for kept in (True, False):
        nodes = await plan(connection, Statement.OPEN_JOBS, "1", str(LIMIT), kept=kept)
        assert scanned(nodes) == set()
        assert indexes(nodes) == {"jobs_by_state"}
        assert read(nodes, "jobs") == LIMIT


@pytest.mark.parametrize("tenant", ["1", "3"])
async def test_usage_reads_jobs_of_its_time_and_no_more_than_its_limit(
    connection: asyncpg.Connection, tenant: str
) -> None:
    times, days = ("now() - interval '1 year'", "now()"), ("DATE '2026-01-01'", "DATE '2027-01-01'")
    for kept in (True, False):
        nodes = await plan(connection, Statement.USAGE, tenant, "90", "200", *times, "1000", *days, kept=kept)
        assert scanned(nodes) == set()
        assert indexes(nodes) - {None} == {
            "jobs_by_state", "jobs_hidden", "jobs_pk", "job_outputs_pk", "removed_usage_pk"
        }  # fmt: skip
        assert 2 * 10 <= read(nodes, "jobs") <= 2 * 110  # each is found, and its presets are read
        assert read(nodes, "job_outputs") <= 110
        nodes = await plan(connection, Statement.USAGE, "1", "0", NEWEST, *times, str(LIMIT), *days, kept=kept)
        assert read(nodes, "jobs") <= 2 * 3 * LIMIT
        assert read(nodes, "job_outputs") <= 3 * LIMIT


@pytest.mark.parametrize("kept", [True, False])
async def test_what_is_told_of_the_fleet_reads_samples(connection: asyncpg.Connection, *, kept: bool) -> None:
    came = await plan(connection, Statement.ARRIVALS, str(LIMIT), "'5 min'", kept=kept)
    assert scanned(came) == set()
    assert (indexes(came) - {None}, read(came, "tasks")) == ({"tasks_pk"}, LIMIT)
    waited = await plan(connection, Statement.WAITED, str(LIMIT), "'1 year'", kept=kept)
    assert scanned(waited) == set()
    assert "jobs_ended" in indexes(waited)
    assert read(waited, "jobs") <= LIMIT
    assert read(waited, "tasks") <= LIMIT
    waiting = await plan(connection, Statement.COUNT_WAITING, "'encode'", str(LIMIT), kept=kept)
    assert scanned(waiting) == set()
    assert (indexes(waiting) - {None}, read(waiting, "tasks")) == ({"tasks_heads"}, LIMIT)
    for tenant in ("1", "3"):
        failing = await plan(connection, Statement.FAILING_DELIVERIES, tenant, str(LIMIT), kept=kept)
        assert scanned(failing) == set()
        assert read(failing, "webhook_deliveries") <= 2 * LIMIT


@pytest.mark.parametrize("kept", [True, False])
@pytest.mark.parametrize("tenant", ["NULL", "1", "7"])
async def test_a_span_reads_what_ended_in_it_and_no_more_than_its_limit(
    connection: asyncpg.Connection,
    tenant: str,
    kept: bool,  # a column of the table
) -> None:
    short, whole = ("now() - interval '200 s'", "now()"), ("now() - interval '9 days'", "now()")
    for times, most in ((short, 500), (whole, LIMIT)):
        ended = await plan(connection, Statement.ENDED_BY, tenant, *times, str(most), kept=kept)
        used = await plan(connection, Statement.USED_BY, tenant, *times, str(most), "1000", kept=kept)
        assert scanned(ended) | scanned(used) == set()
        assert indexes(ended) - {None} == {"jobs_ended"}
        assert indexes(used) - {None} == {"jobs_ended", "job_outputs_pk"}
        for nodes in (ended, used):
            assert read(nodes, "jobs") <= most
        assert read(used, "job_outputs") <= most


async def test_counting_stops_at_ten_thousand(connection: asyncpg.Connection) -> None:
    counted = await plan(connection, Statement.COUNT_JOBS, "NULL", ALL_STATES, kept=False)
    measured = await plan(connection, Statement.DEPTHS, "NULL", kept=False)
    assert scanned(counted) | scanned(measured) == set()
    assert read(counted, "jobs") <= 5 * 10_000
