"""The store on MySQL and MariaDB, put together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from encoder.model.ids import JobId
from encoder.store import engine
from encoder.store.hints import Hints
from encoder.store.mysql import migrate
from encoder.store.mysql.address import Address
from encoder.store.mysql.ear import Ear, Mouth, NewsEar
from encoder.store.mysql.enqueue import hints_of, insert, insert_in
from encoder.store.mysql.heart import Heart
from encoder.store.mysql.pool import Pool, Session
from encoder.store.news import WATCHED, News
from encoder.store.rows import NewJob
from encoder.store.statements import Statement
from encoder.store.verbs.clinic import Clinic
from encoder.store.verbs.dead import DeadLetters
from encoder.store.verbs.deliveries import Deliveries
from encoder.store.verbs.endpoints import Endpoints
from encoder.store.verbs.jobs import Jobs
from encoder.store.verbs.keys import Keys
from encoder.store.verbs.pipelines import Pipelines
from encoder.store.verbs.presets import Presets
from encoder.store.verbs.queues import Queues
from encoder.store.verbs.retention import Retention
from encoder.store.verbs.tasks import Tasks
from encoder.store.verbs.uploads import Uploads
from encoder.store.verbs.watching import Watching
from encoder.store.verbs.workers import Workers

POOL_SIZE = 10


class MysqlStore(
    Jobs,
    Watching,
    DeadLetters,
    Tasks,
    Queues,
    Deliveries,
    Endpoints,
    Uploads,
    Keys,
    Presets,
    Pipelines,
    Retention,
    Workers,
    Clinic,
):
    """All verbs over one pool. Hints reach the ears of this process; other processes look for themselves."""

    def __init__(self, pool: Pool, address: Address) -> None:
        self._mouth, self._news_mouth = Mouth(), Mouth()
        super().__init__(pool, Hints(self._mouth.say), News(Hints(self._news_mouth.say)))
        self._mysql = pool
        self._address = address

    async def _insert(self, job: NewJob) -> JobId | None:
        return await insert(self._mysql, self._hints, job)

    async def _insert_in(self, session: engine.Session, job: NewJob) -> Sequence[str]:
        _, told = await insert_in(cast("Session", session).connection, job)
        return hints_of(job, told=told)

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

    async def close(self) -> None:
        await self._hints.close()
        await self._news.close()
        await self._pool.close()


async def open_store(dsn: str, *, pool_size: int = POOL_SIZE) -> MysqlStore:
    """Open a database, its schema made or brought up to date.

    Raises:
        errors.StoreUnavailable: it cannot be reached.
        errors.Unfit: its server is too old, or set up in a way that cannot hold what we promise.
    """
    await migrate.upgrade(dsn)
    address = Address.of(dsn)
    return MysqlStore(Pool(address, size=pool_size), address)
