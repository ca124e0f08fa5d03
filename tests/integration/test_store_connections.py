"""The store on PostgreSQL, when connections break, hang or are too few, and when rivals meet."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Self
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg
import pytest

from encoder import errors
from encoder.model.ids import JobId
from encoder.store import advice
from encoder.store.postgres import PostgresStore, open_store
from encoder.store.postgres.ear import AWAKE_S, Ear
from encoder.store.postgres.pool import Pool, Session
from encoder.store.rows import Beat
from encoder.store.statements import Statement
from tests.contracts.store_workers import Heard, listening
from tests.lab import work
from tests.lab.pooler import pooler


@asynccontextmanager
async def pool(dsn: str, *, size: int = 4) -> AsyncIterator[Pool]:
    opened = await Pool.open(dsn, size=size)
    try:
        yield opened
    finally:
        await opened.close()


@pytest.fixture
async def admin(dsn: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(dsn)
    yield connection
    await connection.close()


async def until(admin: asyncpg.Connection, question: str) -> None:
    """Ask the server until it says yes."""
    async with asyncio.timeout(10):
        while not await admin.fetchval(question):
            pass


SLEEPING = (
    "SELECT count(*) > 0 FROM pg_stat_activity"
    " WHERE datname = current_database() AND state = 'active' AND query LIKE 'SELECT pg_sleep%'"
)


NOT_SLEEPING = SLEEPING.replace("count(*) > 0", "count(*) = 0")


async def kill(admin: asyncpg.Connection, name: str) -> int:
    """End the connections of that name; how many there were."""
    return int(
        await admin.fetchval(
            "SELECT count(pg_terminate_backend(pid, 1000)) FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name = $1",
            name,
        )
    )


async def test_an_ear_hears_again_after_its_connection_was_ended(
    store: PostgresStore, admin: asyncpg.Connection
) -> None:
    async with listening(store) as heard:
        assert await kill(admin, "encoder ear") == 1
        await heard.until("reconnected")
        await store.hint("ready:encode")
        await heard.until("ready:encode")


async def test_an_ear_notices_that_its_line_is_dead(dsn: str) -> None:
    """A half-open connection: open for ever, and silent."""
    async with Line(dsn) as line:
        ear, heard = Ear(line.dsn, said_at=dsn, ping_every_s=0.05, ping_s=0.2), Heard()
        listener = asyncio.create_task(ear.listen(heard))
        await heard.until("reconnected")
        line.freeze()
        await heard.until("reconnected")
        assert line.connections >= 2
        listener.cancel()
        with suppress(asyncio.CancelledError):
            await listener


async def test_an_ear_that_a_pooler_lets_hear_itself_alone_knows_that_it_is_deaf(
    dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("encoder.store.postgres.ear.FIRST_TEST_S", 0.2)
    async with pooler(dsn) as before:
        ear, heard = Ear(before.dsn), Heard()
        listener = asyncio.create_task(ear.listen(heard))
        async with asyncio.timeout(20):
            while before.logins < 3:  # the first two did not come to an understanding
                assert not ear.healthy
                await asyncio.sleep(0.01)
        assert heard.silent
        listener.cancel()
        with suppress(asyncio.CancelledError):
            await listener


CLAIMED_BY_THE_EAR = (
    "SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = current_database()"
    " AND application_name = 'encoder ear' AND query LIKE '-- Claim%'"
)


@asynccontextmanager
async def woken(store: PostgresStore) -> AsyncIterator[Heard]:
    """An ear that has just heard of a job that waits."""
    async with listening(store) as heard:
        await work.enqueue(store)
        await heard.until("ready:encode")
        yield heard


@pytest.fixture
def long_awake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("encoder.store.postgres.ear.AWAKE_S", 60.0)


@pytest.mark.usefixtures("long_awake")
async def test_a_claim_is_made_on_the_session_that_heard(store: PostgresStore, admin: asyncpg.Connection) -> None:
    """ADR 20: it is awake. Seen to fail when claims went to the pool."""
    async with woken(store):
        assert len(await work.claim(store)) == 1
        assert await admin.fetchval(CLAIMED_BY_THE_EAR)


async def test_an_ear_that_heard_nothing_is_not_relied_on(dsn: str) -> None:
    """G12: it may be dead, and nobody knows yet. Seen to fail, with a claim that hung for ten seconds, when it was."""
    async with Line(dsn) as line:
        store = await open_store(dsn, listen_dsn=line.dsn)
        async with woken(store):
            await asyncio.sleep(AWAKE_S)
            line.freeze()
            async with asyncio.timeout(2):
                assert len(await work.claim(store)) == 1
        await store.close()


@pytest.mark.usefixtures("long_awake")
async def test_who_finds_the_ear_busy_claims_elsewhere(store: PostgresStore, admin: asyncpg.Connection) -> None:
    """Seen to fail when it waited."""
    async with woken(store), asking(store, admin):
        async with asyncio.timeout(5):
            assert len(await work.claim(store)) == 1


@pytest.mark.usefixtures("long_awake")
async def test_what_an_ear_was_asked_in_vain_ends_with_its_session(
    store: PostgresStore, admin: asyncpg.Connection
) -> None:
    """Its answer must not be taken for that of the next question. Seen to fail when the session was kept."""
    async with woken(store) as heard:
        async with asking(store, admin):
            pass
        await heard.until("reconnected")
        await until(admin, NOT_SLEEPING)
        assert len(await work.claim(store)) == 1


@asynccontextmanager
async def asking(store: PostgresStore, admin: asyncpg.Connection) -> AsyncIterator[None]:
    """Something that the ear is asked meanwhile, and whose answer nobody waits for in the end."""
    assert store._ear is not None
    asked = asyncio.create_task(store._ear.ask("SELECT pg_sleep(60)"))
    await until(admin, SLEEPING)
    yield
    asked.cancel()
    with suppress(asyncio.CancelledError):
        await asked


class Line:
    """A way to the database that can fall silent without being cut; what connects afterwards gets through."""

    def __init__(self, dsn: str) -> None:
        self._target = urlsplit(dsn)
        self._frozen = asyncio.Event()
        self._relays: set[asyncio.Task[None]] = set()
        self._writers: list[asyncio.StreamWriter] = []
        self.connections = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        user, _, _ = self._target.netloc.rpartition("@")
        self.dsn = self._target._replace(netloc=f"{user}@127.0.0.1:{port}").geturl()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for relay in self._relays:
            relay.cancel()
        await asyncio.gather(*self._relays, return_exceptions=True)
        for writer in self._writers:
            writer.close()
        await asyncio.gather(*(writer.wait_closed() for writer in self._writers), return_exceptions=True)

    def freeze(self) -> None:
        """What is connected now hears nothing any more."""
        self._frozen.set()
        self._frozen = asyncio.Event()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        there, back = await asyncio.open_connection(self._target.hostname, self._target.port)
        self._writers += [writer, back]
        for source, sink in ((reader, back), (there, writer)):
            self._relays.add(asyncio.create_task(self._relay(source, sink, self._frozen)))

    async def _relay(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, frozen: asyncio.Event) -> None:
        with suppress(ConnectionError):
            while data := await source.read(65536):
                if frozen.is_set():
                    await asyncio.Event().wait()
                sink.write(data)
                await sink.drain()
        sink.close()


async def test_connections_are_had_by_turns(dsn: str) -> None:
    """Seen to fail where asyncpg alone hands them out: two callers of twenty had them all, and the others stood by."""
    served: list[int] = []

    async def caller(number: int) -> None:
        for _ in range(10):
            await few.rows(Statement.PING)
            served.append(number)
            for _ in range(3):  # so long that a connection is free again, and who waits for it not yet awake
                await asyncio.sleep(0)

    async with pool(dsn, size=2) as few:
        await asyncio.gather(*(caller(number) for number in range(20)))
    rounds = [served[at : at + 20] for at in range(0, 100, 20)]
    assert all(len({*one}) >= 15 for one in rounds)


async def test_a_heart_beats_on_after_its_connection_was_ended(store: PostgresStore, admin: asyncpg.Connection) -> None:
    """K3"""
    _, claim = await work.working(store)
    heart, beats = store.heart(), [Beat(task_id=claim.task_id, epoch=claim.epoch)]
    worker = work.new_worker().id
    await heart.beat(worker, beats, lease=work.LEASE)
    assert await kill(admin, "encoder heart") == 1
    with suppress(errors.StoreUnavailable):  # the one that finds it out
        await heart.beat(worker, beats, lease=work.LEASE)
    assert len(await heart.beat(worker, beats, lease=work.LEASE)) == 1
    await heart.close()
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


async def test_a_store_works_on_after_all_its_connections_were_ended(
    store: PostgresStore, admin: asyncpg.Connection
) -> None:
    await work.enqueue(store)
    await kill(admin, "encoder")
    for _ in range(3):
        with suppress(errors.StoreUnavailable):
            await store.ping()
    assert len(await work.claim(store)) == 1


async def test_a_cancelled_query_never_answers_the_next(dsn: str, admin: asyncpg.Connection) -> None:
    async with pool(dsn, size=1) as one:
        for number in range(5):
            sleeping = asyncio.create_task(one.ask("SELECT pg_sleep(60), 'old'"))
            await until(admin, SLEEPING)
            sleeping.cancel()
            with pytest.raises(asyncio.CancelledError):
                await sleeping
            (row,) = await one.ask("SELECT $1::integer AS new", number)
            assert row["new"] == number
            await until(admin, NOT_SLEEPING)  # nor does it go on by itself


async def test_a_cancelled_transaction_leaves_nothing(dsn: str, admin: asyncpg.Connection) -> None:
    await admin.execute("CREATE TABLE noted (n integer)")

    async def write(session: Session) -> None:
        await session.connection.execute("INSERT INTO noted VALUES (1)")
        await session.connection.execute("SELECT pg_sleep(60)")

    async with pool(dsn, size=1) as one:
        writing = asyncio.create_task(one.transaction(write))
        await until(admin, SLEEPING)
        writing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await writing
        assert (await one.ask("SELECT count(*) FROM noted"))[0]["count"] == 0


async def test_who_loses_a_deadlock_begins_again(dsn: str, admin: asyncpg.Connection) -> None:
    await admin.execute("CREATE TABLE pair (n integer, hits integer); INSERT INTO pair VALUES (1, 0), (2, 0)")
    both_hold = asyncio.Barrier(2)
    attempts = 0

    async def cross(session: Session, first: int, second: int) -> None:
        nonlocal attempts
        attempts += 1
        await session.connection.execute("UPDATE pair SET hits = hits + 1 WHERE n = $1", first)
        if attempts <= 2:
            await both_hold.wait()
        await session.connection.execute("UPDATE pair SET hits = hits + 1 WHERE n = $1", second)

    async with pool(dsn) as both:
        await asyncio.gather(
            both.transaction(lambda session: cross(session, 1, 2)),
            both.transaction(lambda session: cross(session, 2, 1)),
        )
    assert attempts == 3
    assert [row["hits"] for row in await admin.fetch("SELECT hits FROM pair ORDER BY n")] == [2, 2]


async def test_an_error_of_the_work_rolls_back_and_keeps_the_connection(dsn: str, admin: asyncpg.Connection) -> None:
    await admin.execute("CREATE TABLE noted (n integer)")
    pids = set()

    async def fail(session: Session) -> None:
        pids.add(await session.connection.fetchval("INSERT INTO noted VALUES (1) RETURNING pg_backend_pid()"))
        raise errors.LeaseLost

    async with pool(dsn, size=1) as one:
        for _ in range(3):
            with pytest.raises(errors.LeaseLost):
                await one.transaction(fail)
        assert (await one.ask("SELECT count(*) FROM noted"))[0]["count"] == 0
    assert len(pids) == 1


async def test_a_pool_that_is_used_up_says_so_soon(dsn: str) -> None:
    """K7"""
    async with pool(dsn, size=1) as one:

        async def ask(_session: Session) -> None:
            with pytest.raises(errors.StoreUnavailable):
                await one.ask("SELECT 1")

        await one.transaction(ask)


async def test_a_database_that_is_read_only_is_unavailable(store: PostgresStore, admin: asyncpg.Connection) -> None:
    """K5"""
    name = await admin.fetchval("SELECT current_database()")
    await admin.execute(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
    await kill(admin, "encoder")
    with suppress(errors.StoreUnavailable):  # finds out that its connection is gone
        await store.ping()
    await store.ping()
    with pytest.raises(errors.StoreUnavailable, match="ReadOnly"):
        await work.enqueue(store)


async def test_a_server_that_is_not_there_is_unavailable(dsn: str) -> None:
    nowhere = urlsplit(dsn)._replace(netloc="encoder:x@127.0.0.1:1").geturl()
    with pytest.raises(errors.StoreUnavailable):
        await open_store(nowhere)


async def test_a_wrong_password_is_said(dsn: str) -> None:
    parts = urlsplit(dsn)
    wrong = parts._replace(netloc=f"encoder:wrong@{parts.hostname}:{parts.port}").geturl()
    with pytest.raises(errors.StoreUnavailable, match="password") as refused:
        await open_store(wrong)
    assert "wrong" not in str(refused.value)


async def test_a_right_that_is_missing_is_said(dsn: str, admin: asyncpg.Connection) -> None:
    """A role waits for it, as for a database that is away; a command says what to do."""
    name = f"rightless_{uuid4().hex[:8]}"
    await admin.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'rightless'")
    parts = urlsplit(dsn)
    try:
        with pytest.raises(errors.StoreUnavailable, match=r"InsufficientPrivilege.*permission denied") as refused:
            await open_store(
                parts._replace(netloc=f"{name}:rightless@{parts.hostname}:{parts.port}").geturl(), auto_migrate=False
            )
        assert "its rights" in advice.to_do(refused.value)
    finally:
        await admin.execute(f"DROP ROLE {name}")


async def test_a_value_of_the_wrong_type_is_a_defect_of_ours_not_an_outage(dsn: str) -> None:
    async with pool(dsn) as one:
        with pytest.raises(asyncpg.DataError):
            await one.ask("SELECT $1::integer", "text")


async def test_who_stands_still_in_an_admission_keeps_others_from_it_for_two_seconds(
    dsn: str, store: PostgresStore
) -> None:
    """As a frozen worker does: its session ends, not the patience of all others."""
    _, waiting = [await work.enqueue(store) for _ in range(2)]
    await work.claim_one(store)  # the line is empty now
    won: list[JobId] = []
    async with pool(dsn, size=1) as frozen:

        async def stand_still(session: Session) -> None:
            assert await session.fetchrow(Statement.LOCK_QUEUE, "encode") is not None
            async with asyncio.timeout(10):
                while not won:
                    won.extend(claim.job_id for claim in await work.claim(store))
                    await asyncio.sleep(0.1)
            await session.fetchrow(Statement.LOCK_QUEUE, "encode")

        with pytest.raises(errors.StoreUnavailable):
            await frozen.transaction(stand_still)
    assert won == [waiting.id]
