"""The list of jobs in a real browser: what it weighs, when it can be used, what 200 jobs that run cost its main thread.

10,000 jobs have ended, and 200 run: each tells of its progress once a second. Aims: docs/why/guarantees.md.
`dashboard:write` puts the table into docs/why/benchmarks.md.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from playwright.async_api import Browser, CDPSession, Page

from encoder.embedded.postgres import Postgres
from encoder.model.ids import OutputId, WorkerId
from encoder.model.state import OutputState
from encoder.store.postgres import open_store, upgrade
from encoder.store.protocol import Heart
from encoder.store.rows import Beat, Claim, Live, OutputChange
from tests.bench.history import fill
from tests.bench.measure import median, percentile
from tests.bench.page import machine, table, write
from tests.lab import work
from tests.lab.browser import chromium, tab
from tests.lab.platform import Platform

ENDED, RUNNING = 10_000, 200
TIMES = 20  # a page is opened so often
LOOK_S = 30.0  # at the jobs that run
_LEASE = timedelta(minutes=10)
_SETTLED_S = 3.0  # after a page was opened
_VITALS = """() => new Promise((resolve) => {
  let shift = 0;
  new PerformanceObserver((list) => { for (const each of list.getEntries()) shift += each.value; })
    .observe({type: "layout-shift", buffered: true});
  const [page] = performance.getEntriesByType("navigation");
  const all = [page, ...performance.getEntriesByType("resource")];
  setTimeout(() => resolve({
    shift, ready: page.domInteractive, loaded: page.loadEventEnd, server: page.responseEnd - page.requestStart,
    html: page.decodedBodySize, sent: all.reduce((sum, each) => sum + each.transferSize, 0),
    whole: all.reduce((sum, each) => sum + each.decodedBodySize, 0),
  }), 100);
})"""


async def run(*said: str) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        async with Postgres(folder / "db").running() as dsn, chromium() as browser:
            await upgrade(dsn)
            await fill(dsn, ENDED)
            platform = Platform(dsn=dsn, folder=folder, extra={"ENCODER_LOG_LEVEL": "info"})
            try:
                await platform.start_api()
                rows = [*await _opened(browser, platform.url, "/", "50"), *await _live(browser, platform.url, dsn)]
            finally:
                await platform.stop()
    told = f"{machine()}\n\n{table((f'{ENDED:,} jobs', '', 'aim'), rows)}"
    print(told)
    if "write" in said:
        write("dashboard", told)


async def _opened(browser: Browser, url: str, path: str, count: str) -> Sequence[tuple[str, str, str]]:
    """By somebody who was never here, again and again."""
    seen: list[dict[str, float]] = []
    for _ in range(TIMES):
        async with tab(browser, url) as page:
            await page.goto(path)
            seen.append(await page.evaluate(_VITALS))
    server, ready = ([each[name] for each in seen] for name in ("server", "ready"))
    return [
        (f"list of {count}: HTML, kB", f"{seen[-1]['html'] / 1000:.0f}", "60"),
        ("the whole page, kB; as it is sent", f"{seen[-1]['whole'] / 1000:.0f}; {seen[-1]['sent'] / 1000:.0f}", "300"),
        ("server, ms, p50; p95", f"{median(server):.0f}; {percentile(server, 0.95):.0f}", "150"),
        ("interactive, ms, p50; p95", f"{median(ready):.0f}; {percentile(ready, 0.95):.0f}", "1,000"),
        ("layout shift", f"{max(each['shift'] for each in seen):.3f}", "0.02"),
    ]


async def _live(browser: Browser, url: str, dsn: str) -> Sequence[tuple[str, str, str]]:
    async with _running(dsn), tab(browser, url) as page:
        session = await page.context.new_cdp_session(page)
        await session.send("Performance.enable", {"timeDomain": "threadTicks"})  # what others compute does not count
        await session.send("Network.enable")
        received = [0]
        session.on("Network.dataReceived", lambda told: _add(received, told))
        await page.goto(f"/?rows={RUNNING}")
        await asyncio.sleep(_SETTLED_S)
        html = (await page.evaluate(_VITALS))["html"]
        before, begun, received[0] = await _metrics(session), time.perf_counter(), 0
        texts = await _texts(page)
        await asyncio.sleep(LOOK_S)
        after, took = await _metrics(session), time.perf_counter() - begun
        changed = sum(one != other for one, other in zip(texts, await _texts(page), strict=True))
    busy = (after["TaskDuration"] - before["TaskDuration"]) / took
    grown = after["JSHeapUsedSize"] - before["JSHeapUsedSize"]
    return [
        (f"list of {RUNNING} that run: HTML, kB", f"{html / 1000:.0f}", "220"),
        (f"its rows that changed within {LOOK_S:.0f} s", f"{changed}", f"{RUNNING}"),
        ("its main thread is busy", f"{busy:.1%}", "20 %"),
        ("received, kB/s", f"{received[0] / took / 1000:.1f}", "15"),
        ("heap, grown by MB", f"{grown / 1e6:.1f}", "5"),
    ]


def _add(received: list[int], told: dict[str, Any]) -> None:
    received[0] += told["dataLength"]


async def _metrics(session: CDPSession) -> dict[str, float]:
    """With all that nobody needs any more gone."""
    await session.send("HeapProfiler.collectGarbage")
    told = await session.send("Performance.getMetrics")
    return {each["name"]: each["value"] for each in told["metrics"]}


async def _texts(page: Page) -> list[str]:
    return await page.locator("tbody tr").all_inner_texts()


@asynccontextmanager
async def _running(dsn: str) -> AsyncIterator[None]:
    """Jobs that a worker has and that go on, for ten minutes at most."""
    store = await open_store(dsn)
    worker = WorkerId(uuid4())
    for number in range(RUNNING):
        await store.enqueue(work.new_job(label=f"film-{number}.mov"))
    claims: list[Claim] = []
    while len(claims) < RUNNING:
        claims += await work.claim(store, limit=100, lease=_LEASE, deadline=_LEASE, worker=worker)
    for claim in claims:
        await store.mark(claim, [OutputChange(id=OutputId(0), state=OutputState.ENCODING)])
    heart = store.heart()
    telling = asyncio.create_task(_beats(heart, worker, claims))
    try:
        yield
    finally:
        telling.cancel()
        with suppress(asyncio.CancelledError):
            await telling
        await heart.close()
        await store.close()


async def _beats(heart: Heart, worker: WorkerId, claims: Sequence[Claim]) -> None:
    begun = time.perf_counter()
    while True:
        share = (time.perf_counter() - begun) / 120
        beats = [
            Beat(
                task_id=claim.task_id,
                epoch=claim.epoch,
                stage="encoding",
                live={
                    OutputId(0): Live(
                        stage="encoding",
                        progress=min(0.99, share + place / 1000),
                        fps=100 + share * 50 + place % 20,
                        speed=4 + share,
                        eta_seconds=max(1.0, 120 * (1 - share)),
                    )
                },
            )
            for place, claim in enumerate(claims)
        ]
        await heart.beat(worker, beats, lease=_LEASE)
        await asyncio.sleep(1)
