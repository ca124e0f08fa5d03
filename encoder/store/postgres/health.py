"""How a server is set up, as our sessions see it, what may stand before it, and what of that we cannot do without.

docs/operate/databases.md says the same to operators.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager

import asyncpg

from encoder import errors
from encoder.store.engines import Fault, Server
from encoder.store.postgres import sql
from encoder.store.postgres.ear import CHANNEL, FIRST_TEST_S, KEEPALIVE, NONCE
from encoder.store.postgres.migrate import require_fit
from encoder.store.postgres.pool import SESSION, Connection, connect, connect_plainly, translated

LEAST_FREE = 20  # connections: a process takes up to twelve, and people want in as well

_LOOKED_AT = ("fsync", "full_page_writes", "synchronous_commit", "synchronous_standby_names", "autovacuum")
_RELIED_ON = {name: value for name, value in SESSION.items() if name != "application_name"}  # poolers add to names
_PREPARED = "encoder_doctor"  # always this: one that a pooler mislays is the only one that it keeps

_SETTINGS = "SELECT name, current_setting(name) AS value FROM unnest($1::text[]) AS name"
_WRITABLE = (
    "SELECT pg_is_in_recovery() AS is_standby, current_setting('transaction_read_only') = 'on' AS is_read_only,"
    " pg_backend_pid() AS pid"
)
# a limit of a role or a database is -1 where there is none, and none to a superuser
_CONNECTIONS = """
WITH there AS (
  SELECT datname, usename FROM pg_stat_activity WHERE datid IS NOT NULL AND pid <> pg_backend_pid()
), limits AS (
  SELECT current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
    - coalesce(current_setting('reserved_connections', true), '0')::int AS most, (SELECT count(*) FROM there) AS used
  UNION ALL SELECT rolconnlimit, (SELECT count(*) FROM there WHERE usename = rolname)
  FROM pg_roles WHERE rolname = current_user AND rolconnlimit >= 0 AND NOT rolsuper
  UNION ALL SELECT datconnlimit, (SELECT count(*) FROM there t WHERE t.datname = d.datname)
  FROM pg_database d, pg_roles WHERE d.datname = current_database() AND datconnlimit >= 0
    AND rolname = current_user AND NOT rolsuper
)
SELECT most, most - used AS free FROM limits ORDER BY free LIMIT 1
"""


async def server(dsn: str, *, listen_dsn: str | None = None) -> Server:
    """What it is, and what is wrong with it or with the way to it.

    Raises:
        errors.StoreUnavailable: it cannot be reached.
        errors.Unfit: an address is none, or a pooler refuses our sessions.
    """
    async with _ended(connect_plainly(dsn)) as first, _ended(connect_plainly(dsn)) as second:
        async with first.transaction():
            try:
                name = await require_fit(first)
            except errors.Unfit as error:
                return Server(name="PostgreSQL", faults=(Fault(told=str(error), to_do="Upgrade the server."),))
            (row,) = await first.fetch(_WRITABLE)
            is_pooled = row["pid"] != first.get_server_pid()
            faults = [
                *_writable(is_standby=row["is_standby"], is_read_only=row["is_read_only"]),
                *set_up(await _settings(first, _LOOKED_AT)),
                *([] if is_pooled else await _room(first)),
            ]
        faults += await _between(first, second)
        if not row["is_standby"]:  # where nobody can tell anybody anything
            faults += await _wake_ups(first, listen_dsn or dsn)
    return Server(name=f"{name} behind a pooler" if is_pooled else name, faults=faults)


@asynccontextmanager
async def _ended(connecting: Awaitable[Connection]) -> AsyncIterator[Connection]:
    """A connection, ended afterwards; what goes wrong with it or on it is said in our words."""
    with translated():
        connection = await connecting
        try:
            yield connection
        finally:
            connection.terminate()


def _writable(*, is_standby: bool, is_read_only: bool) -> Iterator[Fault]:
    if is_standby:
        yield Fault(
            told="the server is a standby: nothing can be written",
            to_do="Name the primary's address, or all hosts with target_session_attrs=read-write.",
        )
    elif is_read_only:
        yield Fault(
            told="default_transaction_read_only is on: nothing can be written",
            to_do="Find out who set it, for the server, the database or the role, and RESET it there.",
        )


def set_up(values: Mapping[str, str]) -> Iterator[Fault]:
    """What is wrong with the server's settings, all of which are in `values`."""
    if values["fsync"] == "off":
        told = "fsync is off: a crash of the machine may destroy the database"
        yield Fault(told=told, to_do="Set fsync to on.")
    if values["full_page_writes"] == "off":
        told = "full_page_writes is off: pages that a crash tore stay torn"
        yield Fault(told=told, to_do="Set full_page_writes to on, unless the storage never tears a page.")
    if values["synchronous_commit"] == "off":
        told = "synchronous_commit is off: a crash of the server forgets jobs that were accepted"
        yield Fault(told=told, to_do="Set synchronous_commit to on.")
    if values["synchronous_commit"] == "local" and values["synchronous_standby_names"]:
        told = "synchronous_commit is local: a failover to the synchronous standby forgets jobs that were accepted"
        yield Fault(told=told, to_do="Set synchronous_commit to on.")
    if values["autovacuum"] == "off":
        told = "autovacuum is off: dead rows pile up, and each claim walks over them"
        yield Fault(told=told, to_do="Set autovacuum to on.")


