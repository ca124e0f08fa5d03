"""The store on MariaDB, when connections break, hang or are too few, and when rivals meet."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from asyncmy import errors as driver

from encoder import errors
from encoder.store import advice
from encoder.store.mysql import MysqlStore, ear, open_store
from encoder.store.mysql.address import Address
from encoder.store.mysql.connection import Connection, connect
from encoder.store.mysql.pool import Pool, Session
from encoder.store.mysql.sql import Query
from encoder.store.rows import Beat
from tests.contracts.store_workers import Heard, listening
from tests.lab import mariadb, work
from tests.lab.gate import Gate

SLEEP = Query.of("SELECT SLEEP(60), 'old' AS told")
SLEEPING = "SELECT id FROM information_schema.processlist WHERE db = DATABASE() AND info LIKE 'SELECT SLEEP%'"
OURS = "SELECT id FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID()"


@pytest.fixture
async def dsn(maria: mariadb.Server) -> AsyncIterator[str]:
    async with maria.ready() as address:
        yield address


@pytest.fixture
async def scratch(maria: mariadb.Server) -> AsyncIterator[str]:
    """A database for tables of the test's own."""
    async with maria.empty() as address:
        yield address


@pytest.fixture
async def store(dsn: str) -> AsyncIterator[MysqlStore]:
    opened = await open_store(dsn)
    yield opened
    await opened.close()


@asynccontextmanager
async def pool(dsn: str, *, size: int = 4) -> AsyncIterator[Pool]:
    opened = Pool(Address.of(dsn), size=size)
    try:
        yield opened
    finally:
        await opened.close()


async def kill(dsn: str) -> int:
    """End all connections to the database; how many there were."""
    there = await mariadb.ask(dsn, OURS)
    for (number,) in there:
        await mariadb.run(dsn, f"KILL {number}")
    return len(there)


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(20):
        while not await holds():
            await asyncio.sleep(0.02)


async def test_an_ear_hears_again_after_its_connection_was_ended(store: MysqlStore, dsn: str) -> None:
    async with listening(store) as heard:
        assert await kill(dsn) >= 1
        await heard.until("reconnected")
        await store.hint("ready:encode")
        await heard.until("ready:encode")


async def test_an_ear_finds_what_another_process_has_enqueued_or_cancelled(store: MysqlStore, dsn: str) -> None:
    """G11, G12: nobody tells it; it looks."""
    other = await open_store(dsn)
    async with listening(store) as heard:
        job = await work.enqueue(other)
        await heard.until("ready:encode")
        (claim,) = await work.claim(other)
        await other.cancel(job.id)
        await heard.until(f"cancel:{job.id}")
        await other.settle(claim, work.CANCELLED)
    await other.close()


async def test_an_ear_tells_a_cancel_once_and_work_as_long_as_it_stands_in_line(
    store: MysqlStore, dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ear, "IDLE_S", 0.02)
    monkeypatch.setattr(ear, "BUSY_S", 0.02)
    other = await open_store(dsn)
    async with listening(store) as heard:
        job, _ = await work.working(other)
        await other.cancel(job.id)
        await heard.until(f"cancel:{job.id}")
        await work.enqueue(other)
        hints = [await heard.next() for _ in range(5)]
    assert set(hints) == {"ready:encode"}
    await other.close()


