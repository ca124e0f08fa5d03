"""What the list of jobs costs: `python -m tests.lab.dashboard [--database mariadb] [--jobs 10000] [--live 200]`.

A server of our own process over a real database with so many jobs; then 200 that run, told of by the stream, in
Chromium. Prints bytes, statements and times of pages, and what a minute of live updates costs the browser. No test: a
quiet machine and a person who reads.
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

from playwright.async_api import CDPSession, Page

from encoder.model.ids import OutputId, WorkerId
from encoder.model.state import OutputState
from encoder.store.engines import open_store
from encoder.store.protocol import Store
from encoder.store.rows import Beat, Claim, Live
from tests.lab import mariadb, postgres, work
from tests.lab.api import Api, running
from tests.lab.browser import chromium, tab

ROUNDS = 60
AT_ONCE = 8
WATCHED_S = 60.0
BEAT_S = 2.0  # as often as progress that moved is told
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
    taken = []
    with counting(api.parts.store) as counted:
        for _ in range(ROUNDS):
            began = time.perf_counter()
            async with api.ask("GET", path) as response:
                body = await response.read()
                assert response.status == 200, body
            taken.append((time.perf_counter() - began) * 1000)
    quick = statistics.quantiles(taken, n=20)
    print(
        f"{path:34} {len(body) / 1000:7.1f} kB, gzip {len(gzip.compress(body)) / 1000:5.1f} kB, "
        f"{counted.statements / ROUNDS:4.1f} statements, "
        f"p50 {statistics.median(taken):5.1f} ms, p95 {quick[18]:5.1f} ms",
        flush=True,
    )


async def claimed(store: Store, count: int) -> list[tuple[WorkerId, Claim]]:
    """So many jobs that run."""
    held: list[tuple[WorkerId, Claim]] = []
    for _ in range(count):
        await work.enqueue(store, outputs=2, presets=("h264", "hls"))
    worker = work.new_worker("studio-7")
    await store.hello(worker)
    while len(held) < count:
        held += [(worker.id, claim) for claim in await work.claim(store, limit=20, ahead=20, worker=worker.id)]
    for _, claim in held:
        await store.mark(claim, [work.change(0, OutputState.ENCODING)])
    return held


async def beating(store: Store, held: list[tuple[WorkerId, Claim]], stop: asyncio.Event) -> None:
    """Progress as fast as workers tell it."""
    heart, began = store.heart(), time.monotonic()
    while not stop.is_set():
        share = min(0.99, (time.monotonic() - began) / 300)
        beats = [
            Beat(
                task_id=claim.task_id,
                epoch=claim.epoch,
                stage="encoding",
                live={
                    OutputId(0): Live(
                        stage="encoding", progress=share, fps=60 + at % 40, speed=2.5, eta_seconds=300 - at
                    )
                },
            )
            for at, (_, claim) in enumerate(held)
        ]
        await heart.beat(held[0][0], beats, lease=work.LEASE)
        await asyncio.sleep(BEAT_S)
    await heart.close()


async def live_cost(api: Api, count: int) -> None:
    """What a browser does that shows so many jobs at work."""
    held, stop = await claimed(api.parts.store, count), asyncio.Event()
    hearts = asyncio.create_task(beating(api.parts.store, held, stop))
    async with chromium() as browser, tab(browser, api.url) as page:
        session = await page.context.new_cdp_session(page)
        await session.send("Performance.enable")
        await session.send("Network.enable")
        received = [0]
        session.on("Network.dataReceived", lambda event: received.__setitem__(0, received[0] + event["dataLength"]))
        session.on(
            "Network.eventSourceMessageReceived",
            lambda event: received.__setitem__(0, received[0] + len(event["data"])),
        )
        await page.goto(f"/?status=processing&rows={200 if count > 100 else 50}")
        await page.wait_for_function("() => document.querySelector('#live .live').textContent === 'Live'")
        await asyncio.sleep(5)
        received[0], before, shifts = 0, await _metrics(session), await _shifts(page)
        await asyncio.sleep(WATCHED_S)
        after = await _metrics(session)
        busy = (after["TaskDuration"] - before["TaskDuration"]) / WATCHED_S
        heap = (after["JSHeapUsedSize"] - before["JSHeapUsedSize"]) / 1e6
        told = f"main thread {busy:.1%} busy, {received[0] / WATCHED_S / 1000:.1f} kB/s, heap {heap:+.1f} MB"
        print(
            f"{count} live jobs, {WATCHED_S:.0f} s: {told}, layout shift {await _shifts(page) - shifts:.3f}", flush=True
        )
    stop.set()
    await hearts


async def _metrics(session: CDPSession) -> dict[str, float]:
    await session.send("HeapProfiler.collectGarbage")
    return {each["name"]: each["value"] for each in (await session.send("Performance.getMetrics"))["metrics"]}


async def _shifts(page: Page) -> float:
    """How far what is seen was moved, as browsers count it (CLS)."""
    return float(
        await page.evaluate(
            """() => new Promise((tell) => new PerformanceObserver((list) =>
              tell(list.getEntries().reduce((sum, each) => sum + each.value, 0))
            ).observe({ type: "layout-shift", buffered: true }) || setTimeout(() => tell(0), 200))"""
        )
    )


async def measure(kind: str, jobs: int, live: int) -> None:
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
                if live:
                    await live_cost(api, live)
        await store.close()


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--database", choices=("postgres", "mariadb"), default="postgres")
    asked.add_argument("--jobs", type=int, default=10_000)
    asked.add_argument("--live", type=int, default=200)
    said = asked.parse_args()
    asyncio.run(measure(said.database, said.jobs, said.live))


if __name__ == "__main__":
    main()
