"""Holds rows, and knows when somebody waits for one: for tests in which two hands meet on it. On both databases."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import TypeVar

import asyncpg

from tests.lab import mariadb
from tests.lab.databases import ask, is_mysql

T = TypeVar("T")

PAUSE_S = 0.12  # InnoDB shows its transactions anew only to who has not looked for 100 ms

# not pg_stat_activity: a transaction sees that as it stood at its first look
_WAITING = {
    False: "SELECT count(DISTINCT pid) FROM pg_locks WHERE NOT granted",
    True: "SELECT count(*) FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT'",
}


class Referee:
    def __init__(self, dsn: str) -> None:
        self._dsn = dsn

    @asynccontextmanager
    async def holding(self, table: str, key: str, value: int) -> AsyncIterator[None]:
        query = f"SELECT 1 FROM {table} WHERE {key} = {value} FOR UPDATE"  # noqa: S608  # constants of the tests
        if is_mysql(self._dsn):
            connection = await mariadb.connect(self._dsn)
            try:
                async with connection.cursor() as cursor:
                    await cursor.execute("START TRANSACTION")
                    assert await cursor.execute(query) == 1
                    yield
                    await cursor.execute("COMMIT")
            finally:
                connection.close()
            return
        db = await asyncpg.connect(self._dsn)
        try:
            async with db.transaction():
                assert await db.fetchval(query) == 1
                yield
        finally:
            await db.close()

    async def until_waiting(self, work: Awaitable[T], *, waiting: int) -> asyncio.Task[T]:
        """Start `work`, and return when so many wait for a lock."""
        task = asyncio.ensure_future(work)
        async with asyncio.timeout(10):
            while await self._waiting() < waiting:
                assert not task.done(), f"nothing to wait for: {task}"
                await asyncio.sleep(PAUSE_S if is_mysql(self._dsn) else 0)
        return task

    async def _waiting(self) -> int:
        ((waiting,),) = await ask(self._dsn, _WAITING[is_mysql(self._dsn)])
        return int(waiting)
