"""Enqueue of whole jobs, and claim + settle, ten at a time, against bare asyncpg loops that write the same rows."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import asyncpg

from encoder.embedded.postgres import Postgres
from encoder.model.ids import DEFAULT_TENANT, OutputId, WorkerId
from encoder.model.job import JobSpec, OutputSpec
from encoder.model.result import Delivered
from encoder.model.state import OutputState
from encoder.queue import settle
from encoder.queue.pace import MOST_AHEAD
from encoder.store.postgres import open_store
from encoder.store.protocol import Store
from encoder.store.rows import Claim, NewJob, OutputChange
from tests.bench.measure import median, row

CALLERS = 10
JOBS = 2000
ROUNDS = 3
SPEC = JobSpec(source={"kind": "http", "url": "https://example.com/in.mp4"}, outputs=(OutputSpec(container="mp4"),))
DELIVERED = Delivered(uri="https://example.com/out.mp4", size_bytes=1, sha256="0" * 64)
UPLOADED = (OutputChange(id=OutputId(0), state=OutputState.UPLOADED, delivered=DELIVERED),)
SPEC_TEXT = '{"source": {"kind": "http", "url": "https://example.com/in.mp4"}, "outputs": [{"container": "mp4"}]}'
DELIVERED_TEXT = '{"uri": "https://example.com/out.mp4", "sizeBytes": 1}'


async def run() -> None:
    ours, bare = [], []
    for _ in range(ROUNDS):
        ours.append(await _round(_our_enqueue, _our_work))
        bare.append(await _round(_bare_enqueue, _bare_work))
    for index, what in enumerate(("enqueue", "claim + settle")):
        mine = median([rates[index] for rates in ours])
        floor = median([rates[index] for rates in bare])
        row(f"{what}: ours", f"{mine:,.0f}/s", "lease, fence and events included")
        row(f"{what}: bare asyncpg, the same rows", f"{floor:,.0f}/s")
        row(f"{what}: ratio", f"{mine / floor:.2f}", "aim at least 0.6")


async def _round(
    enqueue: Callable[[Store, asyncpg.Pool], Awaitable[None]],
    work: Callable[[Store, asyncpg.Pool], Awaitable[None]],
) -> tuple[float, float]:
    """Jobs per second of both halves, on a fresh database."""
    async with _database() as (store, pool):
        enqueued = await _rate(lambda: enqueue(store, pool))
        worked = await _rate(lambda: work(store, pool))
        left = await pool.fetchval("SELECT count(*) FROM jobs WHERE state <> 'completed'")
        assert left == 0, f"{left} jobs are not completed"
    return enqueued, worked


async def _rate(once: Callable[[], Awaitable[object]]) -> float:
    """How often per second ten callers get `once` done, over all jobs."""
    left = iter(range(JOBS))

    async def caller() -> None:
        for _ in left:
            await once()

    begun = time.perf_counter()
    await asyncio.gather(*(caller() for _ in range(CALLERS)))
    return JOBS / (time.perf_counter() - begun)


@asynccontextmanager
async def _database() -> AsyncIterator[tuple[Store, asyncpg.Pool]]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        async with Postgres(folder / "db").running() as dsn:
            store = await open_store(dsn, pool_size=CALLERS)
            try:
                async with asyncpg.create_pool(dsn, min_size=CALLERS, max_size=CALLERS) as pool:
                    yield store, pool
            finally:
                await store.close()


WORKER = WorkerId(uuid4())


async def _our_enqueue(store: Store, _pool: asyncpg.Pool) -> None:
    await store.enqueue(NewJob(tenant_id=DEFAULT_TENANT, uuid=uuid4(), spec=SPEC, label="in.mp4"))


async def _our_work(store: Store, _pool: asyncpg.Pool) -> None:
    """As a worker whose tasks take no time: so many are admitted ahead of its claims."""
    claims: Sequence[Claim] = ()
    while not claims:
        claims = await store.claim(
            "encode", WORKER, limit=1, ahead=MOST_AHEAD, lease=timedelta(seconds=60), deadline=timedelta(hours=24)
        )
    await store.settle(claims[0], settle.done(UPLOADED))


async def _bare_enqueue(_store: Store, pool: asyncpg.Pool) -> None:
    async with pool.acquire() as db, db.transaction():
        job = await db.fetchval(
            "INSERT INTO jobs (uuid, tenant_id, state, event_seq, spec, label, created_at)"
            " VALUES ($1, 1, 'queued', 1, $2, 'in.mp4', now()) RETURNING id",
            uuid4(),
            SPEC_TEXT,
        )
        await db.execute(
            "INSERT INTO job_outputs (job_id, position, state, updated_at) VALUES ($1, 0, 'queued', now())", job
        )
        task = await db.fetchval(
            "INSERT INTO tasks (job_id, tenant_id, name, kind, queue, state, run_at, max_attempts, args, created_at)"
            " VALUES ($1, 1, 't1', 'transcode', 'encode', 'ready', now(), 3, '{}', now()) RETURNING id",
            job,
        )
        await db.execute(
            "INSERT INTO task_ready (queue, seq, task_id, tenant_id, weight) VALUES ('encode', $1, $1, 1, 1)", task
        )
        await db.execute(
            "INSERT INTO job_events (job_id, seq, type, at, run, data) VALUES ($1, 1, 'job.submitted', now(), 1, '{}')",
            job,
        )


async def _bare_work(_store: Store, pool: asyncpg.Pool) -> None:
    async with pool.acquire() as db:
        async with db.transaction():
            task = await db.fetchval(
                "DELETE FROM task_ready WHERE (queue, seq) = (SELECT queue, seq FROM task_ready WHERE queue = 'encode'"
                " ORDER BY seq LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING task_id"
            )
            job = await db.fetchval(
                "UPDATE tasks SET state = 'running', epoch = 1, attempt = 1, started_at = now() WHERE id = $1"
                " RETURNING job_id",
                task,
            )
            await db.execute(
                "INSERT INTO task_leases (task_id, epoch, worker_id, queue, tenant_id, weight, expires_at, deadline_at,"
                " beat_at) VALUES ($1, 1, $2, 'encode', 1, 1, now(), now(), now())",
                task,
                WORKER,
            )
        async with db.transaction():
            await db.execute("DELETE FROM task_leases WHERE task_id = $1", task)
            await db.execute("UPDATE tasks SET state = 'done', finished_at = now() WHERE id = $1", task)
            await db.execute(
                "UPDATE job_outputs SET state = 'uploaded', delivered = $2, updated_at = now() WHERE job_id = $1",
                job,
                DELIVERED_TEXT,
            )
            await db.execute(
                "UPDATE jobs SET state = 'completed', event_seq = 4, finished_at = now() WHERE id = $1", job
            )
            await db.executemany(
                "INSERT INTO job_events (job_id, seq, type, at, run, data) VALUES ($1, $2, $3, now(), 1, '{}')",
                [(job, 2, "output.uploaded"), (job, 3, "task.settled"), (job, 4, "job.completed")],
            )
