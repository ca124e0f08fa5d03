"""One connection: its session, what goes in and comes out, and errors in our own words."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any
from uuid import UUID

import asyncmy
import msgspec
from asyncmy import converters
from asyncmy import errors as driver
from asyncmy.constants import CLIENT, FIELD_TYPE
from asyncmy.cursors import Cursor

from encoder import errors
from encoder.metrics import database
from encoder.store.engine import AGE_S
from encoder.store.mysql.address import Address
from encoder.store.mysql.sql import Query

CONNECT_S = 5.0
STATEMENT_S = 10.0
LOCK_WAIT_S = 3
STALE_S = 20.0  # a connection that was idle for longer is made anew: servers and proxies end them unasked

_SESSION = (
    "SET NAMES utf8mb4 COLLATE utf8mb4_bin, SESSION time_zone = '+00:00',"
    " SESSION sql_mode = 'STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION',"
    " SESSION wait_timeout = 60, SESSION innodb_lock_wait_timeout = {lock_wait_s}, "
)
_MARIADB = "SESSION tx_isolation = 'READ-COMMITTED', SESSION {limit}, SESSION idle_transaction_timeout = 10"
_MYSQL = "SESSION transaction_isolation = 'READ-COMMITTED', SESSION {limit}"

# what the servers say, by number: https://mariadb.com/kb/en/mariadb-error-codes/, MySQL's error message reference
DUPLICATE = 1062
TOOK_TOO_LONG = frozenset({1969, 3024})  # MariaDB, MySQL
_OF_THE_DRIVER = (0, 2)  # thousands
# who says so will say so again: a primary that is one no more, or that stops. What it ends comes back elsewhere
_DOUBTFUL = frozenset({1053, 1077, 1079, 1290, 1792, 1836, 1874, 1927, 3100, 3168, 3169, 4031})
LOST_TO_A_RIVAL = frozenset({1213, 1205, 1020})  # deadlock; waited too long for a lock; row changed since it was read
_AWAY = frozenset(
    {
        1021,  # disk full
        1037,  # out of memory
        1038,
        1040,  # too many connections
        1041,
        1044,  # no right to the database
        1045,  # wrong password
        1049,  # no such database
        1053,  # shutting down
        1077,
        1078,
        1079,
        1080,
        1114,  # table full
        1129,  # host blocked
        1130,
        1142,  # no right to the table
        1143,  # nor to the column
        1152,  # aborted connection
        1153,  # a packet larger than max_allowed_packet closes the connection
        1158,
        1159,
        1160,
        1161,
        1184,
        1203,  # too many connections of this user
        1226,
        1290,  # read-only
        1317,  # interrupted
        1698,  # wrong password, on MariaDB
        1792,  # read-only transaction
        1836,  # read-only mode
        1874,
        1927,  # connection killed
        1969,  # max_statement_time
        2002,
        2003,  # cannot connect
        2005,
        2006,  # gone away
        2013,  # lost
        2014,
        3024,  # max_execution_time
        3100,
        3168,  # server is not ready
        3169,  # session killed
        4031,  # was idle for too long
    }
)


class Lost(errors.StoreUnavailable):
    """Rolled back for a rival's sake: the whole may be tried again."""


@contextmanager
def translated() -> Iterator[None]:
    """Say in our words that the database is away or too slow.

    Raises:
        errors.StoreUnavailable: what was asked may or may not have happened.
    """
    try:
        yield
    except driver.MySQLError as error:
        told = f"{type(error).__name__}: {error}"
        code = code_of(error)
        if code in LOST_TO_A_RIVAL:
            database.errors.of("rival").inc()
            raise Lost(told) from error
        if code in _AWAY or isinstance(error, driver.InterfaceError | driver.InternalError):
            database.errors.of("timeout" if code in TOOK_TOO_LONG else "away").inc()
            raise errors.StoreUnavailable(told) from error
        raise
    except (OSError, TimeoutError, asyncio.IncompleteReadError) as error:
        database.errors.of("timeout" if isinstance(error, TimeoutError) else "away").inc()
        raise errors.StoreUnavailable(f"{type(error).__name__}: {error}") from error


def code_of(error: driver.MySQLError) -> int:
    """The server's number of an error; 0 where there is none."""
    return error.args[0] if error.args and isinstance(error.args[0], int) else 0


class _Cursor(Cursor):
    """Asks for no warnings: a round trip, and a line in our log that may hold callers' values. Sessions are strict."""

    async def _show_warnings(self, conn: object) -> None: ...


