"""The store on PostgreSQL, put together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from functools import partial
from typing import cast

from encoder.model.ids import JobId, TenantId
from encoder.store import engine
from encoder.store.engine import Row
from encoder.store.hints import Hints
from encoder.store.line import Front
from encoder.store.news import WATCHED, News
from encoder.store.postgres import migrate, sql
from encoder.store.postgres.ear import CHANNEL, NEWS_CHANNEL, Ear
from encoder.store.postgres.enqueue import insert
from encoder.store.postgres.heart import Heart
from encoder.store.postgres.pool import Pool, Session, connect, translated
from encoder.store.postgres.sql import TEXTS
from encoder.store.rows import NewJob
from encoder.store.statements import Statement
from encoder.store.steps import prepare
from encoder.store.verbs.every import Every

POOL_SIZE = 10


class PostgresStore(Every):
    """All verbs over one pool. `dsn` may lead through a pooler; `listen_dsn` must not."""

    version = migrate.VERSION

    def __init__(self, pool: Pool, *, dsn: str, listen_dsn: str) -> None:
        news = News(Hints(partial(self._notify, NEWS_CHANNEL)))
        super().__init__(pool, Hints(partial(self._notify, CHANNEL)), news)
        self._postgres = pool
        self._dsn = dsn
        self._listen_dsn = listen_dsn
        self._fronts: defaultdict[str, Front] = defaultdict(Front)
        self._told: set[TenantId] = set()
        self._ear: Ear | None = None

    async def _insert(self, job: NewJob) -> JobId | None:
        job_id, after = await insert(
            self._postgres, self._hints, job, front=self._fronts[job.spec.queue], told=self._told
        )
        self._hints.send(*after)
        return job_id

    async def _insert_in(self, session: engine.Session, job: NewJob) -> tuple[JobId | None, Sequence[str]]:
        return await insert(
            cast("Session", session), self._hints, job, front=self._fronts[job.spec.queue], told=self._told
        )

    async def _take(self, *values: object) -> Sequence[Row]:
        rows = None if self._ear is None else await self._ear.ask(TEXTS[Statement.CLAIM], *values)
        return await super()._take(*values) if rows is None else rows

    async def _notify(self, channel: str, payloads: Sequence[str]) -> None:
        await self._postgres.ask(sql.HINT, channel, payloads)

    async def hint(self, *payloads: str) -> None:
        if WATCHED in payloads:
            self._news.wanted()
        self._hints.send(*payloads)

    def heart(self) -> Heart:
        return Heart(self._dsn)

    def ear(self) -> Ear:
        self._ear = Ear(self._listen_dsn, said_at=self._dsn, on_watched=self._news.wanted)
        return self._ear

    def news_ear(self) -> Ear:
        return Ear(self._listen_dsn, said_at=self._dsn, channel=NEWS_CHANNEL)

    async def ping(self) -> None:
        await self._pool.rows(Statement.PING)

    async def reach(self) -> None:
        with translated():
            connection = await connect(self._dsn)
            try:
                await connection.execute(TEXTS[Statement.PING])
            finally:
                connection.terminate()

    async def close(self) -> None:
        await self._hints.close()
        await self._news.close()
        await self._pool.close()


async def open_store(
    dsn: str, *, listen_dsn: str | None = None, pool_size: int = POOL_SIZE, auto_migrate: bool = True
) -> PostgresStore:
    """Open a database, its schema made or brought up to date, or found fit where that is not for us to do.

    Raises:
        errors.SchemaUnfit: its schema is not for this program, or not yet.
        errors.StoreUnavailable: it cannot be reached.
        errors.Unfit: its server is too old, or a pooler before it refuses our sessions.
    """
    await prepare(migrate, dsn, auto_migrate=auto_migrate)
    pool = await Pool.open(dsn, size=pool_size)
    return PostgresStore(pool, dsn=dsn, listen_dsn=listen_dsn or dsn)
