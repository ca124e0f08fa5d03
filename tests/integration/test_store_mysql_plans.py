"""At 100,000 jobs each statement still reads no more than what it gives back, and locks no more than it changes.

Two measures: EXPLAIN names no table that is read whole; the session's own counters tell how many rows were read. The
rows arrive in one burst, so the statistics are those of empty tables unless a test says so. On MariaDB.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import pytest
import pytest_asyncio

from encoder import errors
from encoder.model.ids import TenantId
from encoder.store.line import START
from encoder.store.mysql import open_store, upgrade
from encoder.store.mysql.address import Address
from encoder.store.mysql.connection import Connection, connect
from encoder.store.mysql.pool import Session
from encoder.store.mysql.sql import Query, queries
from encoder.store.rows import JobFilter
from encoder.store.statements import Statement
from encoder.store.verbs import reading
from tests.lab import mariadb

JOBS = 100_000
LIMIT = 50
NEWEST = (1 << 63) - 1
HOT = {"l", "task_leases", "w", "workers"}  # as small as the fleet: a scan of these is the plan
MADE_UP = {"b", None}  # a list that came with the statement
STATES = ("queued", "processing", "completed", "failed", "cancelled")

# half of the jobs are queued, half completed, five failed; tenant 3 has a hundred; ten have a tag; then
# come 300 of tenant 7, all failed
FILL = (
    """INSERT INTO jobs (id, uuid, tenant_id, state, event_seq, spec, label, tags, created_at)
    SELECT seq, UNHEX(LPAD(HEX(seq), 32, '0')), CASE WHEN seq <= 100 THEN 3 ELSE 1 + seq % 3 % 2 END,
           CASE WHEN seq % 20000 = 0 THEN 'failed' WHEN seq % 2 = 0 THEN 'completed' ELSE 'queued' END,
           1, '{}', 'in.mp4', CASE WHEN seq % 10000 = 0 THEN '["rare"]' ELSE '[]' END, UTC_TIMESTAMP(6)
    FROM seq_1_to_100000""",
    "INSERT INTO job_tags (tenant_id, tag, job_id) SELECT tenant_id, 'rare', id FROM jobs WHERE tags <> '[]'",
    """INSERT INTO job_outputs (job_id, position, state, updated_at)
    SELECT seq, 0, 'queued', UTC_TIMESTAMP(6) FROM seq_1_to_100000""",
    """INSERT INTO tasks (id, job_id, tenant_id, name, kind, queue, state, run_at, max_attempts, args, created_at)
    SELECT seq, seq, 1, 't1', 'transcode', 'encode',
           CASE seq % 4 WHEN 1 THEN 'waiting' WHEN 3 THEN 'ready' ELSE 'scheduled' END,
           UTC_TIMESTAMP(6) + INTERVAL (seq % 1000) HOUR - INTERVAL 1 HOUR, 3, '{}', UTC_TIMESTAMP(6)
    FROM seq_1_to_100000""",
    """INSERT INTO task_ready (queue, seq, task_id, tenant_id, weight)
    SELECT queue, id, id, tenant_id, 1 FROM tasks WHERE state = 'ready'""",
    "UPDATE queues SET next_seq = 1000000",
    """INSERT INTO webhook_deliveries
      (id, job_id, tenant_id, event_seq, event_type, webhook_id, url, body, state, created_at)
    SELECT id, id, tenant_id, 1, 'job.submitted', 'w', 'u', 'b',
           CASE WHEN id % 20000 = 7 THEN 'exhausted' ELSE 'pending' END, UTC_TIMESTAMP(6) FROM jobs""",
    """INSERT INTO webhook_endpoints
      (uuid, tenant_id, name, receiver, enabled, sealed_url, secret, secret_at, created_at, updated_at)
    SELECT UNHEX(LPAD(HEX(seq), 32, '0')), seq DIV 10, seq, '{}', seq % 2, '', '', UTC_TIMESTAMP(6), UTC_TIMESTAMP(6),
           UTC_TIMESTAMP(6) FROM seq_10_to_10000""",
    """INSERT INTO job_events (job_id, seq, type, at, run, data)
    SELECT seq, 1, 'job.submitted', UTC_TIMESTAMP(6), 1, '{}' FROM seq_1_to_100000""",
    """INSERT INTO uploads (id, tenant_id, `key`, file_name, content_type, state, created_at, expires_at, look_at)
    SELECT uuid, tenant_id, 'k', 'in.mp4', 'video/mp4', 'pending', UTC_TIMESTAMP(6), UTC_TIMESTAMP(6), UTC_TIMESTAMP(6)
    FROM jobs""",
    """INSERT INTO jobs
      (id, uuid, tenant_id, state, event_seq, spec, label, tags, created_at, finished_at, problem)
    SELECT 100000 + seq, UNHEX(LPAD(HEX(100000 + seq), 32, '0')), 7, 'failed', 1, '{}', 'in.mp4', '[]',
           UTC_TIMESTAMP(6), UTC_TIMESTAMP(6), '{"code": "worker_lost", "class": "crash"}' FROM seq_1_to_300""",
)


SPAN = (datetime(2000, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def crowded(maria: mariadb.Server) -> AsyncIterator[str]:
    """A database with a backlog that came in one burst."""
    async with maria.empty() as dsn:
        await upgrade(dsn)
        await mariadb.run(dsn, *FILL)
        yield dsn


@pytest.fixture
async def connection(crowded: str) -> AsyncIterator[Connection]:
    opened = await connect(Address.of(crowded))
    # whoever opens a table first reads what the server's own tables say of it: some twenty rows more, now and then
    await opened.say("SET SESSION use_stat_tables = 'never'")
    yield opened
    opened.close()


async def read_whole(connection: Connection, query: Query, *values: object) -> set[str]:
    """The tables, by their names in the statement, that EXPLAIN says are read from end to end."""
    explained = await connection.ask(Query(f"EXPLAIN {query.text}", query.order), *values)
    return {
        row["table"]
        for row in explained
        if row["type"] in {"ALL", "index"} and row["table"] not in MADE_UP | HOT and not row["table"].startswith("<")
    }


_COUNTERS = Query.of("SHOW SESSION STATUS LIKE 'Handler_read%'")
_ROLL_BACK = "ROLLBACK"


async def handled(connection: Connection) -> int:
    """How many rows the session has read so far."""
    return sum(int(row["Value"]) for row in await connection.ask(_COUNTERS))


@asynccontextmanager
async def counted(connection: Connection) -> AsyncIterator[list[int]]:
    """How many rows are read within; nothing of it is kept."""
    read: list[int] = []
    await connection.say("FLUSH STATUS")  # commits what is open
    await connection.say("START TRANSACTION")
    yield read
    read.append(await handled(connection))
    await connection.say(_ROLL_BACK)


async def test_a_claim_reads_few_rows_per_task(connection: Connection) -> None:
    """G17"""
    async with counted(connection) as read:
        rows = await Session(connection).fetch(
            Statement.CLAIM, "encode", START, 3, uuid4(), timedelta(minutes=1), timedelta(minutes=1)
        )
    assert [row["picked"] for row in rows] == [3, 3, 3]
    # of each task: its place twice, itself three times, and its number in five lists, each with an end
    assert read[0] <= 3 * (5 + 2 * 5) + 2 * 5 + 4
    for query in queries("claim"):
        assert await read_whole(connection, query, "encode", START, 3, uuid4(), 1, 1) == set()


async def test_a_claim_reads_as_few_when_statistics_come(connection: Connection) -> None:
    await connection.say("ANALYZE TABLE jobs, tasks, task_ready, task_leases")
    await test_a_claim_reads_few_rows_per_task(connection)


async def test_an_idle_queue_costs_a_claim_two_looks(connection: Connection) -> None:
    peek = queries("claim")[0]
    async with counted(connection) as read:
        assert await connection.ask(peek, "io", START, 3) == []
    assert read[0] <= 2


async def test_a_look_for_secrets_that_should_be_gone_reads_a_thousand_jobs(connection: Connection) -> None:
    """However many ended without any, which stand in the same index."""
    (signs,) = queries("signs")
    await connection.say("START TRANSACTION")
    await connection.say("UPDATE jobs SET finished_at = UTC_TIMESTAMP(6) - INTERVAL id SECOND WHERE id <= 5000")
    await connection.say("UPDATE jobs SET sealed = 'x' WHERE id IN (7, 70, 4000)")
    before = await handled(connection)
    (row,) = await connection.ask(signs, "io", timedelta(seconds=10))
    assert row["secrets_overdue"] == 1, "one has its day yet, one is older than a thousand others"
    assert await handled(connection) - before < 4000  # each job once, and what was made of it
    await connection.say(_ROLL_BACK)


@pytest.mark.parametrize(("job", "state", "most"), [(1, "waiting", 30), (2, "scheduled", 30), (3, "ready", 60)])
async def test_a_claim_of_one_job_reads_it_by_its_key_and_nothing_of_other_lines(
    connection: Connection, job: int, state: str, most: int
) -> None:
    """Of its own line, all; where it stands in none, nothing. A line is as long as there are slots: here nine."""
    async with counted(connection):
        (place,) = await connection.ask(Query.of("SELECT state FROM tasks WHERE job_id = $1"), job)
        assert place["state"] == state
        await connection.say("UPDATE task_ready SET queue = 'gpu' WHERE seq > 36")
        before = await handled(connection)
        (claimed,) = await Session(connection).fetch(Statement.CLAIM_JOB, job, uuid4(), *[timedelta(minutes=1)] * 2)
        read_by_it = await handled(connection) - before
    assert claimed["job_id"] == job
    assert read_by_it <= most
    (_, find_place) = queries("claim_job")
    assert await read_whole(connection, find_place, "encode", 3) == set()


async def test_a_sweep_of_secrets_reads_as_many_jobs_as_it_looks_at_though_none_had_any(connection: Connection) -> None:
    await connection.say("START TRANSACTION")
    await connection.say("UPDATE jobs SET finished_at = UTC_TIMESTAMP(6) - INTERVAL 9 DAY WHERE id <= 5000")
    await connection.say("UPDATE jobs SET sealed = 'x', state = 'completed' WHERE id IN (7, 70, 4000)")
    before = await handled(connection)
    (row,) = await Session(connection).fetch(Statement.ERASE_SECRETS, timedelta(days=1), LIMIT, NOW, 0)
    assert (row["id"], row["erased"]) == (LIMIT, 1)
    assert await handled(connection) - before <= 3 * LIMIT
    (row,) = await Session(connection).fetch(Statement.ERASE_SECRETS, timedelta(days=1), LIMIT, row["at"], row["id"])
    assert (row["id"], row["erased"]) == (2 * LIMIT, 1)
    assert await handled(connection) - before <= 6 * LIMIT
    await connection.say(_ROLL_BACK)


async def test_an_admission_looks_once_at_each_tenant_and_reads_what_it_may_choose(connection: Connection) -> None:
    next_tenant, _ = queries("waiting_tenants")
    async with counted(connection) as read:
        assert await connection.ask(next_tenant, "encode", 0) == [{"tenant_id": 1}]
        assert await connection.ask(next_tenant, "encode", 1) == []
    assert read[0] <= 2
    async with counted(connection) as read:
        heads = await Session(connection).fetch(Statement.HEADS, "encode", [1], 5)
    assert [head["id"] for head in heads] == [1, 5, 9, 13, 17]
    assert read[0] <= 5
    async with counted(connection) as read:
        await Session(connection).fetch(Statement.ADMIT, [9, 1, 5])
    assert read[0] <= 40


async def test_the_due_sweep_reads_what_is_due(connection: Connection) -> None:
    async with counted(connection) as read:
        rows = await Session(connection).fetch(Statement.DUE, LIMIT)
    assert [row["queue"] for row in rows] == ["encode"]
    assert read[0] <= 10 * LIMIT + 10
    async with counted(connection) as read:
        (row,) = await Session(connection).fetch(Statement.NEXT_DUE)
    assert row["seconds"] < 0
    assert read[0] <= 2


async def test_the_ear_reads_a_row_per_queue(connection: Connection) -> None:
    (look,) = queries("wake")
    async with counted(connection) as read:
        assert [row["hint"] for row in await connection.ask(look)] == ["ready:encode"]
    assert read[0] <= 12


@pytest.mark.parametrize("states", [STATES, ("queued",), ("failed",), ("processing", "failed")])
@pytest.mark.parametrize("tenant", [1, 3])
async def test_a_page_of_jobs_reads_a_page_per_state_however_rare(
    connection: Connection, tenant: int, states: Sequence[str]
) -> None:
    filters = (tenant, states, NEWEST, LIMIT, None, None, None, None, 0, None, None, None)
    async with counted(connection) as read:
        rows = await Session(connection).fetch(Statement.FIND_JOBS, *filters)
    assert len(rows) == len({row["id"] for row in rows})
    assert read[0] <= 14 * LIMIT
    assert await read_whole(connection, queries("find_jobs")[0], *filters) == set()


async def test_a_page_of_a_rare_tag_is_found_by_the_tag(connection: Connection) -> None:
    filters = (1, STATES, NEWEST, LIMIT, "rare", None, None, None, 0, None, None, None)
    async with counted(connection) as read:
        rows = await Session(connection).fetch(Statement.FIND_JOBS, *filters)
    assert len(rows) >= 4
    assert read[0] <= 10 * 10
    assert await read_whole(connection, queries("find_jobs")[1], *filters) == set()


async def test_a_page_of_a_code_reads_what_failed_and_its_outputs(connection: Connection) -> None:
    filters = (7, STATES, NEWEST, LIMIT, None, None, None, None, 0, None, None, "nope")
    async with counted(connection) as read:
        assert not await Session(connection).fetch(Statement.FIND_JOBS, *filters)
    assert read[0] <= 3 * 300
    assert await read_whole(connection, queries("find_jobs")[0], *filters) == set()


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
        (Statement.DEAD_GROUPS, (7, LIMIT, None, None)),
        (Statement.DEAD_JOBS, (7, 0, LIMIT, None, None, None, None)),
        (Statement.DEAD_JOBS, (7, 100_100, LIMIT, "other", "crash", datetime.now(UTC), datetime.now(UTC))),
    ],
)
async def test_a_look_at_what_failed_reads_so_many_whatever_matches(
    connection: Connection, statement: Statement, values: Sequence[object]
) -> None:
    async with counted(connection) as read:
        assert await Session(connection).fetch(statement, *values)
    assert read[0] <= 3 * LIMIT + 5  # a group is read, written down, and counted
    (query,) = queries(statement)
    assert await read_whole(connection, query, *values) == set()


CHUNKS = 40  # of job 5, of which three are being made
IN_CHUNKS = (
    """INSERT INTO tasks
      (id, job_id, tenant_id, name, kind, queue, state, pending, run_at, max_attempts, args, created_at)
    SELECT 300000, 5, 1, 't1/join', 'assemble', 'encode', 'blocked', 40, UTC_TIMESTAMP(6), 3, '{"chunks": 44}',
      UTC_TIMESTAMP(6)""",
    """INSERT INTO tasks (job_id, tenant_id, name, kind, queue, state, then_id, run_at, max_attempts, args, created_at)
    SELECT 5, 1, CONCAT('t1/c', seq), 'chunk', 'encode',
      CASE WHEN seq <= 3 THEN 'running' WHEN seq < 30 THEN 'done' ELSE 'waiting' END, 300000, UTC_TIMESTAMP(6), 3,
      '{"outputs": [0], "frames": 100}', UTC_TIMESTAMP(6) FROM seq_1_to_40""",
    """INSERT INTO task_leases
      (task_id, epoch, worker_id, queue, tenant_id, weight, expires_at, deadline_at, beat_at, cancel)
    SELECT id, 1, UNHEX(LPAD(HEX(id), 32, '0')), 'encode', 1, 1, UTC_TIMESTAMP(6), UTC_TIMESTAMP(6), UTC_TIMESTAMP(6), 0
    FROM tasks WHERE then_id = 300000 AND state = 'running'""",
)


@pytest.mark.parametrize(
    ("statement", "values"),
    [(Statement.CHUNKS, [300_000]), (Statement.GLANCES, [5, 6])],
)
async def test_how_far_a_job_in_chunks_is_reads_each_chunk_a_few_times(
    connection: Connection, statement: Statement, values: list[int]
) -> None:
    async with counted(connection):
        for made in IN_CHUNKS:
            await connection.say(made)
        before = await handled(connection)
        assert await Session(connection).fetch(statement, values)
        read_by_it = await handled(connection) - before
    assert CHUNKS <= read_by_it <= 3 * CHUNKS + 30  # read, counted, written down
    (query,) = queries(statement)
    assert await read_whole(connection, query, values) == set()


async def test_free_slots_are_told_by_a_thousand_of_those_that_wait(connection: Connection) -> None:
    """And by those that stand in line, whom no admission lets be so many."""
    async with counted(connection) as line:
        await connection.ask(Query.of("SELECT COUNT(*) AS tasks FROM task_ready WHERE queue = 'encode'"))
    async with counted(connection) as read:
        await Session(connection).fetch(Statement.FREE_SLOTS, "encode", 1, timedelta(seconds=90))
    assert read[0] <= 2 * line[0] + 2 * 1000 + 20  # each that waits is read and written down


NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("statement", "values"),
    [
        (Statement.JOB, (5, None, 1, False, timedelta(seconds=90))),
        (Statement.JOB, (None, UUID(int=5), 1, False, timedelta(seconds=90))),
        (Statement.LOCK_JOB, (5,)),
        (Statement.LOCK_FREE_JOB, (5,)),
        (Statement.LOCK_QUEUE, ("encode",)),
        (Statement.HOLDUPS, (1, ["encode", "io"], timedelta(seconds=90))),
        (Statement.KNOWN_QUEUES, ()),
        (Statement.OUTPUTS_OF_JOBS, ([5, 6, 7],)),
        (Statement.HOLD_TASK, (5, 1, 5)),
        (Statement.EVENTS, (5, 0, 500)),
        (Statement.LOG, (5, 0)),
        (Statement.JOBS_NOW, ([5, 6, 7],)),
        (Statement.GLANCES, ([5, 6, 7],)),
        (Statement.CHUNKS, ([5, 6],)),
        (Statement.EVENTS_OF_JOBS, ([5, 6, 7], [0, 0, 1], 500)),
        (Statement.MOMENT, ()),
        (Statement.STIRRED, ([1, 3], 100_000 - 5, datetime(9000, 1, 1, tzinfo=UTC), 50)),
        (Statement.CLOSE_TASK, (5, 1, "done", timedelta(0), 0, 0, None, False, None)),
        (Statement.OPEN_NEXT, (5, 1, True)),
        (Statement.SIBLINGS, (5,)),
        (Statement.CANCEL_PARTS, ([5, 6],)),
        (Statement.FLAG_PARTS, ([5, 6],)),
        (Statement.LIVE, (5,)),
        (Statement.PARTS, (5,)),
        (Statement.NOTE_CHUNKS, (5,)),
        (Statement.CHUNKED_JOBS, (LIMIT, 0)),
        (Statement.HAVE_CHUNKS, ([5, 6],)),
        (Statement.FORGET_CHUNKS, ([5, 6], NOW)),
        (Statement.SETTLED_BEFORE, (5,)),
        (Statement.HELD, (5, 1)),
        (Statement.SET_DEADLINE, (5, 1, timedelta(1))),
        (Statement.CANCEL_TASKS, (5,)),
        (Statement.FLAG_LEASES, (5,)),
        (Statement.OPEN_ROOT, (5, "t2", 0, 3, "gpu")),
        (Statement.GONE, (5, 5)),
        (Statement.DELIVERY, (5, False)),
        (Statement.REOPEN_DELIVERY, (1, 5)),
        (Statement.ENDPOINTS, (7, None)),
        (Statement.ENDPOINTS, (7, "70")),
        (Statement.HOLD_ENDPOINT, (7, "70")),
        (Statement.PUT_ENDPOINT, (UUID(int=70), 7, "70", "{}", True, b"", b"")),
        (Statement.ROTATE_ENDPOINT, (7, "70", UUID(int=70), b"", timedelta(days=1))),
        (Statement.REMOVE_ENDPOINT, (7, "70")),
        (Statement.TESTS_OF_ENDPOINT, (-5,)),
        (Statement.TEST_ENDPOINT, (-5, 7, "70", 1, "x", "w", "u", "b", 10)),
        (Statement.REPLAY, (5, 5, "n/5", 10)),
        (Statement.TOLD, (5, "delivered", True, NOW, 204, None, "")),
        (Statement.UPLOAD, (UUID(int=5), 1)),
        (Statement.UPLOAD, (UUID(int=5), None)),
        (Statement.UPLOAD_ARRIVED, (UUID(int=5), 7, timedelta(seconds=5))),
        (Statement.TAKE_UPLOAD_JOB, (UUID(int=5),)),
        (Statement.UPLOAD_DONE, (UUID(int=5),)),
        (Statement.END_UPLOAD, (UUID(int=5), "failed", "upload_expired", timedelta(0))),
        (Statement.HOLD_UPLOAD, (UUID(int=5), UUID(int=6), timedelta(minutes=1))),
        (Statement.MOVE_UPLOAD, (UUID(int=5), UUID(int=6), 7, "m", timedelta(minutes=1), timedelta(hours=1))),
        (Statement.FREE_UPLOAD, (UUID(int=5), UUID(int=6))),
        (Statement.LOOK_UPLOADS, (3,)),
        (Statement.SPENT_UPLOADS, (timedelta(hours=-1), 3, NOW, UUID(int=0), timedelta(hours=1))),
        (Statement.MARK_UPLOADS, ([UUID(int=5)],)),
        (Statement.UPLOADS_THERE, ([UUID(int=5)],)),
        (Statement.MARK_JOBS, ([5, 6], NOW)),
        (Statement.MARKED_JOBS, (3, NOW, 0, timedelta(0))),
        (Statement.IS_PURGING, (UUID(int=5),)),
        (Statement.PLACES_OF_JOBS, ([5, 6],)),
        (Statement.JOBS_THERE, ([UUID(int=5)],)),
        (Statement.FREE_KEYS, (timedelta(hours=-1), 3, NOW, 0)),
        (Statement.DUE_JOBS, ('[{"hours": 1}]', timedelta(hours=-1), 3, NOW, 0)),
        (Statement.REMOVE_UPLOADS, ([UUID(int=5)],)),
        (Statement.ENQUEUED_BEFORE, (1, "k")),
        (Statement.FREE_KEY, (1, "k")),
        (Statement.ERASE_SECRETS, (timedelta(1), LIMIT, NOW, 0)),
        (Statement.EXPIRED, (100,)),
        (Statement.RUNNING, ([uuid4()],)),
        (Statement.LOCK_ENDED, ([4],)),
        (Statement.REMOVE_JOBS, ([4],)),
        (
            Statement.RECORD,
            (
                *(5, NOW, "queued", 1, False, 1, None, None),
                '[{"position": 0, "state": null, "attempts": null, "log": null}]',
                '[{"seq": 2, "type": "x", "output": null, "data": {}}]',
                '[{"receiver": "", "seq": 2, "type": "x", "webhook_id": "w", "url": "u", "body": 1}]',
                ["b"],
                10,
            ),
        ),
    ],
)
async def test_what_is_named_by_its_key_is_read_by_it(
    connection: Connection, statement: Statement, values: Sequence[object]
) -> None:
    async with counted(connection) as read:
        await Session(connection).fetch(statement, *values)
    assert read[0] <= 30, read


@pytest.mark.parametrize("state", [None, "exhausted"])
@pytest.mark.parametrize("job", [None, 5])
@pytest.mark.parametrize("tenant", [1, 3])
async def test_a_look_at_deliveries_reads_as_many_as_it_looks_at(
    connection: Connection, tenant: int, job: int | None, state: str | None
) -> None:
    values = (tenant, (1 << 63) - 1, LIMIT, job, state, "70", "job.failed", NOW, NOW)
    async with counted(connection) as read:
        await Session(connection).fetch(Statement.LOOK_AT_DELIVERIES, *values)
    assert read[0] <= 2 * LIMIT + 2


async def test_a_page_of_deliveries_reads_a_page(connection: Connection) -> None:
    async with counted(connection) as read:
        await Session(connection).fetch(Statement.DELIVERIES, [5, 70, 900])
    assert read[0] <= 3 * 5 + 4, read  # each with its job and its task


async def test_what_has_not_ended_is_counted_to_its_limit(connection: Connection) -> None:
    async with counted(connection) as read:
        (row,) = await Session(connection).fetch(Statement.OPEN_JOBS, 1, LIMIT)
    assert row["jobs"] == LIMIT
    assert read[0] <= 2 * LIMIT + 5  # each is read, written down, and counted
    (query,) = queries("open_jobs")
    assert await read_whole(connection, query, 1, LIMIT) == set()


@pytest.mark.parametrize("tenant", [1, 3])
async def test_usage_reads_jobs_of_its_time_and_no_more_than_its_limit(connection: Connection, tenant: int) -> None:
    times = (datetime(2000, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC))
    days = (date(2000, 1, 1), date(9000, 1, 1))
    async with counted(connection) as read:
        (row,) = await Session(connection).fetch(Statement.USAGE, tenant, 90, 200, *times, 1000, *days)
    assert 10 <= row["jobs"] <= 110
    assert read[0] <= 6 * 110 + 20  # each is read, written down, read for its presets, and so is its output
    async with counted(connection) as read:
        (row,) = await Session(connection).fetch(Statement.USAGE, 1, 0, NEWEST, *times, LIMIT, *days)
    assert row["jobs"] == LIMIT
    assert read[0] <= 6 * LIMIT + 20
    (query,) = queries("usage")
    assert await read_whole(connection, query, 1, 0, NEWEST, *times, LIMIT, *days) == set()


@pytest.mark.parametrize(
    ("statement", "values", "each"),
    [
        (Statement.ARRIVALS, (LIMIT, timedelta(minutes=5)), 3),
        (Statement.WAITED, (LIMIT, timedelta(days=365)), 6),
        (Statement.COUNT_WAITING, ("encode", LIMIT), 3),
        (Statement.FAILING_DELIVERIES, (1, LIMIT), 4),
        (Statement.FAILING_DELIVERIES, (3, LIMIT), 4),
        (Statement.ENDED_BY, (None, *SPAN, LIMIT), 3),
        (Statement.ENDED_BY, (7, *SPAN, LIMIT), 3),
        (Statement.USED_BY, (None, *SPAN, LIMIT, 1000), 6),
        (Statement.USED_BY, (1, *SPAN, LIMIT, 1000), 6),
    ],
)
async def test_what_is_told_of_the_whole_reads_samples(
    connection: Connection, statement: Statement, values: Sequence[object], each: int
) -> None:
    async with counted(connection) as read:
        await Session(connection).fetch(statement, *values)
    assert read[0] <= each * LIMIT + 20, read


async def test_counting_stops_at_ten_thousand(connection: Connection) -> None:
    async with counted(connection) as read:
        rows = await Session(connection).fetch(Statement.COUNT_JOBS, None, STATES)
    counts = {row["state"]: row["jobs"] for row in rows}
    assert (counts["queued"], counts["failed"]) == (10_000, 305)
    assert read[0] <= 65_000  # each is read, written down, and counted
    async with counted(connection) as read:
        encode, io = await Session(connection).fetch(Statement.DEPTHS, None)
    assert (encode["waiting"], encode["ready"], encode["scheduled"], io["ready"]) == (10_000, 10_000, 10_000, 0)
    assert read[0] <= 250_000


async def locked(connection: Connection, watcher: Connection) -> int:
    """How many rows the open transaction of a session has locked."""
    (own,) = await connection.ask(Query.of("SELECT CONNECTION_ID() AS id"))
    await asyncio.sleep(0.12)  # InnoDB shows its transactions anew only to who has not looked for 100 ms
    asked = "SELECT trx_rows_locked AS locked FROM information_schema.innodb_trx WHERE trx_mysql_thread_id = $1"
    (row,) = await watcher.ask(Query.of(asked), own["id"])
    return int(row["locked"])


@pytest.fixture
async def watcher(crowded: str) -> AsyncIterator[Connection]:
    opened = await connect(Address.of(crowded))
    # whoever opens a table first reads what the server's own tables say of it: some twenty rows more, now and then
    await opened.say("SET SESSION use_stat_tables = 'never'")
    yield opened
    opened.close()


async def test_a_claim_locks_what_it_takes_and_its_rival_gets_the_next(
    connection: Connection, watcher: Connection, crowded: str
) -> None:
    """The lock budget: 2 × LIMIT + 2 for the line, and the tasks and leases that are won."""
    rival = await connect(Address.of(crowded))
    values = ("encode", START, 3, uuid4(), timedelta(minutes=1), timedelta(minutes=1))
    for each in (connection, rival):
        await each.say("START TRANSACTION")
    first = await Session(connection).fetch(Statement.CLAIM, *values)
    second = await Session(rival).fetch(Statement.CLAIM, *values)
    taken = [{row["task_id"] for row in rows} for rows in (first, second)]
    assert [len(ids) for ids in taken] == [3, 3]
    assert not taken[0] & taken[1]
    for each in (connection, rival):
        assert await locked(each, watcher) <= (2 * 3 + 2) + 2 * 3
        await each.say("ROLLBACK")
    rival.close()


@pytest.mark.parametrize(
    ("statement", "values", "most"),
    [
        (Statement.LOCK_JOB, (5,), 1),
        (Statement.HOLD_TASK, (5, 1, 5), 1),
        (Statement.CLOSE_TASK, (5, 1, "done", timedelta(0), 0, 0, None, False, None), 2),
        (Statement.CANCEL_TASKS, (5,), 1),
        (Statement.FLAG_LEASES, (5,), 1),
        (Statement.GONE, (5, 5), 2),
        (Statement.DUE, (3,), 2 * 3 + 2),
        (Statement.TOLD, (5, "delivered", True, NOW, 204, None, ""), 1),
        (Statement.OPEN_ROOT, (5, "t2", 0, 3, "gpu"), 1),
    ],
)
async def test_a_verb_locks_no_more_than_it_changes(
    connection: Connection, watcher: Connection, statement: Statement, values: Sequence[object], most: int
) -> None:
    await connection.say("START TRANSACTION")
    await connection.say("SELECT 1 FROM uploads LIMIT 1 FOR UPDATE")  # so that there is a transaction to look at
    before = await locked(connection, watcher)
    await Session(connection).fetch(statement, *values)
    after = await locked(connection, watcher)
    await connection.say("ROLLBACK")
    assert after - before <= most


async def test_an_empty_queue_is_locked_for_nobody(connection: Connection, crowded: str) -> None:
    """A gap that is locked keeps every enqueue out (ratchet#178): hence READ COMMITTED."""
    await connection.say("START TRANSACTION")
    (pick,) = queries("claim")[1:2]
    assert await connection.ask(pick, "gpu", START, 3) == []
    other = await connect(Address.of(crowded), lock_wait_s=1)
    await other.say("START TRANSACTION")
    await other.say("INSERT INTO task_ready VALUES ('gpu', 1, 1, 1, 1)")
    await other.say("ROLLBACK")
    await connection.say("ROLLBACK")
    other.close()