async def _settings(connection: Connection, names: Sequence[str]) -> Mapping[str, str]:
    return {row["name"]: row["value"] for row in await connection.fetch(_SETTINGS, list(names))}


async def _room(connection: Connection) -> list[Fault]:
    (room,) = await connection.fetch(_CONNECTIONS)
    if room["free"] >= LEAST_FREE:
        return []
    told = f"{max(room['free'], 0)} of {room['most']} connections are free: each process of Encoder takes up to 12"
    return [Fault(told=told, to_do="Raise max_connections, or the limit of the role or database.")]


async def _between(first: Connection, second: Connection) -> list[Fault]:
    """What a pooler does to sessions: `second` takes the one that `first` has just left, and `first` gets another."""
    lost = False
    strange: dict[str, str] = {}
    try:
        prepared = await first.prepare("SELECT 1", name=_PREPARED)
        await prepared.fetchval()
        async with second.transaction():
            strange |= await _strange(second)
            await prepared.fetchval()
    except (asyncpg.InvalidSQLStatementNameError, asyncpg.DuplicatePreparedStatementError):
        lost = True
    async with first.transaction():
        strange |= await _strange(first)
    return [*_dropped(strange), *([_MISLAID] if lost else [])]


async def _strange(connection: Connection) -> dict[str, str]:
    """Settings of our sessions that are not what we asked for."""
    there = await _settings(connection, [*_RELIED_ON])
    return {name: value for name, value in there.items() if value != _RELIED_ON[name]}


def _dropped(strange: Mapping[str, str]) -> Iterator[Fault]:
    if strange:
        told = ", ".join(f"{name} is {value}, not {_RELIED_ON[name]}" for name, value in sorted(strange.items()))
        yield Fault(
            told=f"a pooler drops the settings of our sessions: {told}",
            to_do="Give them to the role by ALTER ROLE, as docs/operate/databases.md shows, or name the server itself.",
        )


_MISLAID = Fault(
    told="a pooler loses prepared statements between transactions",
    to_do="Let it keep them (pgbouncer 1.21: max_prepared_statements) or whole sessions, or name the server's own"
    " address in ENCODER_DATABASE_URL.",
)


async def _wake_ups(sender: Connection, listen_dsn: str) -> list[Fault]:
    """Whether what is said on the one address is heard on the other."""
    nonce, came_back = f"{NONCE}{secrets.token_hex(8)}", asyncio.Event()

    def hear(_connection: object, _pid: int, _channel: str, payload: object) -> None:
        if payload == nonce:
            came_back.set()

    try:
        async with _ended(connect(listen_dsn, **KEEPALIVE)) as listener:  # as an ear does
            await listener.add_listener(CHANNEL, hear)
            await sender.execute(sql.HINT, CHANNEL, [nonce])
            async with asyncio.timeout(FIRST_TEST_S):
                await came_back.wait()
    except (errors.StoreUnavailable, errors.Unfit) as error:
        silent = isinstance(error.__cause__, TimeoutError)
        told = "wake-ups do not come through" + ("" if silent else f": {error}")
        return [Fault(told=told, to_do="Set ENCODER_LISTEN_URL to the server's own address, and the same database.")]
    return []
