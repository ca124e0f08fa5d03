"""The schema of a database: made or brought up to date at start, however many processes start at once.

As on PostgreSQL (`../postgres/migrate.py`), with the same numbers of versions. But here each statement commits by
itself: so a step is noted once all of it is done, and one that was begun before is gone through again, past what is
there.
"""

from __future__ import annotations

from collections.abc import Sequence

from asyncmy import errors as driver

from encoder import errors
from encoder.store.mysql import sql
from encoder.store.mysql.address import Address
from encoder.store.mysql.connection import Connection, code_of, connect, translated
from encoder.store.mysql.sql import Query

FIRST = 3  # the first version that there was for these servers
STEPS: Sequence[str] = tuple(sql.read(f"step_{number}") for number in (4, 5, 6, 7))  # each leads one version on
VERSION = FIRST + len(STEPS)

OLDEST_MYSQL = (8, 0, 16)  # checks constraints; SKIP LOCKED and JSON_TABLE are older
OLDEST_MARIADB = (10, 6)  # has SKIP LOCKED and JSON_TABLE

_THERE_ALREADY = frozenset({1050, 1060, 1061, 1826, 3822})  # table, column, index, constraint
_ROWS_WAIT_S = 60
_LOCK_S = 24 * 60 * 60
_LOCK = Query.of("SELECT GET_LOCK(CONCAT('encoder ', MD5(DATABASE())), $1) AS got")
_LEDGER = Query.of(
    "SELECT COUNT(*) AS there FROM information_schema.tables"
    " WHERE table_schema = DATABASE() AND table_name = 'schema_version'"
)
_NEWEST = Query.of("SELECT COALESCE(MAX(version), 0) AS version FROM schema_version")
_NOTE = Query.of("INSERT IGNORE INTO schema_version (version, applied_at) VALUES ($1, UTC_TIMESTAMP(6))")
_SERVER = Query.of("SELECT VERSION() AS version, @@GLOBAL.log_bin AS log_bin, @@GLOBAL.binlog_format AS binlog_format")


async def upgrade(dsn: str, *, steps: Sequence[str] = STEPS) -> int:
    """Bring the database to this program's version; the version that it has then.

    Raises:
        errors.Unfit: the server is too old for us, or logs statements in place of rows.
    """
    with translated():
        # a step over a large table takes its time
        connection = await connect(Address.of(dsn), name="encoder migrate", lock_wait_s=_ROWS_WAIT_S, patient=True)
        try:
            await require_fit(connection)
            newest = FIRST + len(steps)
            version = await _version(connection)
            return version if version >= newest else await _upgrade(connection, steps)
        finally:
            connection.close()


async def check(dsn: str) -> int:
    """The version of the database, 0 without tables; nothing is changed."""
    with translated():
        connection = await connect(Address.of(dsn))
        try:
            return await _version(connection)
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


async def _version(connection: Connection) -> int:
    (ledger,) = await connection.ask(_LEDGER)
    if not ledger["there"]:
        return 0
    (newest,) = await connection.ask(_NEWEST)
    return int(newest["version"])


async def _upgrade(connection: Connection, steps: Sequence[str]) -> int:
    # the others wait here, and then find the work done; the lock goes with the connection
    (lock,) = await connection.ask(_LOCK, _LOCK_S)
    if lock["got"] != 1:
        raise errors.StoreUnavailable("another process is making or upgrading the tables for a day already")
    version = await _version(connection)
    if version == 0:
        await _run(connection, sql.read("schema"))
        version = FIRST + len(steps)
        await connection.write(_NOTE, version)
    for number, step in enumerate(steps[version - FIRST :], version + 1):
        await _run(connection, step)
        await connection.write(_NOTE, number)
        version = number
    return version


async def _run(connection: Connection, text: str) -> None:
    for statement in sql.statements(text):
        try:
            await connection.say(statement)
        except driver.MySQLError as error:
            if code_of(error) not in _THERE_ALREADY:
                raise
