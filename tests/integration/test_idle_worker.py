"""What a worker costs the database while there is nothing to do (G18)."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.lab.databases import ask
from tests.lab.platform import Platform, until
from tests.lab.statements import asked, log

WATCHED_S = 5.0
SETTLED_S = 2.0  # until its connections stand


@pytest.mark.both_databases
async def test_an_idle_worker_asks_at_most_twice_a_second(dsn: str, tmp_path: Path) -> None:
    platform = Platform(dsn=dsn, folder=tmp_path, extra={"ENCODER_LEASE_SECONDS": "60"})
    try:
        await log(dsn)
        await platform.start("worker")
        await until(lambda: _works(dsn), within_s=20)
        await asyncio.sleep(SETTLED_S)
        before = await asked(dsn)
        await asyncio.sleep(WATCHED_S)
        told = (await asked(dsn))[len(before) :]
    finally:
        await platform.stop()
        await log(dsn, on=False)
    assert before
    assert len(told) <= 2 * WATCHED_S, "\n".join(told)


async def _works(dsn: str) -> bool:
    return await ask(dsn, "SELECT count(*) FROM workers") == [(1,)]
