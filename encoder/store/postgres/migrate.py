"""The schema of a database: made or brought up to date by whoever comes first, however many processes start at once.

A new database gets `schema.sql`. An older one gets the numbered steps between, noted one by one; a step only adds, so
that the program before it still runs beside the new one. So a newer schema than ours is no fault, unless it says so.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from typing import LiteralString

import asyncpg

from encoder import errors
from encoder.store.postgres import sql
from encoder.store.postgres.pool import Connection, connect, connect_patiently, translated
from encoder.store.steps import ONLINE, Schema, TableBusy, compatible_from, lock_wait_s, tried, turn_s
from encoder.store.text import statements

STEPS: Sequence[LiteralString] = (
    sql.STEP_2,
    sql.STEP_3,
    sql.STEP_4,
    sql.STEP_5,
    sql.STEP_6,
    sql.STEP_7,
    sql.STEP_8,
)  # each leads one version on, the first to version 2
VERSION = 1 + len(STEPS)

OLDEST = 15

_LOCK = int.from_bytes(b"encoder", "big")  # of this database, until the end of the transaction
_OFFLINE_WAIT_S = 60  # for the tables of a step before `ONLINE`, which takes them all at once

_SERVER = "SELECT current_setting('server_version') AS told, current_setting('server_version_num')::int AS number"

_CREATE_LEDGER = (
    "CREATE TABLE IF NOT EXISTS schema_version ("
    " version integer CONSTRAINT schema_version_pk PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now(),"
    " compatible_from integer NOT NULL DEFAULT 1)"
)
# by way of JSON, for a ledger from before version 7 has no such column
_NEWEST = """
SELECT version, coalesce((to_jsonb(v) ->> 'compatible_from')::int, 1) AS compatible_from FROM schema_version v
ORDER BY version DESC LIMIT 1
"""
_BROKEN = "SELECT 1 FROM pg_index WHERE indexrelid = to_regclass($1) AND NOT indisvalid"
_CONCURRENT = re.compile(r"CREATE (?:UNIQUE )?INDEX CONCURRENTLY IF NOT EXISTS (\w+)")


async def upgrade(dsn: str, *, steps: Sequence[LiteralString] = STEPS) -> int:
    """Bring the database to this program's version; the version that it has then.

    Raises:
        errors.StoreUnavailable: it is away, or a table was never free.
        errors.Unfit: the server is too old for us, or a pooler before it refuses our sessions.
    """
    newest = 1 + len(steps)
    with translated():
        connection = await connect_patiently(dsn)  # a step over a large table takes its time
        try:
            await require_fit(connection)
            there = await _schema(connection)
            if there.version >= newest:
                return there.version
            async with _alone(dsn):
                return await _upgrade(connection, steps)
        finally:
            await connection.close()


async def check(dsn: str) -> Schema:
    """The schema of the database; nothing is changed. Raises as `upgrade`."""
    with translated():
        connection = await connect(dsn)
        try:
            await require_fit(connection)
            return await _schema(connection)
        finally:
            await connection.close()


async def require_fit(connection: Connection) -> str:
    """What server that is.

    Raises:
        errors.Unfit: one that cannot keep what we promise.
    """
    (row,) = await connection.fetch(_SERVER)
    name = f"PostgreSQL {row['told'].split()[0]}"
    if row["number"] // 10_000 < OLDEST:
        raise errors.Unfit(f"{name} is too old: Encoder needs {OLDEST} or newer.")
    return name


async def _schema(connection: Connection) -> Schema:
    row = None
    if await connection.fetchval("SELECT to_regclass('schema_version')") is not None:
        row = await connection.fetchrow(_NEWEST)
    version, oldest = (0, 1) if row is None else (row["version"], row["compatible_from"])
    return Schema(version=version, compatible_from=oldest, ours=VERSION)


@asynccontextmanager
async def _alone(dsn: str) -> AsyncIterator[None]:
    """Upgrade while nobody else does; the others look again and again, and then find the work done.

    By a transaction, which no pooler tears apart. It only stands open: to wait *in* a statement would hold up an index
    that is made meanwhile, which waits for every statement that began before it.
    """
    guard = await connect_patiently(dsn)
    try:
        while True:
            await guard.execute("BEGIN; SET LOCAL idle_in_transaction_session_timeout = 0")
            if await guard.fetchval("SELECT pg_try_advisory_xact_lock($1)", _LOCK):
                await guard.execute(
                    "SELECT 1"
                )  # ends the portal of the question, which keeps its snapshot as a statement does
                break
            await guard.execute("ROLLBACK")
            await asyncio.sleep(turn_s())
        yield
    finally:
        await guard.close()


async def _upgrade(connection: Connection, steps: Sequence[LiteralString]) -> int:
    newest = 1 + len(steps)
    version = (await _schema(connection)).version
    if version == 0:
        async with connection.transaction():
            await connection.execute(_CREATE_LEDGER)
            await connection.execute(sql.SCHEMA)
            await _note(connection, newest, steps[-1] if steps else "")
        return newest
    for number, step in enumerate(steps[version - 1 :], version + 1):
        if number < ONLINE:
            await _take_at_once(connection, number, step)
        else:
            await _take_online(connection, number, step)
    return max(version, newest)


async def _take_at_once(connection: Connection, number: int, step: LiteralString) -> None:
    async with connection.transaction():
        await connection.execute(f"SET LOCAL lock_timeout = '{_OFFLINE_WAIT_S}s'")
        await connection.execute(step)
        await _note(connection, number, step)


async def _take_online(connection: Connection, number: int, step: LiteralString) -> None:
    for statement in statements(step):
        index = _CONCURRENT.match(statement)
        take = partial(_run, connection) if index is None else partial(_make_index, connection, index[1])
        await tried(take, statement)
    await _note(connection, number, step)


async def _run(connection: Connection, statement: str) -> None:
    with _busy():
        async with connection.transaction():
            await connection.execute(f"SET LOCAL lock_timeout = '{lock_wait_s(statement)}s'")
            await connection.execute(statement)


async def _make_index(connection: Connection, name: str, statement: str) -> None:
    """An index that is made while its table is written to. One that was given up half made is of no use, and goes."""
    with _busy():
        if await connection.fetchval(_BROKEN, name):
            await connection.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
        await connection.execute(statement)


@contextmanager
def _busy() -> Iterator[None]:
    try:
        yield
    except (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError) as error:
        raise TableBusy(str(error)) from error


async def _note(connection: Connection, version: int, step: str) -> None:
    if version < ONLINE:
        await connection.execute("INSERT INTO schema_version (version) VALUES ($1)", version)
    else:
        note = "INSERT INTO schema_version (version, compatible_from) VALUES ($1, $2)"
        await connection.execute(note, version, compatible_from(step))
