"""How long statements wait for tables and rows, and how long tables are kept from all others, seen each 20 ms."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import asyncpg

from tests.lab import mariadb
from tests.lab.databases import is_mysql

EACH_S = 0.02

_WAITING = """
SELECT pid, query_start, extract(epoch FROM clock_timestamp() - query_start)::float AS seconds FROM pg_stat_activity
WHERE datname = current_database() AND wait_event_type = 'Lock' AND application_name LIKE 'encoder%'
  AND query NOT LIKE '%INDEX CONCURRENTLY%'
"""
_KEPT = """
SELECT l.pid, c.relname FROM pg_locks l JOIN pg_class c ON c.oid = l.relation
JOIN pg_database d ON d.oid = l.database AND d.datname = current_database()
WHERE l.granted AND l.mode IN ('AccessExclusiveLock', 'ExclusiveLock', 'ShareRowExclusiveLock', 'ShareLock')
  AND c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace
"""
_MARIA_WAITING = """
SELECT ID, TIME_MS / 1000 FROM information_schema.processlist
WHERE DB = DATABASE() AND (STATE LIKE '%metadata lock%' OR STATE LIKE '%Waiting for%lock%')
"""


@dataclass(kw_only=True)
class Seen:
    """Seconds: the longest wait of a statement of ours; by table, for how long it was kept from all who write."""

    looks: int = 0
    longest_wait_s: float = 0.0
    kept_s: dict[str, float] = field(default_factory=lambda: defaultdict(float))


@asynccontextmanager
async def watched(dsn: str) -> AsyncIterator[Seen]:
    """Look until the block ends."""
    seen = Seen()
    looking = asyncio.create_task(_look_at_maria(dsn, seen) if is_mysql(dsn) else _look_at_postgres(dsn, seen))
    try:
        yield seen
    finally:
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)


async def _look_at_postgres(dsn: str, seen: Seen) -> None:
    db = await asyncpg.connect(dsn)
    loop = asyncio.get_running_loop()
    since: dict[tuple[int, str], float] = {}
    try:
        while True:
            now = loop.time()
            for row in await db.fetch(_WAITING):
                seen.longest_wait_s = max(seen.longest_wait_s, row["seconds"])
            kept = {(row["pid"], row["relname"]) for row in await db.fetch(_KEPT)}
            since = {each: since.get(each, now) for each in kept}
            for (_, table), began in since.items():
                seen.kept_s[table] = max(seen.kept_s[table], now - began + EACH_S)
            seen.looks += 1
            await asyncio.sleep(EACH_S)
    finally:
        await db.close()


async def _look_at_maria(dsn: str, seen: Seen) -> None:
    db = await mariadb.connect(dsn)
    try:
        while True:
            async with db.cursor() as cursor:
                await cursor.execute(_MARIA_WAITING)
                for _, seconds in await cursor.fetchall():
                    seen.longest_wait_s = max(seen.longest_wait_s, float(seconds))
            seen.looks += 1
            await asyncio.sleep(EACH_S)
    finally:
        db.close()
