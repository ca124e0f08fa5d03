"""The connections of one process: a few, made when they are needed, given up when there is a doubt."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import TypeVar

from asyncmy.errors import MySQLError

from encoder import errors
from encoder.metrics import database
from encoder.metrics.family import timed
from encoder.store.engine import ACQUIRE_S, Row
from encoder.store.mysql.address import Address
from encoder.store.mysql.connection import (
    STATEMENT_S,
    TOOK_TOO_LONG,
    Connection,
    Lost,
    code_of,
    connect,
    translated,
)
from encoder.store.mysql.programs import PROGRAMS, QUERIES
from encoder.store.mysql.sql import Query
from encoder.store.repeated import repeated
from encoder.store.statements import Statement

T = TypeVar("T")


class Session:
    """A connection that somebody has just now. `connection`: for what is no statement of the verbs."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    async def fetch(self, statement: Statement, *values: object) -> Sequence[Row]:
        if statement in PROGRAMS:
            return await PROGRAMS[statement].run(self.connection, *values)
        return await self.connection.ask(QUERIES[statement], *values)

    async def fetchrow(self, statement: Statement, *values: object) -> Row | None:
        return next(iter(await self.fetch(statement, *values)), None)

    async def execute(self, statement: Statement, *values: object) -> None:
        await self.fetch(statement, *values)


class Pool:
    def __init__(self, address: Address, *, size: int) -> None:
        self._address = address
        self._free: list[Connection] = []
        self._room = asyncio.Semaphore(size)
        self._closed = False
        self._busy = 0
        database.begin(size, free=lambda: len(self._free), busy=lambda: self._busy)

    async def close(self) -> None:
        self._closed = True
        while self._free:
            self._free.pop().close()

    async def ask(self, query: Query, *values: object) -> Sequence[Row]:
        """As `rows`, for what is no statement of the verbs."""

        async def run(connection: Connection) -> Sequence[Row]:
            return await connection.ask(query, *values)

        return await self._repeated(run)

    async def rows(self, statement: Statement, *values: object) -> Sequence[Row]:
        if statement not in PROGRAMS:
            return await self.ask(QUERIES[statement], *values)
        program = PROGRAMS[statement]

        async def run(connection: Connection) -> Sequence[Row]:
            if program.peek is not None and not await connection.ask(program.peek, *values):
                return program.nothing
            if program.reads:
                return await program.run(connection, *values)
            return await _in_transaction(connection, lambda: program.run(connection, *values))

        return await self._repeated(run)

    async def search(self, statement: Statement, *values: object, most_s: float | None = None) -> Sequence[Row]:
        if most_s is None:
            return await self.rows(statement, *values)

        async def run(connection: Connection) -> Sequence[Row]:
            async with connection.limited(most_s):
                return await Session(connection).fetch(statement, *values)

        try:
            return await self._repeated(run)
        except errors.StoreUnavailable as error:
            if isinstance(error.__cause__, MySQLError) and code_of(error.__cause__) in TOOK_TOO_LONG:
                raise errors.TooLong(str(error)) from error
            raise

    async def row(self, statement: Statement, *values: object) -> Row | None:
        return next(iter(await self.rows(statement, *values)), None)

    async def visit(self, work: Callable[[Session], Awaitable[T]]) -> T:
        async def run(connection: Connection) -> T:
            return await work(Session(connection))

        return await self._repeated(run)

    async def transaction(self, work: Callable[[Session], Awaitable[T]]) -> T:
        async def run(connection: Connection) -> T:
            return await _in_transaction(connection, lambda: work(Session(connection)))

        return await self._repeated(run)

    async def _repeated(self, run: Callable[[Connection], Awaitable[T]]) -> T:
        """The whole again when it lost against a rival, but not for ever: each wait for a lock takes seconds."""
        until = time.monotonic() + STATEMENT_S

        async def once() -> T:
            with translated():
                async with self._connection() as connection:
                    return await run(connection)

        return await repeated(once, lost=lambda error: isinstance(error, Lost) and time.monotonic() < until)

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Connection]:
        if self._closed:
            raise errors.StoreUnavailable("the pool is closed")
        with timed(database.wait_seconds.of().observe):
            try:
                async with asyncio.timeout(ACQUIRE_S):
                    await self._room.acquire()
            except TimeoutError as error:
                database.errors.of("timeout").inc()
                raise errors.StoreBusy(f"no connection could be had for {ACQUIRE_S:.0f} s") from error
        self._busy += 1
        try:
            connection = await self._usable()
            try:
                yield connection
            except (asyncio.CancelledError, TimeoutError):
                connection.close()
                raise
            finally:
                if connection.usable and not self._closed:
                    self._free.append(connection)
                else:
                    connection.close()
        finally:
            self._busy -= 1
            self._room.release()

    async def _usable(self) -> Connection:
        """The one that was used last; the others may go stale."""
        while self._free:
            connection = self._free.pop()
            if connection.usable:
                return connection
            connection.close()
        return await connect(self._address)


async def _in_transaction(connection: Connection, work: Callable[[], Awaitable[T]]) -> T:
    await connection.say("START TRANSACTION")
    try:
        result = await work()
    except TimeoutError:
        raise  # the connection is given up: the server rolls back
    except Exception:
        if connection.usable:
            await connection.say("ROLLBACK")
        raise
    await connection.say("COMMIT")
    return result
