"""Stops workers between two of their writes, at the very one that a test wants, without a change to the product."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import asyncpg

LIMIT_S = 60.0
LOCK = "BEGIN; LOCK TABLE jobs IN EXCLUSIVE MODE"
# shown as they stand, also inside a transaction; every test's database has a `jobs` under the same number
IN_LINE = """
    SELECT mode FROM pg_locks WHERE NOT granted AND relation = 'jobs'::regclass
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"""


class Turnstile:
    """Holds up who would change a job; beats and reads pass.

    Whoever changes a job locks its row first, and for that needs the table. PostgreSQL gives a table to those who wait
    for it in their order: a second hand that asks after the worker, but before the first hand lets go, has it right
    after the worker's transaction.
    """

    def __init__(self, first: asyncpg.Connection, second: asyncpg.Connection) -> None:
        self._holding, self._free = first, second

    async def let_pass(self) -> None:
        """Wait until somebody is held up, and let that transaction pass."""
        await self.somebody_waits()
        asked = asyncio.ensure_future(self._free.execute(LOCK))
        await self._in_line("ExclusiveLock")
        await self._holding.execute("ROLLBACK")
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
        await self._in_line("RowShareLock")

    async def _in_line(self, mode: str) -> None:
        async with asyncio.timeout(LIMIT_S):
            while mode not in {row["mode"] for row in await self._holding.fetch(IN_LINE)}:
                await asyncio.sleep(0.01)


@asynccontextmanager
async def turnstile(dsn: str) -> AsyncIterator[Turnstile]:
    """Shut from now on, open afterwards."""
    hands = [await asyncpg.connect(dsn) for _ in range(2)]
    try:
        await hands[0].execute(LOCK)
        yield Turnstile(*hands)
    finally:
        for hand in hands:
            await hand.close()
