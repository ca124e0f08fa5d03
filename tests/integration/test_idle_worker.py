"""What a worker costs the database while there is nothing to do (G18)."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.lab.databases import ask, is_mysql, run
from tests.lab.platform import Platform, until

WATCHED_S = 5.0
SETTLED_S = 2.0  # until its connections stand


@pytest.mark.both_databases
async def test_an_idle_worker_asks_at_most_twice_a_second(dsn: str, tmp_path: Path) -> None:
    platform = Platform(dsn=dsn, folder=tmp_path, extra={"ENCODER_LEASE_SECONDS": "60"})
    try:
        await _log(dsn)
        await platform.start("worker")
        await until(lambda: _works(dsn), within_s=20)
        await asyncio.sleep(SETTLED_S)
        before = await _statements(dsn)
        await asyncio.sleep(WATCHED_S)
        asked = (await _statements(dsn))[len(before) :]
    finally:
        await platform.stop()
        await _log(dsn, on=False)
    assert before
    assert len(asked) <= 2 * WATCHED_S, "\n".join(asked)


async def _works(dsn: str) -> bool:
    return await ask(dsn, "SELECT count(*) FROM workers") == [(1,)]


async def _log(dsn: str, *, on: bool = True) -> None:
    """Have the server keep what new sessions ask."""
    name = urlsplit(dsn).path[1:]
    if is_mysql(dsn):
        await run(dsn, "SET GLOBAL log_output = 'TABLE'", f"SET GLOBAL general_log = {int(on)}")
    elif on:
        await run(dsn, f"ALTER DATABASE \"{name}\" SET log_statement = 'all'")


async def _statements(dsn: str) -> list[str]:
    """What the sessions that are logged have asked so far, but for our own."""
    if is_mysql(dsn):
        asked = await ask(
            dsn,
            "SELECT CONVERT(argument USING utf8mb4) FROM mysql.general_log"
            " WHERE command_type = 'Query' AND thread_id IN"
            " (SELECT id FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID())"
            " ORDER BY event_time",
        )
        return [str(argument) for (argument,) in asked]
    ((data,),) = await ask(dsn, "SHOW data_directory")
    log = (Path(data).parent / "log").read_text()
    ours = {"SHOW data_directory", "SELECT count(*) FROM workers"}
    return [said for said in re.findall(r"LOG:  (?:statement|execute \S+): (.*)", log) if said not in ours]
