"""Stops workers between two of their writes, at the very one that a test wants, without a change to the product."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Protocol

import asyncmy
import asyncpg

from tests.lab import mariadb
from tests.lab.databases import is_mysql

LIMIT_S = 60.0


class Hand(Protocol):
    """A connection that holds all jobs, or waits until it may: reads and beats pass, changes of a job wait."""

    async def take(self) -> None:
        """Wait for those who asked before, then hold."""

    async def let_go(self) -> None: ...

    async def in_line(self) -> set[str]:
        """Of `hand` and `stranger` those who wait for a job at this moment."""

    async def close(self) -> None: ...


class Turnstile:
    """Holds up who would change a job; beats and reads pass.

    Whoever changes a job locks its row first. Both databases give a lock to those who wait for it in their order: a
    second hand that asks after the worker, but before the first hand lets go, has it right after the worker's
    transaction.
    """

    def __init__(self, first: Hand, second: Hand) -> None:
        self._holding, self._free = first, second

    async def let_pass(self) -> None:
        """Wait until somebody is held up, and let that transaction pass."""
        await self.somebody_waits()
        asked = asyncio.ensure_future(self._free.take())
        await self._in_line("hand")
        await self._holding.let_go()
        await asked
        self._holding, self._free = self._free, self._holding

    async def let_pass_until(self, holds: Callable[[], Awaitable[bool]]) -> None:
        """The same again and again; then wait for the transaction that is held up after that."""
        async with asyncio.timeout(LIMIT_S):
            while not await holds():
                await self.let_pass()
        await self.somebody_waits()

    async def somebody_waits(self) -> None:
        """Wait until somebody is held up."""
        await self._in_line("stranger")

    async def _in_line(self, who: str) -> None:
        async with asyncio.timeout(LIMIT_S):
            while who not in await self._holding.in_line():
                await asyncio.sleep(0.01)


class _Postgres:
    """Locks the table: whoever locks a row of it needs that first."""

    # shown as they stand, also inside a transaction; every test's database has a `jobs` under the same number
    IN_LINE = """
        SELECT mode FROM pg_locks WHERE NOT granted AND relation = 'jobs'::regclass
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"""
    WHO = {"ExclusiveLock": "hand", "RowShareLock": "stranger"}

    def __init__(self, connection: asyncpg.Connection[Any]) -> None:
        self._connection = connection

    async def take(self) -> None:
        await self._connection.execute("BEGIN; LOCK TABLE jobs IN EXCLUSIVE MODE")

    async def let_go(self) -> None:
        await self._connection.execute("ROLLBACK")

    async def in_line(self) -> set[str]:
        return {self.WHO.get(row["mode"], row["mode"]) for row in await self._connection.fetch(self.IN_LINE)}

    async def close(self) -> None:
        await self._connection.close()


class _Mariadb:
    """Locks each job that there is by now: one who waits is given up after 3 s, and asks again behind all others."""

    TAKE = "SELECT id FROM jobs FORCE INDEX (PRIMARY) FOR UPDATE /* a hand */"
    IN_LINE = """
        SELECT t.trx_query LIKE '%/* a hand */' FROM information_schema.innodb_lock_waits w
        JOIN information_schema.innodb_trx t ON t.trx_id = w.requesting_trx_id
        JOIN information_schema.innodb_locks l ON l.lock_id = w.requested_lock_id
        WHERE l.lock_table = CONCAT('`', DATABASE(), '`.`jobs`')"""
    ANEW_S = 0.11  # these tables are shown anew only to who has not looked for 100 ms

    def __init__(self, connection: asyncmy.Connection) -> None:
        self._connection = connection

    async def take(self) -> None:
        await self._say("START TRANSACTION")
        await self._say(self.TAKE)

    async def let_go(self) -> None:
        await self._say("ROLLBACK")

    async def in_line(self) -> set[str]:
        await asyncio.sleep(self.ANEW_S)
        return {"hand" if is_hand else "stranger" for (is_hand,) in await self._say(self.IN_LINE)}

    async def close(self) -> None:
        self._connection.close()

    async def _say(self, text: str) -> list[tuple[Any, ...]]:
        async with self._connection.cursor() as cursor:
            await cursor.execute(text)
            return list(await cursor.fetchall())


async def _hand(dsn: str) -> Hand:
    return _Mariadb(await mariadb.connect(dsn)) if is_mysql(dsn) else _Postgres(await asyncpg.connect(dsn))


@asynccontextmanager
async def turnstile(dsn: str) -> AsyncIterator[Turnstile]:
    """Shut from now on, open afterwards."""
    hands = [await _hand(dsn) for _ in range(2)]
    try:
        await hands[0].take()
        yield Turnstile(*hands)
    finally:
        for hand in hands:
            await hand.close()
