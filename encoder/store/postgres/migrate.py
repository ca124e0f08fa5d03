"""The schema of a database: made or brought up to date at start, however many processes start at once.

A new database gets `schema.sql`. An older one gets the numbered steps between; a step only adds, so that the program
before it still runs beside the new one. So a newer schema than ours is no fault.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import LiteralString

from encoder import errors
from encoder.store.postgres import sql
from encoder.store.postgres.pool import Connection, connect, connect_patiently, translated

STEPS: Sequence[LiteralString] = (
    sql.STEP_2,
    sql.STEP_3,
    sql.STEP_4,
    sql.STEP_5,
    sql.STEP_6,
    sql.STEP_7,
)  # each leads one version on, the first to version 2
VERSION = 1 + len(STEPS)

OLDEST = 15

_LOCK = int.from_bytes(b"encoder", "big")  # of this database, until the end of the transaction

# whoever waits for a table keeps all others from it that come later
_TABLES_WAIT = "SET LOCAL lock_timeout = '60s'"

_SERVER = "SELECT current_setting('server_version') AS told, current_setting('server_version_num')::int AS number"

_CREATE_LEDGER = (
    "CREATE TABLE IF NOT EXISTS schema_version ("
    " version integer CONSTRAINT schema_version_pk PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now(),"
    " compatible_from integer NOT NULL DEFAULT 1)"
)


async def upgrade(dsn: str, *, steps: Sequence[LiteralString] = STEPS) -> int:
    """Bring the database to this program's version; the version that it has then.

    Raises:
        errors.Unfit: the server is too old for us, or a pooler before it refuses our sessions.
    """
    with translated():
        connection = await connect_patiently(dsn)  # a step over a large table takes its time
        try:
            await require_fit(connection)
            version = await _version(connection)
            return version if version > len(steps) else await _upgrade(connection, steps)
        finally:
            await connection.close()


async def check(dsn: str) -> int:
    """The version of the database, 0 without tables; nothing is changed."""
    with translated():
        connection = await connect(dsn)
        try:
            return await _version(connection)
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


async def _version(connection: Connection) -> int:
    if await connection.fetchval("SELECT to_regclass('schema_version')") is None:
        return 0
    return int(await connection.fetchval("SELECT coalesce(max(version), 0) FROM schema_version"))


async def _upgrade(connection: Connection, steps: Sequence[LiteralString]) -> int:
    async with connection.transaction():
        # the others wait here, and then find the work done. No table can be locked before there is one, and
        # IF NOT EXISTS does not keep two creators apart
        await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
        await connection.execute(_TABLES_WAIT)
        await connection.execute(_CREATE_LEDGER)
        version = await _version(connection)
        newest = 1 + len(steps)
        if version == 0:
            await connection.execute(sql.SCHEMA)
            await _note(connection, newest)
            return newest
        for number, step in enumerate(steps[version - 1 :], version + 1):
            await connection.execute(step)
            await _note(connection, number)
        return max(version, newest)


async def _note(connection: Connection, version: int) -> None:
    await connection.execute("INSERT INTO schema_version (version) VALUES ($1)", version)
