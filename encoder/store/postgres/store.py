"""The store on PostgreSQL, put together."""

from __future__ import annotations

from encoder.store.postgres import migrate, sql
from encoder.store.postgres.deliveries import Deliveries
from encoder.store.postgres.ear import Ear
from encoder.store.postgres.heart import Heart
from encoder.store.postgres.hints import Hints
from encoder.store.postgres.jobs import Jobs
from encoder.store.postgres.pool import Pool
from encoder.store.postgres.reading import Reading
from encoder.store.postgres.tasks import Tasks
from encoder.store.postgres.uploads import Uploads
from encoder.store.postgres.workers import Workers

POOL_SIZE = 10


class PostgresStore(Jobs, Reading, Tasks, Deliveries, Uploads, Workers):
    """All verbs over one pool. `dsn` may lead through a pooler; `listen_dsn` must not."""

    def __init__(self, pool: Pool, *, dsn: str, listen_dsn: str) -> None:
        super().__init__(pool, Hints(pool))
        self._dsn = dsn
        self._listen_dsn = listen_dsn

    async def hint(self, *payloads: str) -> None:
        self._hints.send(*payloads)

    def heart(self) -> Heart:
        return Heart(self._dsn)

    def ear(self) -> Ear:
        return Ear(self._listen_dsn)

    async def ping(self) -> None:
        await self._pool.rows(sql.PING)

    async def close(self) -> None:
        await self._hints.close()
        await self._pool.close()


async def open_store(dsn: str, *, listen_dsn: str | None = None, pool_size: int = POOL_SIZE) -> PostgresStore:
    """Open a database, its schema made or brought up to date.

    Raises:
        errors.StoreUnavailable: it cannot be reached.
    """
    await migrate.upgrade(dsn)
    pool = await Pool.open(dsn, size=pool_size)
    return PostgresStore(pool, dsn=dsn, listen_dsn=listen_dsn or dsn)
