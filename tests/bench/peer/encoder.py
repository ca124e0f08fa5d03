"""Encoder: the real store and the real worker loop, with a handler that does nothing; lease, fence, beat and events
are as in production, and so are the rows of job and output that a task belongs to."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

from encoder.log import configure
from encoder.model.ids import DEFAULT_TENANT, OutputId, WorkerId
from encoder.model.job import JobSpec, OutputSpec
from encoder.model.result import Delivered
from encoder.model.state import OutputState
from encoder.queue import settle
from encoder.queue.lease import LeaseTimes
from encoder.store.fleet import WorkerInfo
from encoder.store.postgres import open_store
from encoder.store.rows import NewJob, OutputChange, Settlement
from encoder.worker.claimer import Line
from encoder.worker.held import Held
from encoder.worker.loop import Rhythm, Worker
from tests.bench.peer.harness import Enqueue, Note, main
from tests.lab import shares

SPEC = JobSpec(source={"kind": "http", "url": "https://example.com/in.mp4"}, outputs=(OutputSpec(container="mp4"),))
DELIVERED = Delivered(uri="https://example.com/out.mp4", size_bytes=1, sha256="0" * 64)
UPLOADED = (OutputChange(id=OutputId(0), state=OutputState.UPLOADED, delivered=DELIVERED),)


class Nothing:
    def __init__(self, note: Note) -> None:
        self._note = note

    async def work(self, held: Held) -> Settlement:
        self._note(held.claim.task_id)
        return settle.done(UPLOADED)


class Encoder:
    async def install(self, dsn: str) -> None:
        await (await open_store(dsn)).close()

    @asynccontextmanager
    async def producer(self, dsn: str, callers: int) -> AsyncIterator[Enqueue]:
        store = await open_store(dsn, pool_size=callers)
        try:
            yield lambda: store.enqueue(NewJob(tenant_id=DEFAULT_TENANT, uuid=uuid4(), spec=SPEC, label="in.mp4"))
        finally:
            await store.close()

    async def work(self, dsn: str, concurrency: int, note: Note, stop: asyncio.Event) -> None:
        store = await open_store(dsn)
        slots = {"encode": concurrency}
        info = WorkerInfo(
            id=WorkerId(uuid4()), host="bench", pid=1, version="0", queues=("encode",), slots=slots, encoders=()
        )
        rhythm = Rhythm(times=LeaseTimes(60), poll_s=1, progress_s=2, drain_s=5)
        worker = Worker(
            store,
            info,
            {"transcode": Nothing(note)},
            rhythm,
            shares.budget(Path()),
            Line(store),
            clock=time.monotonic,
            uniform=random.uniform,
        )
        working = asyncio.create_task(worker.run())
        await stop.wait()
        worker.stop()
        await working
        await store.close()


if __name__ == "__main__":
    configure(level="error")
    main(Encoder())
