"""Both databases, as tests use them that do not care which it is: asked in standard SQL, named in a fixture."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Any, Protocol

import asyncpg
import pytest
from asyncmy import errors as driver

from tests.lab import mariadb

BOTH = ("postgres", "mariadb")
Answers = Callable[[str], Awaitable[list[tuple[Any, ...]]]]
AWAY = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, driver.MySQLError)


class Database(Protocol):
    """A running server, of either kind."""

    @property
    def dsn(self) -> str: ...

    def empty(self) -> AbstractAsyncContextManager[str]:
        """A database without any table."""

    def ready(self) -> AbstractAsyncContextManager[str]:
        """A database with our schema, and eyes on its writes."""


def of(request: pytest.FixtureRequest, name: str) -> Database:
    """The server of that name, for the session; where there is none of it, the test skips and says so."""
    server: Database = request.getfixturevalue({"postgres": "cluster", "mariadb": "maria"}[name])
    return server


def is_mysql(dsn: str) -> bool:
    return dsn.startswith("mysql:")


async def ask(dsn: str, question: str) -> list[tuple[Any, ...]]:
    """The rows that answer one question, in SQL that both understand."""
    async with asking(dsn) as answers:
        return await answers(question)


@asynccontextmanager
async def asking(dsn: str) -> AsyncIterator[Answers]:
    """As `ask`, for several questions by one connection."""
    if is_mysql(dsn):
        async with mariadb.asking(dsn) as answers:
            yield answers
        return
    db = await asyncpg.connect(dsn)

    async def of_postgres(question: str) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in await db.fetch(question)]

    try:
        yield of_postgres
    finally:
        await db.close()


async def rows(dsn: str) -> list[tuple[str, str]]:
    """Every row of every table of ours as text, under its table's name; bytes too, as they would be read."""
    schema = "DATABASE()" if is_mysql(dsn) else "'public'"
    tables = await ask(dsn, f"SELECT table_name FROM information_schema.tables WHERE table_schema = {schema}")  # noqa: S608  # ours
    found = [(str(table), row) for (table,) in tables for row in await ask(dsn, f"SELECT * FROM {table}")]  # noqa: S608  # ours
    return [(table, " ".join(map(_text, row))) for table, row in found]


def _text(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


async def run(dsn: str, *statements: str) -> None:
    """Some statements, in SQL that both understand."""
    if is_mysql(dsn):
        await mariadb.run(dsn, *statements)
        return
    db = await asyncpg.connect(dsn)
    try:
        for statement in statements:
            await db.execute(statement)
    finally:
        await db.close()


async def end_sessions(dsn: str, share: float) -> None:
    """End such a share of the connections of ours to this database, by chance; on MariaDB the lab's own, too."""
    if is_mysql(dsn):
        of_others = "SELECT id FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID()"
        for (number,) in await ask(dsn, f"{of_others} AND rand() < {share}"):
            with suppress(driver.MySQLError):  # it went by itself
                await run(dsn, f"KILL {number}")
        return
    ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
    await ask(dsn, f"{ended} AND application_name LIKE 'encoder%' AND random() < {share}")


@asynccontextmanager
async def connection(dsn: str) -> AsyncIterator[None]:
    """One more, as a role of ours would have it."""
    if is_mysql(dsn):
        there = await mariadb.connect(dsn)
        yield
        there.close()
        return
    db = await asyncpg.connect(dsn, server_settings={"application_name": "encoder"})
    yield
    await db.close()


async def connections(dsn: str) -> int:
    """How many of ours there are to this database."""
    if is_mysql(dsn):
        own = "SELECT count(*) FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID()"
        return int((await ask(dsn, own))[0][0])
    counted = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'encoder%'"
    )
    return int((await ask(dsn, counted))[0][0])
