"""Pages of the list and retention behind ended jobs by the million: `history:10000000`, one million if nothing is said.

Lists have an aim in milliseconds and retention one in jobs per second, for here is no peer: see docs/why/guarantees.md.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import aiohttp
import asyncpg

from encoder.embedded.postgres import Postgres
from encoder.model.ids import DEFAULT_TENANT, WorkerId
from encoder.model.policy import Policy
from encoder.queue import settle
from encoder.store.postgres import open_store
from encoder.store.protocol import Store
from encoder.store.rows import NewJob
from encoder.store.text import json_text
from tests.bench.measure import median, percentile, row
from tests.bench.queue import DELIVERED, SPEC, UPLOADED
from tests.lab.platform import Platform

TIMES = 30  # a page is asked for so often
AIM_MS, AIM_RATE = 50, 5_000
BATCH = 500
REMOVED = 100_000
PART = 250_000  # jobs written in one transaction

# a job a second, of which one in a thousand failed; each with an output, its task and five events
FILL = """
WITH job AS (
  INSERT INTO jobs (uuid, tenant_id, state, event_seq, spec, label, tags, media, created_at, started_at, finished_at)
  SELECT gen_random_uuid(), 1, CASE WHEN n % 1000 = 0 THEN 'failed' ELSE 'completed' END, 5, $3::json,
         'in-' || n || '.mp4', CASE WHEN n % 10000 = 0 THEN '{rare}'::text[] ELSE '{}' END, NULL, at, at, at
  FROM generate_series($1::bigint, $2) n, LATERAL (SELECT $4::timestamptz + n * interval '1 s' AS at) t
  RETURNING id, state, created_at
), output AS (
  INSERT INTO job_outputs (job_id, position, state, attempts, delivered, log, updated_at)
  SELECT id, 0, CASE state WHEN 'failed' THEN 'failed' ELSE 'uploaded' END, 1, $5::json, repeat('x', 300), created_at
  FROM job
), task AS (
  INSERT INTO tasks (job_id, tenant_id, name, kind, queue, state, run_at, epoch, attempt, max_attempts, args,
                     created_at, started_at, finished_at)
  SELECT id, 1, 't1', 'transcode', 'encode', 'done', created_at, 1, 1, 3, '{}', created_at, created_at, created_at
  FROM job
)
INSERT INTO job_events (job_id, seq, type, at, run, data)
SELECT id, seq, 'job.submitted', created_at, 1, '{}' FROM job, generate_series(1, 5) seq
"""


async def run(jobs: str = "1000000") -> None:
    count = int(jobs)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        async with Postgres(folder / "db").running() as dsn:
            store = await open_store(dsn)
            try:
                await fill(dsn, count)
                await _pages(dsn, folder, count)
                await _retention(store, min(REMOVED, count // 2))
            finally:
                await store.close()


async def fill(dsn: str, count: int) -> None:
    begun, first = time.perf_counter(), datetime.now(UTC) - timedelta(seconds=count + 3600)
    db = await asyncpg.connect(dsn)
    try:
        await db.execute("SET synchronous_commit = off")
        for low in range(1, count + 1, PART):
            await db.execute(FILL, low, min(count, low + PART - 1), json_text(SPEC), first, json_text(DELIVERED))
        await db.execute("VACUUM ANALYZE")
        size = await db.fetchval("SELECT pg_database_size(current_database())")
    finally:
        await db.close()
    row(f"{count:,} ended jobs written", f"{time.perf_counter() - begun:.0f} s", f"{size / 1024**3:.1f} GiB")


async def _pages(dsn: str, folder: Path, count: int) -> None:
    platform = Platform(dsn=dsn, folder=folder)
    try:
        await platform.start_api()
        async with aiohttp.ClientSession(platform.url) as client:
            newest = await _page(client)
            middle = (datetime.now(UTC) - timedelta(seconds=count // 2)).isoformat()
            for what, query in {
                "first page": {},
                "page by cursor": {"cursor": newest["nextCursor"]},
                "page of what failed": {"status": "failed"},
                "page of a rare tag": {"tag": "rare"},
                "page of what was created before the middle": {"createdBefore": middle},
                "page of words that one in a thousand has": {"q": "99.mp4"},
            }.items():
                took = [await _timed(client, query) for _ in range(TIMES)]
                row(what, f"{median(took):.1f} ms", f"p95 {percentile(took, 0.95):.1f}; aim at most {AIM_MS}")
    finally:
        await platform.stop()


async def _page(client: aiohttp.ClientSession, **query: str) -> dict[str, str]:
    async with client.get("/jobs", params={"limit": "50", **query}) as response:
        answer: dict[str, str] = await response.json()
        assert response.status == 200, answer
        return answer


async def _timed(client: aiohttp.ClientSession, query: dict[str, str]) -> float:
    """Milliseconds."""
    begun = time.perf_counter()
    await _page(client, **query)
    return (time.perf_counter() - begun) * 1000


async def _retention(store: Store, count: int) -> None:
    """How fast the oldest go, and what a claim with its settle takes meanwhile."""
    async with _working(store) as alone:
        await asyncio.sleep(5)
    async with _working(store) as beside:
        begun, removed = time.perf_counter(), 0
        while removed < count:
            batch = await store.due_jobs(Policy(hours=0.5), look=BATCH)
            removed += len(await store.remove_jobs([each.id for each in batch.jobs]))
        rate = removed / (time.perf_counter() - begun)
    row(f"{removed:,} jobs removed", f"{rate:,.0f}/s", f"with all their rows; aim at least {AIM_RATE:,}")
    for what, took in (("alone", alone), ("beside it", beside)):
        note = f"p99 {percentile(took, 0.99):.1f} ms of {len(took)}"
        row(f"claim and settle {what}", f"{median(took):.2f} ms", note)


@asynccontextmanager
async def _working(store: Store) -> AsyncIterator[Sequence[float]]:
    """One caller enqueues, claims and settles without a pause; milliseconds of each claim with its settle."""
    took: list[float] = []
    worker = WorkerId(uuid4())

    async def work() -> None:
        while True:
            await store.enqueue(NewJob(tenant_id=DEFAULT_TENANT, uuid=uuid4(), spec=SPEC, label="in.mp4"))
            begun = time.perf_counter()
            (claim,) = await store.claim(
                "encode", worker, limit=1, lease=timedelta(seconds=60), deadline=timedelta(hours=1)
            )
            await store.settle(claim, settle.done(UPLOADED))
            took.append((time.perf_counter() - begun) * 1000)

    working = asyncio.create_task(work())
    try:
        yield took
    finally:
        working.cancel()
