"""The store on MySQL and MariaDB, put together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from encoder.model.ids import JobId
from encoder.store import engine
from encoder.store.hints import Hints
from encoder.store.mysql import migrate
from encoder.store.mysql.address import Address
from encoder.store.mysql.connection import connect, translated
from encoder.store.mysql.ear import Ear, Mouth, NewsEar
from encoder.store.mysql.enqueue import insert, insert_in
from encoder.store.mysql.heart import Heart
from encoder.store.mysql.pool import Pool, Session
from encoder.store.mysql.programs import QUERIES
from encoder.store.news import WATCHED, News
from encoder.store.rows import NewJob
from encoder.store.statements import Statement
from encoder.store.steps import prepare
from encoder.store.verbs.every import Every

POOL_SIZE = 10


class MysqlStore(Every):
    """All verbs over one pool. Hints reach the ears of this process; other processes look for themselves."""

    version = migrate.VERSION

    def __init__(self, pool: Pool, address: Address) -> None:
        self._mouth, self._news_mouth = Mouth(), Mouth()
        super().__init__(pool, Hints(self._mouth.say), News(Hints(self._news_mouth.say)))
        self._mysql = pool
        self._address = address

    async def _insert(self, job: NewJob) -> JobId | None:
        return await insert(self._mysql, self._hints, job)

    async def _insert_in(self, session: engine.Session, job: NewJob) -> tuple[JobId | None, Sequence[str]]:
        return await insert_in(cast("Session", session).connection, job)

    async def hint(self, *payloads: str) -> None:
        if WATCHED in payloads:
            self._news.wanted()
        self._hints.send(*payloads)

    def heart(self) -> Heart:
        return Heart(self._address)

    def ear(self) -> Ear:
        return Ear(self._address, self._mouth)

    def news_ear(self) -> NewsEar:
        return NewsEar(self._news_mouth)

    async def ping(self) -> None:
        await self._pool.rows(Statement.PING)

    async def reach(self) -> None:
        connection = await connect(self._address)
        try:
            with translated():
                await connection.ask(QUERIES[Statement.PING])
        finally:
            connection.close()

    async def close(self) -> None:
        await self._hints.close()
        await self._news.close()
        await self._pool.close()


async def open_store(dsn: str, *, pool_size: int = POOL_SIZE, auto_migrate: bool = True) -> MysqlStore:
    """Open a database, its schema made or brought up to date, or found fit where that is not for us to do.

    Raises:
        errors.SchemaUnfit: its schema is not for this program, or not yet.
        errors.StoreUnavailable: it cannot be reached.
        errors.Unfit: its server is too old, or set up in a way that cannot hold what we promise.
    """
    await prepare(migrate, dsn, auto_migrate=auto_migrate)
    address = Address.of(dsn)
    return MysqlStore(Pool(address, size=pool_size), address)
