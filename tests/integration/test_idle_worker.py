"""What a worker costs the database while there is nothing to do (G18)."""

from __future__ import annotations

import asyncio
from pathlib import Path

import asyncpg

from tests.lab.platform import Platform, until

WATCHED_S = 10.0
FLUSHED_S = 1.5  # a backend's counts become visible at the latest one second after its last statement


async def test_an_idle_worker_asks_at_most_twice_a_second(dsn: str, tmp_path: Path) -> None:
    platform = Platform(dsn=dsn, folder=tmp_path, extra={"ENCODER_LEASE_SECONDS": "60"})
    watcher = await asyncpg.connect(dsn)
    try:
        await platform.start("worker")
        await until(lambda: watcher.fetchval("SELECT count(*) FROM workers"), within_s=20)
        await asyncio.sleep(FLUSHED_S)
        before = await _transactions(watcher)
        await asyncio.sleep(WATCHED_S)
        asked = await _transactions(watcher) - before
    finally:
        await platform.stop()
        await watcher.close()
    assert 0 < asked <= 2 * WATCHED_S


async def _transactions(watcher: asyncpg.Connection) -> int:
    """All that were ended on this database. Each statement of an idle worker is one of its own."""
    await watcher.execute("SELECT pg_stat_clear_snapshot()")
    ended = await watcher.fetchval(
        "SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = current_database()"
    )
    assert isinstance(ended, int)
    return ended
