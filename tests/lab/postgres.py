"""A private PostgreSQL for a test session, and a fresh database with our schema for each test."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from concurrent.futures import Future
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias, TypeVar
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg

from encoder.embedded.postgres import Postgres
from encoder.store.postgres import upgrade
from tests.lab import emptied, witness

T = TypeVar("T")
Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"  # generic in the stubs alone

TEMPLATE = "template_encoder"
LIMIT_S = 30.0  # until a server has read its settings again


def database(dsn: str, name: str) -> str:
    """The address of another database on the same server."""
    return urlsplit(dsn)._replace(path=f"/{name}").geturl()


class Cluster:
    """A running server. Databases are copies of one that has the schema already; emptied, they serve again."""

    def __init__(self, dsn: str) -> None:
        """Made on the loop that it lives on."""
        self.dsn = dsn
        self._loop = asyncio.get_running_loop()
        self._turn = asyncio.Lock()
        self._connection: Connection | None = None
        self._free: list[str] = []

    @asynccontextmanager
    async def empty(self) -> AsyncIterator[str]:
        """A database without any table."""
        name = await self._copy("template0")
        try:
            yield database(self.dsn, name)
        finally:
            await self._drop(name)

    @asynccontextmanager
    async def ready(self) -> AsyncIterator[str]:
        """A database with our schema, as it is made."""
        name = self._free.pop() if self._free else await self._copy(TEMPLATE)
        dsn = database(self.dsn, name)
        try:
            yield dsn
        finally:
            if await self._ask(partial(emptied.is_as_born, name=name)) and await emptied.empty(dsn):
                self._free.append(name)
            else:
                await self._drop(name)

    async def prepare(self) -> None:
        await self.set("fsync", "off")  # a test kills processes, never the machine
        # the usual 4096 rounds of SCRAM are a millisecond of CPU, and a test connects ten times
        password = urlsplit(self.dsn).password
        await self.administer(f"SET scram_iterations = 1; ALTER ROLE CURRENT_USER PASSWORD '{password}'")
        await self.administer(f'CREATE DATABASE "{TEMPLATE}"')
        await upgrade(database(self.dsn, TEMPLATE))
        await witness.install(database(self.dsn, TEMPLATE))
        await emptied.install(database(self.dsn, TEMPLATE))

    async def administer(self, statement: str) -> None:
        await self._ask(lambda connection: connection.execute(statement))

    async def _ask(self, work: Callable[[Connection], Coroutine[Any, Any, T]]) -> T:
        """By a connection that is kept, whatever loop asks."""
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(self._asked(work), self._loop))

    async def _asked(self, work: Callable[[Connection], Coroutine[Any, Any, T]]) -> T:
        async with self._turn:
            if self._connection is None or self._connection.is_closed():
                self._connection = await asyncpg.connect(self.dsn)
            return await work(self._connection)

    async def close(self) -> None:
        """On its own loop."""
        if self._connection is not None:
            await self._connection.close()

    async def set(self, name: str, value: str) -> None:
        """A setting of the whole server, for all sessions that begin from now on."""
        await self.administer(f"ALTER SYSTEM SET {name} = '{value}'")
        await self.administer("SELECT pg_reload_conf()")
        async with asyncio.timeout(LIMIT_S):
            while await self._shown(name) != value:
                await asyncio.sleep(0.01)

    @asynccontextmanager
    async def having(self, **settings: str) -> AsyncIterator[None]:
        """The same, for a while."""
        before = {name: await self._shown(name) for name in settings}
        try:
            for name, value in settings.items():
                await self.set(name, value)
            yield
        finally:
            for name, value in before.items():
                await self.set(name, value)

    async def _shown(self, name: str) -> str:
        connection = await asyncpg.connect(self.dsn)
        try:
            return str(await connection.fetchval("SELECT current_setting($1)", name))
        finally:
            await connection.close()

    async def _copy(self, template: str) -> str:
        name = f"test_{uuid4().hex}"
        await self.administer(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY file_copy')
        return name

    async def _drop(self, name: str) -> None:
        await self.administer(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@contextmanager
def cluster(folder: Path) -> Iterator[Cluster]:
    """A server for a whole session: it lives in a thread, on a loop that outlasts those of the tests."""
    started: Future[Cluster] = Future()
    stop = threading.Event()
    thread = threading.Thread(target=asyncio.run, args=(_serve(folder, started, stop),), name="postgres")
    thread.start()
    try:
        yield started.result()
    finally:
        stop.set()
        thread.join()


async def _serve(folder: Path, started: Future[Cluster], stop: threading.Event) -> None:
    try:
        # port 0: some tests reach it through a proxy of their own
        async with Postgres(folder / "postgres", port=0).running() as dsn:
            made = Cluster(dsn)
            await made.prepare()
            started.set_result(made)
            await asyncio.to_thread(stop.wait)
            await made.close()
    except BaseException as error:
        if started.done():
            raise
        started.set_exception(error)
