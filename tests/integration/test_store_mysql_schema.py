"""The schema on MariaDB: made by whoever comes first, taken up again where a start was killed, as the file says."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator

import pytest

from encoder import errors
from encoder.store import text
from encoder.store.mysql import connection, migrate, open_store, sql
from encoder.store.mysql.address import Address
from encoder.store.mysql.connection import Connection
from encoder.store.statements import Statement
from tests.lab import mariadb, work


@pytest.fixture
async def empty(maria: mariadb.Server) -> AsyncIterator[str]:
    async with maria.empty() as dsn:
        yield dsn


async def test_ten_starters_on_an_empty_database_make_one_schema(empty: str) -> None:
    stores = await asyncio.gather(*(open_store(empty) for _ in range(10)))
    await asyncio.gather(*(work.enqueue(store) for store in stores))
    for store in stores:
        await store.close()
    assert await mariadb.ask(empty, "SELECT version FROM schema_version") == [(migrate.VERSION,)]
    assert await mariadb.ask(empty, "SELECT count(*) FROM jobs") == [(10,)]


async def test_a_start_that_was_killed_in_between_is_taken_up_again(empty: str) -> None:
    statements = text.statements(sql.read("schema"))
    await mariadb.run(empty, *statements[: len(statements) // 2])
    assert (await migrate.check(empty)).version == 0
    assert await migrate.upgrade(empty) == migrate.VERSION
    ((tables,),) = await mariadb.ask(
        empty, "SELECT count(*) FROM information_schema.tables WHERE table_schema = DATABASE()"
    )
    assert tables == sum(statement.startswith("CREATE TABLE") for statement in statements)


async def test_an_older_database_takes_the_steps_that_it_lacks_once(empty: str) -> None:
    assert await migrate.upgrade(empty, steps=()) == migrate.FIRST
    first = "CREATE TABLE taken (step integer);\nINSERT INTO taken VALUES (1);"
    second = "ALTER TABLE taken ADD COLUMN more integer;\nINSERT INTO taken VALUES (2, 2);"
    assert await migrate.upgrade(empty, steps=(first,)) == migrate.FIRST + 1
    upgrades = (migrate.upgrade(empty, steps=(first, second)) for _ in range(4))
    assert set(await asyncio.gather(*upgrades)) == {migrate.FIRST + 2}
    assert await mariadb.ask(empty, "SELECT step FROM taken ORDER BY step") == [(1,), (2,)]
    assert await mariadb.ask(empty, "SELECT version FROM schema_version ORDER BY version") == [
        (migrate.FIRST + step,) for step in range(3)
    ]


async def test_a_step_may_take_longer_than_any_other_statement(empty: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "STATEMENT_S", 1)
    assert await migrate.upgrade(empty, steps=()) == migrate.FIRST
    upgrades = (migrate.upgrade(empty, steps=("SELECT SLEEP(1.3);",)) for _ in range(2))  # one waits for the other
    assert await asyncio.gather(*upgrades) == [migrate.FIRST + 1] * 2


async def test_a_step_that_was_begun_is_gone_through_again(empty: str) -> None:
    await migrate.upgrade(empty)
    broken = "CREATE TABLE half (n integer);\nALTER TABLE half ADD COLUMN m integer;\nSELECT * FROM nowhere;"
    with pytest.raises(Exception, match="nowhere"):
        await migrate.upgrade(empty, steps=(*migrate.STEPS, broken))
    assert (await migrate.check(empty)).version == migrate.VERSION
    mended = broken.replace("SELECT * FROM nowhere;", "")
    assert await migrate.upgrade(empty, steps=(*migrate.STEPS, mended)) == migrate.VERSION + 1


async def test_a_newer_database_is_left_alone(empty: str) -> None:
    await migrate.upgrade(empty)
    await mariadb.run(empty, "INSERT INTO schema_version (version, applied_at) VALUES (99, UTC_TIMESTAMP(6))")
    assert await migrate.upgrade(empty) == 99


async def test_texts_are_told_apart_by_their_bytes_and_times_to_the_microsecond(empty: str) -> None:
    await migrate.upgrade(empty)
    columns = await mariadb.ask(
        empty,
        "SELECT table_name, column_name, collation_name, datetime_precision, data_type"
        " FROM information_schema.columns WHERE table_schema = DATABASE()",
    )
    assert len(columns) > 90
    for table, column, collation, precision, kind in columns:
        assert collation in {None, "utf8mb4_bin"}, (table, column)
        assert kind != "datetime" or precision == 6, (table, column)


async def test_every_constraint_of_the_file_stands_in_the_database_under_its_name(empty: str) -> None:
    """But for primary keys, which these servers call PRIMARY."""
    await migrate.upgrade(empty)
    there = {
        str(name)
        for (name,) in await mariadb.ask(
            empty,
            "SELECT constraint_name FROM information_schema.table_constraints WHERE table_schema = DATABASE()"
            " UNION SELECT index_name FROM information_schema.statistics WHERE table_schema = DATABASE()",
        )
    }
    meant = set(re.findall(r"(?:CONSTRAINT|INDEX) (\w+)", sql.read("schema")))
    assert {name for name in meant if not name.endswith("_pk")} <= there
    assert there <= meant | {"PRIMARY"}


class _Server(Connection):
    """A server that says of itself what a test wants."""

    def __init__(self, version: str, log_bin: int, binlog_format: str) -> None:
        self._says = {"version": version, "log_bin": log_bin, "binlog_format": binlog_format}

    async def ask(self, query: object, *values: object) -> list[dict[str, object]]:
        return [self._says]


@pytest.mark.parametrize(
    ("version", "log_bin", "binlog_format", "told"),
    [
        ("8.0.15", 0, "ROW", "MySQL 8.0.15 is too old"),
        ("5.7.44-log", 0, "ROW", "MySQL 5.7.44-log is too old"),
        ("10.5.21-MariaDB", 0, "ROW", "MariaDB 10.5.21-MariaDB is too old"),
        ("5.5.5-10.4.1-MariaDB", 0, "ROW", "is too old"),
        ("8.0.36", 1, "STATEMENT", "binlog_format is STATEMENT"),
    ],
)
async def test_a_server_that_cannot_keep_our_promises_is_refused(
    version: str, log_bin: int, binlog_format: str, told: str
) -> None:
    with pytest.raises(errors.Unfit, match=told):
        await migrate.require_fit(_Server(version, log_bin, binlog_format))


@pytest.mark.parametrize(
    "version", ["8.0.16", "8.4.0", "9.1.0", "10.6.0-MariaDB", "5.5.5-10.11.6-MariaDB-1", "11.4.2-MariaDB"]
)
async def test_a_server_that_can_is_taken(version: str) -> None:
    assert await migrate.require_fit(_Server(version, 1, "MIXED"))
    assert await migrate.require_fit(_Server(version, 0, "STATEMENT"))


def test_every_statement_has_its_file_and_its_head() -> None:
    for statement in Statement:
        text = sql.read(statement)
        assert text.startswith("-- "), statement
        assert statement in {"ping", "uptime"} or "-- Index:" in text, statement


def test_an_address_is_read_as_it_is_written() -> None:
    read = Address.of("mysql://ann:p%40ss@db.example:3307/enc?ssl-mode=required")
    assert (read.host, read.port, read.user, read.password, read.database) == ("db.example", 3307, "ann", "p@ss", "enc")
    assert read.tls is not None
    assert Address.of("mysql://root@[::1]/e").port == 3306


@pytest.mark.parametrize(
    "dsn",
    ["mysql://h", "mysql://h/", "postgresql://h/d", "mysql://h/d?ssl-mode=maybe", "mysql://h:x/d", "mysql://h/d?x=1"],
)
def test_an_address_that_is_none_is_told_without_its_words(dsn: str) -> None:
    with pytest.raises(errors.Unfit, match="no address of a MySQL database") as refused:
        Address.of(dsn.replace("mysql://", "mysql://ann:s3cret@"))
    assert "s3cret" not in str(refused.value)
