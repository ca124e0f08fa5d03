"""From commit of the enqueue to the start of the work on an idle worker, against a bare loop and the best peer."""

from __future__ import annotations

import asyncio
import json
import random
import shutil
import tempfile
import time
from datetime import timedelta
from functools import partial
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

ROUNDS = 3
JOBS = 100  # a round
GAP_S = 0.1
PEER = Path(__file__).parent / "peer"  # graphile-worker, the best of five peers that were measured (queue.md)


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
        peer = await _install(folder / "peer")
        cases = {"ours": _ours, "bare LISTEN, one DELETE … RETURNING": _bare}
        if peer is not None:
            cases["graphile-worker, the best peer"] = partial(_peer, peer)
        times: dict[str, list[float]] = {what: [] for what in cases}
        async with Postgres(folder / "db").running() as dsn:
            for _ in range(ROUNDS):
                for what, case in cases.items():
                    times[what] += await case(dsn)
    for what, values in times.items():
        p50, p95, p99 = (percentile(values, share) for share in (0.5, 0.95, 0.99))
        row(f"pick-up p50 / p95 / p99: {what}", f"{p50:.2f} / {p95:.2f} / {p99:.2f} ms")
    if peer is None:
        row("pick-up: graphile-worker, the best peer", "not measured", "it needs npm and a registry")


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


async def _install(folder: Path) -> Path | None:
    """The peer as its lock pins it, outside the tree; None where there is no npm."""
    shutil.copytree(PEER, folder)
    try:
        await _output("npm", "ci", "--silent", cwd=folder)
    except (FileNotFoundError, ChildProcessError):
        return None
    return folder


async def _peer(folder: Path, dsn: str) -> list[float]:
    times = json.loads(await _output("node", "pickup.mjs", dsn, str(JOBS), str(GAP_S * 1000), cwd=folder))
    return [float(ms) for ms in times]


async def _output(*argv: str, cwd: Path) -> bytes:
    process = await asyncio.create_subprocess_exec(*argv, cwd=cwd, stdout=asyncio.subprocess.PIPE)
    output, _ = await process.communicate()
    if process.returncode != 0:
        raise ChildProcessError(f"{argv[0]} ended with {process.returncode}")
    return output


async def _bare(dsn: str) -> list[float]:
    """A table, a notify after each insert, and a listener that deletes what it finds."""
    inserter, listener = await asyncpg.connect(dsn), await asyncpg.connect(dsn)
    await inserter.execute("CREATE TABLE IF NOT EXISTS bare (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY)")
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
