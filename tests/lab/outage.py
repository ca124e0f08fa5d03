"""Ends jobs while their receiver is down, and counts what arrives once it is back: `python -m tests.lab.outage`.

`--jobs 1000`, `--database mariadb`. The worker is a real process. Only the pauses of the schedule are cut short: what
waits for its next try is made due, and the worker finds it by itself.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from collections import Counter
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from encoder.store.engines import open_store
from encoder.store.protocol import Store
from tests.lab import mariadb, postgres, witness, work
from tests.lab.databases import BOTH, Database, ask, run
from tests.lab.hook import Hook
from tests.lab.platform import Platform, until
from tests.lab.wire import PUBLIC

_UNTRIED = "SELECT count(*) FROM webhook_deliveries WHERE tried_at IS NULL"
_OPEN = "SELECT count(*) FROM webhook_deliveries WHERE state <> 'delivered'"
_DUE = "UPDATE tasks SET run_at = created_at WHERE state = 'scheduled'"
CALLERS = 8


@dataclass(frozen=True, kw_only=True)
class Figures:
    """`refused_s`: until each delivery had been tried in vain; `told_s`: from the return until all had arrived."""

    deliveries: int
    arrived: int
    twice: int
    genuine: bool
    refused_s: float
    told_s: float


async def outage(dsn: str, folder: Path, *, jobs: int) -> Figures:
    """End so many jobs while nobody listens, then listen."""
    down = Hook(host=PUBLIC)
    async with down:
        url = down.url("/told")
    platform, store = Platform(dsn=dsn, folder=folder), await open_store(dsn)
    try:
        await platform.start("worker")
        began = time.monotonic()
        await asyncio.gather(*(_ended(store, url, jobs // CALLERS) for _ in range(CALLERS)))
        await until(lambda: _is_none(dsn, _UNTRIED), within_s=120)
        refused_s = time.monotonic() - began
        async with Hook(host=PUBLIC, port=down.port) as back:
            began = time.monotonic()
            await run(dsn, _DUE)
            await until(lambda: _is_none(dsn, _OPEN), within_s=120)
            told_s = time.monotonic() - began
        ((deliveries,),) = await ask(dsn, "SELECT count(*) FROM webhook_deliveries")
        ids = Counter(told.id for told in back.told)
        return Figures(
            deliveries=deliveries,
            arrived=len(ids),
            twice=sum(count > 1 for count in ids.values()),
            genuine=all(told.genuine for told in back.told),
            refused_s=refused_s,
            told_s=told_s,
        )
    finally:
        await store.close()
        await platform.stop()


async def _ended(store: Store, url: str, jobs: int) -> None:
    """Jobs that somebody takes back at once: each is told twice, when it came and when it ended."""
    for _ in range(jobs):
        await store.cancel((await work.enqueue(store, hook=url)).id)


async def _is_none(dsn: str, question: str) -> bool:
    return await ask(dsn, question) == [(0,)]


async def _run(server: Database, folder: Path, jobs: int) -> int:
    async with server.ready() as dsn:
        figures = await outage(dsn, folder, jobs=jobs)
    print(figures)
    return 0 if figures.arrived == figures.deliveries == 2 * jobs and figures.genuine else 1


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.lab.outage", description=__doc__)
    parser.add_argument("--jobs", type=int, default=1000)
    parser.add_argument("--database", choices=BOTH, default=BOTH[0])
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="encoder-outage-") as name:
        folder = Path(name)
        (folder / "platform").mkdir()
        servers: dict[str, AbstractContextManager[Database]] = {
            "postgres": postgres.cluster(folder / "server"),
            "mariadb": mariadb.server(folder / "server", watch=witness.install),
        }
        with servers[wanted.database] as server:
            return asyncio.run(_run(server, folder / "platform", wanted.jobs))


if __name__ == "__main__":
    sys.exit(main())
