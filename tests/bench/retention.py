"""Ended jobs that go with their objects: `retention:100000`; killed at 20 moments, alone, two at once, and again idle.

Three objects a job, of a few bytes, in a folder; a row of each kind. There is no peer: rates are told as they are.
"""

from __future__ import annotations

import random
import tempfile
import time
from pathlib import Path

from encoder.embedded.postgres import Postgres
from encoder.retention.jobs import BATCH
from encoder.store.postgres import open_store
from tests.bench.measure import row
from tests.lab import ended, purge
from tests.lab.platform import Platform

DEATHS = 20
KILLED_WITHIN_S = 0.5  # after its first jobs went
ALONE_S = 30


async def run(jobs: str = "100000") -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        async with Postgres(folder / "db").running() as dsn:
            await (await open_store(dsn)).close()  # its tables
            platform = Platform(dsn=dsn, folder=folder)
            try:
                await _measured(platform, int(jobs), random.Random(8))  # noqa: S311  # repeatable
            finally:
                await platform.stop()


async def _measured(platform: Platform, count: int, chance: random.Random) -> None:
    begun = time.perf_counter()
    await ended.fill(platform.dsn, count, ended.into_folder(platform.storage))
    row(f"{count:,} ended jobs, {3 * count:,} objects", f"{time.perf_counter() - begun:.0f} s", "written")
    await purge.agree(platform, chance)

    begun = time.perf_counter()
    await purge.killed(platform, DEATHS, chance=chance, most_s=KILLED_WITHIN_S)
    left = await purge.jobs_left(platform)
    took_s = time.perf_counter() - begun
    row(f"sweeps killed at {DEATHS} moments", f"{count - left:,} jobs went", f"{took_s:.0f} s; rows and objects agree")

    (alone,), took_s = await purge.swept(platform, "--max-seconds", str(ALONE_S))
    row("one sweep", f"{alone.jobs / took_s:,.0f} jobs/s", f"{alone.jobs:,} jobs; exit {alone.code}")
    await purge.agree(platform, chance)

    left = await purge.jobs_left(platform)
    both, took_s = await purge.swept(platform, at_once=2)
    went = sum(each.jobs for each in both)
    assert went == left, (went, left)  # each once
    assert [each.code for each in both] == [0, 0]
    shares = " + ".join(f"{each.jobs:,}" for each in both)
    row("two sweeps at once", f"{went / took_s:,.0f} jobs/s", f"{shares} jobs, each once")

    (idle,), took_s = await purge.swept(platform)
    assert (idle.code, idle.report["removed"]) == (0, {}), idle
    row("one more", f"{took_s:.1f} s", "nothing to do, a second of it to start")

    assert (await ended.left(platform.dsn), ended.folders(platform.storage)) == ({}, set())
    told = (await purge.told(platform))["jobs"]
    assert count - DEATHS * BATCH <= told <= count, told
    row("counted by the sweeps themselves", f"{told:,} jobs", "a death loses the count of a batch at most")