async def test_an_ear_whose_line_is_dead_says_that_it_is_deaf(dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with Gate(target=dsn) as gate:
        store = await open_store(gate.dsn)
        one, heard = store.ear(), Heard()
        listener = asyncio.create_task(one.listen(heard))
        await heard.until("reconnected")
        assert one.healthy
        monkeypatch.setattr("encoder.store.mysql.connection.STATEMENT_S", 0.3)
        gate.deaden()
        await heard.until("reconnected")
        listener.cancel()
        with suppress(asyncio.CancelledError):
            await listener
        await store.close()


async def test_a_heart_beats_on_after_its_connection_was_ended(store: MysqlStore, dsn: str) -> None:
    """K3"""
    _, claim = await work.working(store)
    heart, beats = store.heart(), [Beat(task_id=claim.task_id, epoch=claim.epoch)]
    worker = work.new_worker().id
    await heart.beat(worker, beats, lease=work.LEASE)
    assert await kill(dsn) >= 1
    with suppress(errors.StoreUnavailable):  # the one that finds it out
        await heart.beat(worker, beats, lease=work.LEASE)
    assert len(await heart.beat(worker, beats, lease=work.LEASE)) == 1
    await heart.close()
    with suppress(errors.StoreUnavailable):  # the pool finds it out too
        await store.ping()
    await store.settle(claim, work.done(0))
    job = await store.job(claim.tenant_id, str(claim.job_id))
    assert job is not None
    assert (job.state, job.outputs[0].attempts) == ("completed", 1)


async def test_a_heart_does_not_need_the_pool(dsn: str) -> None:
    store = await open_store(dsn, pool_size=1)
    heart = store.heart()
    held, release = asyncio.Event(), asyncio.Event()

    async def hold(_session: object) -> None:
        held.set()
        await release.wait()

    holder = asyncio.create_task(store._pool.transaction(hold))
    await held.wait()
    assert await heart.beat(work.new_worker().id, [], lease=work.LEASE) == []
    release.set()
    await holder
    await heart.close()
    await store.close()


async def test_a_store_works_on_after_all_its_connections_were_ended(store: MysqlStore, dsn: str) -> None:
    await work.enqueue(store)
    await kill(dsn)
    for _ in range(3):
        with suppress(errors.StoreUnavailable):
            await store.ping()
    assert len(await work.claim(store)) == 1


async def test_a_cancelled_query_never_answers_the_next(dsn: str) -> None:
    async with pool(dsn, size=1) as one:
        for number in range(5):
            sleeping = asyncio.create_task(one.ask(SLEEP))
            await until(lambda: _any(dsn, SLEEPING))
            sleeping.cancel()
            with pytest.raises(asyncio.CancelledError):
                await sleeping
            (row,) = await one.ask(Query.of("SELECT $1 AS new"), number)
            assert row["new"] == number
            for (id_,) in await mariadb.ask(dsn, SLEEPING):
                await mariadb.run(dsn, f"KILL {id_}")


async def _any(dsn: str, question: str) -> bool:
    return bool(await mariadb.ask(dsn, question))


async def test_a_cancelled_transaction_leaves_nothing(scratch: str) -> None:
    await mariadb.run(scratch, "CREATE TABLE noted (n integer)")

    async def write(session: Session) -> None:
        await session.connection.say("INSERT INTO noted VALUES (1)")
        await session.connection.ask(SLEEP)

    async with pool(scratch, size=1) as one:
        writing = asyncio.create_task(one.transaction(write))
        await until(lambda: _any(scratch, SLEEPING))
        writing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await writing
        for (id_,) in await mariadb.ask(scratch, SLEEPING):
            await mariadb.run(scratch, f"KILL {id_}")
        await until(lambda: _none(scratch, SLEEPING))
        assert await mariadb.ask(scratch, "SELECT count(*) FROM noted") == [(0,)]


async def _none(dsn: str, question: str) -> bool:
    return not await mariadb.ask(dsn, question)


async def test_who_loses_a_deadlock_begins_again(scratch: str) -> None:
    """Error 1213."""
    await mariadb.run(scratch, "CREATE TABLE pair (n integer PRIMARY KEY, hits integer)")
    await mariadb.run(scratch, "INSERT INTO pair VALUES (1, 0), (2, 0)")
    both_hold = asyncio.Barrier(2)
    attempts = 0

    async def cross(session: Session, first: int, second: int) -> None:
        nonlocal attempts
        attempts += 1
        hit = Query.of("UPDATE pair SET hits = hits + 1 WHERE n = $1")
        await session.connection.write(hit, first)
        if attempts <= 2:
            await both_hold.wait()
        await session.connection.write(hit, second)

    async with pool(scratch) as both:
        await asyncio.gather(
            both.transaction(lambda session: cross(session, 1, 2)),
            both.transaction(lambda session: cross(session, 2, 1)),
        )
    assert attempts == 3
    assert await mariadb.ask(scratch, "SELECT hits FROM pair ORDER BY n") == [(2,), (2,)]


async def test_who_waits_too_long_for_a_lock_begins_the_whole_again(scratch: str) -> None:
    """Error 1205 rolls one statement back: what came before it must not be kept without it."""
    await mariadb.run(scratch, "CREATE TABLE pair (n integer PRIMARY KEY, hits integer)")
    await mariadb.run(scratch, "INSERT INTO pair VALUES (1, 0), (2, 0)")
    holder = await connect(Address.of(scratch))
    await holder.say("START TRANSACTION")
    await holder.say("UPDATE pair SET hits = 5 WHERE n = 2")
    attempts = 0

    async def both(session: Session) -> None:
        nonlocal attempts
        attempts += 1
        if attempts == 2:
            await holder.say("COMMIT")
        await session.connection.say("SET SESSION innodb_lock_wait_timeout = 1")
        await session.connection.say("UPDATE pair SET hits = hits + 1 WHERE n = 1")
        await session.connection.say("UPDATE pair SET hits = hits + 1 WHERE n = 2")

    async with pool(scratch) as one:
        await one.transaction(both)
    holder.close()
    assert attempts == 2
    assert await mariadb.ask(scratch, "SELECT hits FROM pair ORDER BY n") == [(1,), (6,)]


async def test_an_error_of_the_work_rolls_back_and_keeps_the_connection(scratch: str) -> None:
    await mariadb.run(scratch, "CREATE TABLE noted (n integer)")
    sessions = set()

    async def fail(session: Session) -> None:
        await session.connection.say("INSERT INTO noted VALUES (1)")
        (row,) = await session.connection.ask(Query.of("SELECT CONNECTION_ID() AS id"))
        sessions.add(row["id"])
        raise errors.LeaseLost

    async with pool(scratch, size=1) as one:
        for _ in range(3):
            with pytest.raises(errors.LeaseLost):
                await one.transaction(fail)
        assert await mariadb.ask(scratch, "SELECT count(*) FROM noted") == [(0,)]
    assert len(sessions) == 1


async def test_a_pool_that_is_used_up_says_so_soon(dsn: str) -> None:
    """K7"""
    async with pool(dsn, size=1) as one:

        async def ask(_session: object) -> None:
            with pytest.raises(errors.StoreUnavailable):
                await one.ask(Query.of("SELECT 1"))

        await one.transaction(ask)


async def test_a_database_that_is_read_only_is_unavailable(dsn: str, maria: mariadb.Server) -> None:
    name = urlsplit(dsn).path[1:]
    await maria.administer(
        "CREATE USER reader@'127.0.0.1'", f"GRANT SELECT, INSERT, UPDATE, DELETE ON {name}.* TO reader@'127.0.0.1'"
    )
    store = await open_store(urlsplit(dsn)._replace(netloc=f"reader@127.0.0.1:{urlsplit(dsn).port}").geturl())
    await maria.administer("SET GLOBAL read_only = 1")
    try:
        await store.ping()
        with pytest.raises(errors.StoreUnavailable, match=r"read-only|read_only"):
            await work.enqueue(store)
    finally:
        await maria.administer("SET GLOBAL read_only = 0", "DROP USER reader@'127.0.0.1'")
        await store.close()


async def test_a_server_that_is_not_there_is_unavailable(dsn: str) -> None:
    with pytest.raises(errors.StoreUnavailable):
        await open_store(urlsplit(dsn)._replace(netloc="encoder:x@127.0.0.1:1").geturl())


async def test_a_wrong_password_is_said(dsn: str) -> None:
    parts = urlsplit(dsn)
    with pytest.raises(errors.StoreUnavailable, match="using password: YES") as refused:
        await open_store(parts._replace(netloc=f"root:n0t-it@{parts.hostname}:{parts.port}").geturl())
    assert "n0t-it" not in str(refused.value)


@pytest.mark.parametrize(
    ("grant", "code"), [(None, 1044), ("SELECT ON {name}.queues", 1142), ("SELECT (id) ON {name}.jobs", 1143)]
)
async def test_a_right_that_is_missing_is_said(dsn: str, maria: mariadb.Server, grant: str | None, code: int) -> None:
    """To the database, to a table, to a column."""
    who, parts = "rightless@'127.0.0.1'", urlsplit(dsn)
    granted = [] if grant is None else [f"GRANT {grant.format(name=parts.path[1:])} TO {who}"]
    await maria.administer(f"CREATE USER {who}", *granted)
    try:
        async with pool(parts._replace(netloc=f"rightless@127.0.0.1:{parts.port}").geturl()) as one:
            with pytest.raises(errors.StoreUnavailable, match=rf"\({code}, .*denied") as refused:
                await one.ask(Query.of("SELECT state FROM jobs"))
        assert "its rights" in advice.to_do(refused.value)
    finally:
        await maria.administer(f"DROP USER {who}")


async def test_a_value_of_the_wrong_type_is_a_defect_of_ours_not_an_outage(scratch: str) -> None:
    await mariadb.run(scratch, "CREATE TABLE noted (n integer)")
    async with pool(scratch) as one:
        with pytest.raises(driver.MySQLError):
            await one.ask(Query.of("INSERT INTO noted VALUES ($1)"), "text")


async def test_a_connection_that_was_idle_for_long_is_made_anew(dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Servers and proxies end them unasked, and it is the next query that finds out."""
    own = Query.of("SELECT CONNECTION_ID() AS id")
    async with pool(dsn, size=1) as one:
        (first,) = await one.ask(own)
        (again,) = await one.ask(own)
        monkeypatch.setattr("encoder.store.mysql.connection.STALE_S", 0.0)
        (after,) = await one.ask(own)
    assert first["id"] == again["id"] != after["id"]


HARD = (
    "'; DROP TABLE jobs; --",
    "\\",
    "\\'",
    "%s %% %(x)s $1",
    '"',
    "\x1a\b\t\r\n",
    "ü\N{GRINNING FACE}",
    " begins and ends with blanks  ",
)


@pytest.mark.parametrize("text", HARD)
async def test_texts_go_in_and_come_out_as_they_are(store: MysqlStore, text: str) -> None:
    job = await work.enqueue(store, label=text, tags=(text, "plain"), key="k")
    found = await store.job(work.new_job().tenant_id, str(job.uuid))
    assert found is not None
    assert (found.label, found.spec.tags) == (text, (text, "plain"))
    assert isinstance(found.uuid, UUID)


async def test_names_are_told_apart_by_case_accents_and_blanks(store: MysqlStore) -> None:
    keys = ("key", "KEY", "key ", "kéy")
    jobs = {(await work.enqueue(store, key=key, body=b"1", tags=(key,))).id for key in keys}
    assert len(jobs) == len(keys)
    for key in keys:
        assert (await work.enqueue(store, key=key, body=b"1")).replayed


async def test_warnings_of_the_server_are_not_asked_for_and_not_logged(
    dsn: str, caplog: pytest.LogCaptureFixture
) -> None:
    """They quote values, which may be callers'."""
    connection = await connect(Address.of(dsn))
    before = await connection.ask(Query.of("SHOW SESSION STATUS LIKE 'Com_show_warnings'"))
    await connection.ask(Query.of("SELECT CAST($1 AS SIGNED)"), "s3cret")
    after = await connection.ask(Query.of("SHOW SESSION STATUS LIKE 'Com_show_warnings'"))
    connection.close()
    assert before == after
    assert "s3cret" not in caplog.text


async def test_sessions_are_as_the_page_for_operators_says(dsn: str) -> None:
    connection: Connection = await connect(Address.of(dsn))
    asked = Query.of(
        "SELECT @@SESSION.time_zone AS zone, @@SESSION.collation_connection AS collation, @@SESSION.sql_mode AS mode,"
        " @@SESSION.innodb_lock_wait_timeout AS lock_wait, @@SESSION.tx_isolation AS isolation,"
        " @@SESSION.max_statement_time AS statement, @@SESSION.idle_transaction_timeout AS idle"
    )
    (row,) = await connection.ask(asked)
    connection.close()
    assert (row["zone"], row["collation"], row["isolation"]) == ("+00:00", "utf8mb4_bin", "READ-COMMITTED")
    assert "STRICT_ALL_TABLES" in row["mode"]
    assert "NO_BACKSLASH_ESCAPES" not in row["mode"]  # the driver escapes with them
    assert (row["lock_wait"], float(row["statement"]), row["idle"]) == (3, 10.0, 10)
