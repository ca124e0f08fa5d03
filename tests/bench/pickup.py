"""From commit of the enqueue to the start of the work on an idle worker, against a bare LISTEN and claim loop."""

from __future__ import annotations

import asyncio
import random
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import asyncpg

from encoder.embedded.postgres import Postgres
from encoder.model.ids import DEFAULT_TENANT, WorkerId
from encoder.queue import settle
from encoder.queue.lease import LeaseTimes
from encoder.store.postgres import open_store
from encoder.store.protocol import Store
from encoder.store.rows import NewJob, Settlement, WorkerInfo
from encoder.worker.held import Held
from encoder.worker.loop import Rhythm, Worker
from tests.bench.measure import percentile, row
from tests.bench.queue import SPEC, UPLOADED

JOBS = 300
GAP_S = 0.1
PEER_MS = (0.88, 1.9, 3.9)  # graphile-worker, the best of five peers on such a machine (issue 2)


class Arrivals:
    """A handler that only notes when work begins."""

    def __init__(self) -> None:
        self.at: asyncio.Queue[float] = asyncio.Queue()

    async def work(self, held: Held) -> Settlement:
        del held
        self.at.put_nowait(time.perf_counter())
        return settle.done(UPLOADED)


async def run() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        async with Postgres(folder / "db").running() as dsn:
            ours = await _ours(dsn)
            bare = await _bare(dsn)
    for what, values in (("ours", ours), ("bare LISTEN, one DELETE … RETURNING", bare)):
        p50, p95, p99 = (percentile(values, share) for share in (0.5, 0.95, 0.99))
        row(f"pick-up p50 / p95 / p99: {what}", f"{p50:.2f} / {p95:.2f} / {p99:.2f} ms")
    row("pick-up p50 / p95 / p99: best peer (issue 2)", " / ".join(f"{ms:.2f}" for ms in PEER_MS) + " ms")


async def _ours(dsn: str) -> list[float]:
    store = await open_store(dsn, pool_size=4)
    arrivals = Arrivals()
    info = WorkerInfo(
        id=WorkerId(uuid4()), host="bench", pid=1, version="0", queues=("encode",), slots={"encode": 1}, encoders=()
    )
    rhythm = Rhythm(times=LeaseTimes(60), poll_s=1, progress_s=2, drain_s=1)
    worker = Worker(store, info, {"transcode": arrivals}, rhythm, clock=time.monotonic, uniform=random.uniform)
    running = asyncio.create_task(worker.run())
    try:
        await asyncio.sleep(3)  # until the ear has proven itself
        return [await _once(store, arrivals) for _ in range(JOBS)]
    finally:
        worker.stop()
        await running
        await store.close()


async def _once(store: Store, arrivals: Arrivals) -> float:
    """Milliseconds from the answer of the enqueue to the start of the work."""
    await asyncio.sleep(GAP_S)
    await store.enqueue(NewJob(tenant_id=DEFAULT_TENANT, uuid=uuid4(), spec=SPEC, label="in.mp4"))
    committed = time.perf_counter()
    return (await asyncio.wait_for(arrivals.at.get(), 10) - committed) * 1000


async def _bare(dsn: str) -> list[float]:
    """A table, a notify after each insert, and a listener that deletes what it finds."""
    inserter, listener = await asyncpg.connect(dsn), await asyncpg.connect(dsn)
    await inserter.execute("CREATE TABLE bare (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY)")
    woken = asyncio.Event()
    await listener.add_listener("bare", lambda *_: woken.set())
    times: list[float] = []
    for _ in range(JOBS):
        await asyncio.sleep(GAP_S)
        await inserter.execute("INSERT INTO bare DEFAULT VALUES")
        committed = time.perf_counter()
        notified = asyncio.create_task(inserter.execute("SELECT pg_notify('bare', '')"))
        await asyncio.wait_for(woken.wait(), timedelta(seconds=10).total_seconds())
        woken.clear()
        await listener.fetchval(
            "DELETE FROM bare WHERE id = (SELECT id FROM bare ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING id"
        )
        times.append((time.perf_counter() - committed) * 1000)
        await notified
    await inserter.close()
    await listener.close()
    return times
