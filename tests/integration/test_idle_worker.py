"""What a worker costs the database while there is nothing to do (G18)."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg

from tests.lab.platform import Platform, until

WATCHED_S = 10.0


async def test_an_idle_worker_asks_at_most_twice_a_second(dsn: str, tmp_path: Path) -> None:
    platform = Platform(dsn=dsn, folder=tmp_path, extra={"ENCODER_LEASE_SECONDS": "60"})
    watcher = await asyncpg.connect(dsn)
    try:
        log = Path(await watcher.fetchval("SHOW data_directory")).parent / "log"
        await watcher.execute(
            f"ALTER DATABASE \"{urlsplit(dsn).path[1:]}\" SET log_statement = 'all'"
        )  # for new sessions
        await platform.start("worker")
        await until(lambda: watcher.fetchval("SELECT count(*) FROM workers"), within_s=20)
        before = _statements(log)
        await asyncio.sleep(WATCHED_S)
        asked = _statements(log)[len(before) :]
    finally:
        await platform.stop()
        await watcher.close()
    assert before
    assert len(asked) <= 2 * WATCHED_S, "\n".join(asked)


def _statements(log: Path) -> list[str]:
    """What the sessions that are logged have asked so far."""
    return re.findall(r"LOG:  (?:statement|execute \S+): (.*)", log.read_text())
