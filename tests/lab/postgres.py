"""A private PostgreSQL for a test session, and a fresh database with our schema for each test."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import Future
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg

from encoder.embedded.postgres import Postgres
from encoder.store.postgres import upgrade
from tests.lab import witness

TEMPLATE = "template_encoder"
LIMIT_S = 30.0  # until a server has read its settings again


def database(dsn: str, name: str) -> str:
    """The address of another database on the same server."""
    return urlsplit(dsn)._replace(path=f"/{name}").geturl()


class Cluster:
    """A running server. Databases are copies of one that has the schema already."""

    def __init__(self, dsn: str) -> None:
        self.dsn = dsn

    @asynccontextmanager
    async def empty(self) -> AsyncIterator[str]:
        """A database without any table."""
        async with self._copy("template0") as dsn:
            yield dsn

    @asynccontextmanager
    async def ready(self) -> AsyncIterator[str]:
        """A database with our schema."""
        async with self._copy(TEMPLATE) as dsn:
            yield dsn

    async def prepare(self) -> None:
        await self.set("fsync", "off")  # a test kills processes, never the machine
        await self.administer(f'CREATE DATABASE "{TEMPLATE}"')
        await upgrade(database(self.dsn, TEMPLATE))
        await witness.install(database(self.dsn, TEMPLATE))

    async def administer(self, statement: str) -> None:
        connection = await asyncpg.connect(self.dsn)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

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

    @asynccontextmanager
    async def _copy(self, template: str) -> AsyncIterator[str]:
        name = f"test_{uuid4().hex}"
        await self.administer(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY file_copy')
        try:
            yield database(self.dsn, name)
        finally:
            await self.administer(f'DROP DATABASE "{name}" WITH (FORCE)')


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
    except BaseException as error:
        if started.done():
            raise
        started.set_exception(error)
