"""What pages of lists cost the server: `python -m tests.lab.dashboard [--database mariadb] [--jobs 10000]`.

A server in this process over a real database with so many jobs. Prints bytes, uses of the database, processor time and
wall time of each page; the processor time has that of the asking client in it. What a browser makes of them is measured
by `tests.bench`. No test: a person reads.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from encoder.store.engines import open_store
from encoder.store.protocol import Store
from tests.lab import mariadb, postgres, work
from tests.lab.api import Api, running

ROUNDS = 60
AT_ONCE = 8
PRESETS = ("h264", "hls", "vp9")


@dataclass
class Counted:
    """Statements that a pool ran."""

    statements: int = 0


@asynccontextmanager
async def database(kind: str) -> AsyncIterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        if kind == "mariadb":
            with mariadb.server(Path(folder) / "server") as server:
                async with server.ready() as dsn:
                    yield dsn
        else:
            with postgres.cluster(Path(folder) / "cluster") as cluster:
                async with cluster.ready() as dsn:
                    yield dsn


async def fill(store: Store, jobs: int) -> None:
    """Jobs of all states and up to three outputs, as they come."""

    async def some(count: int) -> None:
        for number in range(count):
            outputs = 1 + number % 3
            wanted: dict[str, Any] = {"outputs": outputs, "presets": PRESETS[:outputs]}
            job = await work.enqueue(store, label=f"holiday-{number:05}-at-the-lake.mov", tags=("trailer",), **wanted)
            if number % 4:
                await store.cancel(job.id)

    await asyncio.gather(*(some(jobs // AT_ONCE) for _ in range(AT_ONCE)))


@contextmanager
def counting(store: Any) -> Iterator[Counted]:  # noqa: ANN401  # an engine's
    """Each use of the pool is a statement or, inside a transaction or a visit, some: counted where they are run."""
    counted = Counted()
    pool = store._pool
    before = {name: getattr(pool, name) for name in ("rows", "search", "visit")}

    def wrapped(name: str) -> Any:  # noqa: ANN401  # as the pool's own
        async def run(*values: Any, **more: Any) -> Any:  # noqa: ANN401
            counted.statements += 1
            return await before[name](*values, **more)

        return run

    for name in before:
        setattr(pool, name, wrapped(name))
    try:
        yield counted
    finally:
        for name in before:
            delattr(pool, name)


async def page_cost(api: Api, path: str) -> None:
    """Bytes, statements and times of one page."""
    taken, spent_s = [], time.process_time()
    with counting(api.parts.store) as counted:
        for _ in range(ROUNDS):
            began = time.perf_counter()
            async with api.ask("GET", path) as response:
                body = await response.read()
                assert response.status == 200, body
            taken.append((time.perf_counter() - began) * 1000)
    spent_ms = (time.process_time() - spent_s) / ROUNDS * 1000
    quick = statistics.quantiles(taken, n=20)
    print(
        f"{path:34} {len(body) / 1000:7.1f} kB, gzip {len(gzip.compress(body)) / 1000:5.1f} kB, "
        f"{counted.statements / ROUNDS:4.1f} uses of the pool, processor {spent_ms:5.1f} ms, "
        f"p50 {statistics.median(taken):5.1f} ms, p95 {quick[18]:5.1f} ms",
        flush=True,
    )


async def measure(kind: str, jobs: int) -> None:
    async with database(kind) as dsn:
        store = await open_store(dsn)
        with tempfile.TemporaryDirectory() as folder:
            began = time.monotonic()
            await fill(store, jobs)
            print(f"{kind}, {jobs:,} jobs stored in {time.monotonic() - began:.0f} s", flush=True)
            async with running(store, Path(folder)) as api:
                for path in (
                    "/",
                    "/?rows=200",
                    "/?status=queued",
                    "/?tag=trailer&since=24h",
                    "/?q=nowhere",
                    "/?preset=none&q=",
                ):
                    await page_cost(api, path)
                await page_cost(api, "/ui/dead")
        await store.close()


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--database", choices=("postgres", "mariadb"), default="postgres")
    asked.add_argument("--jobs", type=int, default=10_000)
    said = asked.parse_args()
    asyncio.run(measure(said.database, said.jobs))


if __name__ == "__main__":
    main()
