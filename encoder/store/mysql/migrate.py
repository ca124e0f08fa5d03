"""The schema of a database: made or brought up to date at start, however many processes start at once.

As on PostgreSQL (`../postgres/migrate.py`), with the same numbers of versions. But here each statement commits by
itself: so a step is noted once all of it is done, and one that was begun before is gone through again, past what is
there.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from asyncmy import errors as driver

from encoder import errors
from encoder.store.mysql import sql
from encoder.store.mysql.address import Address
from encoder.store.mysql.connection import Connection, code_of, connect, translated
from encoder.store.mysql.sql import Query
from encoder.store.steps import ONLINE, Schema, TableBusy, compatible_from, lock_wait_s, tried
from encoder.store.text import statements

FIRST = 3  # the first version that there was for these servers
STEPS: Sequence[str] = tuple(sql.read(f"step_{number}") for number in (4, 5, 6, 7, 8))  # each leads one version on
VERSION = FIRST + len(STEPS)

OLDEST_MYSQL = (8, 0, 16)  # checks constraints; SKIP LOCKED and JSON_TABLE are older
OLDEST_MARIADB = (10, 6)  # has SKIP LOCKED and JSON_TABLE

_THERE_ALREADY = frozenset({1050, 1060, 1061, 1826, 3822})  # table, column, index, constraint
_BUSY = frozenset({1205, 1213})  # waited for a lock for too long, also for one on a table; deadlock
_OFFLINE_WAIT_S = 60
_TABLES_WAIT = "SET SESSION lock_wait_timeout = {0}, SESSION innodb_lock_wait_timeout = {0}"
_LOCK_S = 24 * 60 * 60
_LOCK = Query.of("SELECT GET_LOCK(CONCAT('encoder ', MD5(DATABASE())), $1) AS got")
_LEDGER = Query.of(
    "SELECT COUNT(*) AS there FROM information_schema.tables"
    " WHERE table_schema = DATABASE() AND table_name = 'schema_version'"
)
_TELLS_COMPATIBLE = Query.of(
    "SELECT COUNT(*) AS there FROM information_schema.columns"
    " WHERE table_schema = DATABASE() AND table_name = 'schema_version' AND column_name = 'compatible_from'"
)
_NEWEST = Query.of("SELECT version FROM schema_version ORDER BY version DESC LIMIT 1")
_OLDEST_PROGRAM = Query.of("SELECT compatible_from FROM schema_version ORDER BY version DESC LIMIT 1")
_NOTE_OFFLINE = Query.of("INSERT IGNORE INTO schema_version (version, applied_at) VALUES ($1, UTC_TIMESTAMP(6))")
_NOTE = Query.of(
    "INSERT IGNORE INTO schema_version (version, applied_at, compatible_from) VALUES ($1, UTC_TIMESTAMP(6), $2)"
)
_SERVER = Query.of("SELECT VERSION() AS version, @@GLOBAL.log_bin AS log_bin, @@GLOBAL.binlog_format AS binlog_format")


async def upgrade(dsn: str, *, steps: Sequence[str] = STEPS) -> int:
    """Bring the database to this program's version; the version that it has then.

    Raises:
        errors.StoreUnavailable: it is away, or a table was never free.
        errors.Unfit: the server is too old for us, or logs statements in place of rows.
    """
    with translated():
        # a step over a large table takes its time
        connection = await connect(Address.of(dsn), name="encoder migrate", lock_wait_s=_OFFLINE_WAIT_S, patient=True)
        try:
            await require_fit(connection)
            newest = FIRST + len(steps)
            version = (await _schema(connection)).version
            return version if version >= newest else await _upgrade(connection, steps)
        finally:
            connection.close()


async def check(dsn: str) -> Schema:
    """The schema of the database; nothing is changed. Raises as `upgrade`."""
    with translated():
        connection = await connect(Address.of(dsn))
        try:
            await require_fit(connection)
            return await _schema(connection)
        finally:
            connection.close()


async def require_fit(connection: Connection) -> str:
    """What server that is.

    Raises:
        errors.Unfit: one that cannot keep what we promise.
    """
    (server,) = await connection.ask(_SERVER)
    told = str(server["version"])
    name, oldest = ("MariaDB", OLDEST_MARIADB) if "mariadb" in told.lower() else ("MySQL", OLDEST_MYSQL)
    if _numbers(told) < oldest:
        raise errors.Unfit(f"{name} {told} is too old: Encoder needs {'.'.join(map(str, oldest))} or newer.")
    if server["log_bin"] and str(server["binlog_format"]).upper() == "STATEMENT":
        raise errors.Unfit(
            "The server's binlog_format is STATEMENT, which tells replicas other rows than we wrote; set it to ROW."
        )
    return f"{name} {told}"


def _numbers(version: str) -> tuple[int, ...]:
    """`10.11.6-MariaDB-1`; some servers say `5.5.5-` before it, for old clients' sake."""
    digits = version.removeprefix("5.5.5-").split("-", 1)[0].split(".")
    return tuple(int(part) for part in digits if part.isdecimal())


async def _schema(connection: Connection) -> Schema:
    version, oldest = 0, 1
    (ledger,) = await connection.ask(_LEDGER)
    if ledger["there"]:
        version = next((int(row["version"]) for row in await connection.ask(_NEWEST)), 0)
        (tells,) = await connection.ask(_TELLS_COMPATIBLE)
        if version and tells["there"]:
            (row,) = await connection.ask(_OLDEST_PROGRAM)
            oldest = int(row["compatible_from"])
    return Schema(version=version, compatible_from=oldest, ours=VERSION)


async def _upgrade(connection: Connection, steps: Sequence[str]) -> int:
    # the others wait here, and then find the work done; the lock goes with the connection
    (lock,) = await connection.ask(_LOCK, _LOCK_S)
    if lock["got"] != 1:
        raise errors.StoreUnavailable("another process is making or upgrading the tables for a day already")
    version = (await _schema(connection)).version
    if version == 0:
        for statement in statements(sql.read("schema")):
            await _run(connection, statement)
        version = FIRST + len(steps)
        await _note(connection, version, steps[-1] if steps else "")
    for number, step in enumerate(steps[version - FIRST :], version + 1):
        for statement in statements(step):
            wait_s = _OFFLINE_WAIT_S if number < ONLINE else lock_wait_s(statement)
            await connection.say(_TABLES_WAIT.format(wait_s))
            await tried(partial(_run, connection), statement)
        await _note(connection, number, step)
        version = number
    return version


async def _run(connection: Connection, statement: str) -> None:
    try:
        await connection.say(statement)
    except driver.MySQLError as error:
        code = code_of(error)
        if code in _BUSY:
            raise TableBusy(str(error)) from error
        if code not in _THERE_ALREADY:
            raise


async def _note(connection: Connection, version: int, step: str) -> None:
    if version < ONLINE:
        await connection.write(_NOTE_OFFLINE, version)
    else:
        await connection.write(_NOTE, version, compatible_from(step))