class Connection:
    """A session. After an error that the server itself has not told, or that it would tell again, it is not `usable`;
    nor when it is old: behind a name that leads elsewhere after a failover it leads to the old place.

    `patient`: it waits for an answer as long as it takes.
    """

    def __init__(self, raw: asyncmy.Connection, *, patient: bool = False) -> None:
        self._raw = raw
        self._mariadb = "mariadb" in raw.get_server_info().lower()
        self._patient = patient
        self._made_at = self._used_at = time.monotonic()
        self._usable = True

    @property
    def usable(self) -> bool:
        now = time.monotonic()
        is_fresh = now - self._used_at < STALE_S and now - self._made_at < AGE_S
        return self._usable and bool(self._raw.connected) and is_fresh

    async def ask(self, query: Query, *values: object) -> list[dict[str, Any]]:
        """The rows that one statement gives, by the names of their columns."""
        rows, _, _ = await self._run(query, values)
        return rows

    async def write(self, query: Query, *values: object) -> int:
        """How many rows one statement found."""
        _, found, _ = await self._run(query, values)
        return found

    async def add(self, query: Query, *values: object) -> int:
        """The number that the one new row got."""
        _, _, number = await self._run(query, values)
        return number

    async def say(self, text: str) -> None:
        """One statement without values or rows."""
        await self._run(Query(text, ()), ())

    async def begin(self, *, lock_wait_s: int) -> None:
        """Say how our sessions are."""
        own = (_MARIADB if self._mariadb else _MYSQL).format(limit=self._limit(0 if self._patient else STATEMENT_S))
        await self.say(_SESSION.format(lock_wait_s=lock_wait_s) + own)

    @asynccontextmanager
    async def limited(self, most_s: float) -> AsyncIterator[None]:
        """Within, the server stops a statement of ours that takes longer."""
        await self.say(f"SET SESSION {self._limit(most_s)}")
        try:
            yield
        finally:
            if self.usable:  # else nobody uses it any more
                await self.say(f"SET SESSION {self._limit(STATEMENT_S)}")

    def _limit(self, most_s: float) -> str:
        """0: none."""
        return f"max_statement_time = {most_s}" if self._mariadb else f"max_execution_time = {round(most_s * 1000)}"

    def close(self) -> None:
        """Without a word: whoever was not waited for must never answer the next. The server rolls back."""
        self._usable = False
        self._raw.close()

    async def _run(self, query: Query, values: Sequence[object]) -> tuple[list[dict[str, Any]], int, int]:
        self._used_at = time.monotonic()
        taken = tuple(bound(value) for value in query.taking(values))
        cursor = self._raw.cursor()
        try:
            async with asyncio.timeout(None if self._patient else STATEMENT_S):
                await cursor.execute(query.text, taken or None)
        except driver.MySQLError as error:
            code = code_of(error)
            if code in _DOUBTFUL or code // 1000 in _OF_THE_DRIVER:  # who knows what still lies in the line
                self.close()
            raise
        except BaseException:
            self.close()
            raise
        columns = [column[0] for column in cursor.description or ()]
        rows = [dict(zip(columns, row, strict=True)) for row in await cursor.fetchall()] if columns else []
        return rows, _number(cursor.rowcount), _number(cursor.lastrowid)


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0


async def connect(
    address: Address, *, name: str = "encoder", lock_wait_s: int = LOCK_WAIT_S, patient: bool = False
) -> Connection:
    """A connection with our session. `name`: whom people see in the list of processes' attributes.

    `patient`: for statements that take as long as they take; neither we nor the server cut them off.
    """
    with translated():
        async with asyncio.timeout(CONNECT_S):
            raw = await asyncmy.connect(
                host=address.host,
                port=address.port,
                user=address.user,
                password=address.password,
                database=address.database,
                unix_socket=address.socket,
                ssl=address.tls,
                charset="utf8mb4",
                autocommit=True,
                client_flag=CLIENT.FOUND_ROWS,
                conv=_CONVERSIONS,
                binary_prefix=True,
                connect_timeout=CONNECT_S,
                program_name=name,
                cursor_cls=_Cursor,
            )
            connection = Connection(raw, patient=patient)
            try:
                await connection.begin(lock_wait_s=lock_wait_s)
            except BaseException:
                connection.close()
                raise
    return connection


def bound(value: object) -> object:  # noqa: PLR0911  # a table of types
    """`value` as the driver takes it: UUIDs are bytes, times UTC, spans microseconds, sequences JSON."""
    match value:
        case Enum():
            return value.value
        case UUID():
            return value.bytes
        case bool():
            return int(value)
        case datetime():
            return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
        case timedelta():
            return value // timedelta(microseconds=1)
        case tuple() | list():
            return msgspec.json.encode([_listed(each) for each in value]).decode()
        case _:
            return value


def _listed(value: object) -> object:
    return value.hex.upper() if isinstance(value, UUID) else value


def _time_of(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def _uuid_of(value: str | bytes) -> str | UUID:
    return UUID(bytes=value) if isinstance(value, bytes) else value


_CONVERSIONS: Mapping[Any, Callable[..., Any]] = {
    **converters.conversions,
    FIELD_TYPE.DATETIME: _time_of,
    FIELD_TYPE.TINY: lambda text: text != "0",  # boolean; other numbers of ours are wider
    FIELD_TYPE.STRING: _uuid_of,  # of fixed length, and bytes: an id
    FIELD_TYPE.NEWDECIMAL: float,
}
