"""P1 when a worker dies: nothing of what was planted in a secret member is left on the disk or in a row.

Seen to fail where an attempt keeps its place in a file of its scratch folder, and where the kernel keeps a core.
"""

from __future__ import annotations

import asyncio
import re
import resource
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab import audit, media
from tests.lab.ordeal import Case, ordeal, place
from tests.lab.origin import Served
from tests.lab.put import Shelf
from tests.lab.wire import Exchange, Script, Server


@pytest.mark.both_databases
@pytest.mark.parametrize("stage", ["fetching", "delivering"])
async def test_a_worker_that_dies_leaves_no_secret_behind_nor_does_who_takes_over(
    stage: str, dsn: str, tmp_path: Path
) -> None:
    met, served = asyncio.Event(), Served(data=media.clip(seconds=1).read_bytes())
    fetching = stage == "fetching"
    origin = Server(scripts={"/in.mp4": silent_half_way(served, met) if fetching else served})
    shelf = Shelf(faults=[] if fetching else [deaf_half_way(met)])
    async with origin, shelf, ordeal(dsn, tmp_path) as job:
        job_id = await job.submit(Case(source=place(origin, "/in.mp4"), to=place(shelf, "/out.mp4")))
        await met.wait()
        await job.platform.roles[-1].kill()
        await job.watch.look_everywhere(job.hook, job_id)
        assert not job.watch.seen, job.watch.seen
        await job.start_worker()
        ended = await job.platform.ended(job_id)
        assert (ended["status"], ended["outputs"][0]["attempts"]) == ("completed", 2)
        await job.nothing_is_seen()
        await audit.audit(job.platform)


async def test_a_worker_that_crashes_leaves_no_image_of_its_memory(dsn: str, tmp_path: Path, cores: None) -> None:
    met = asyncio.Event()
    script = silent_half_way(Served(data=media.clip(seconds=1).read_bytes()), met)
    async with Server(scripts={"/in.mp4": script}) as origin, ordeal(dsn, tmp_path) as job:
        await job.submit(Case(source=place(origin, "/in.mp4")))
        await met.wait()
        worker = job.platform.roles[-1]
        limits = Path(f"/proc/{worker.process.pid}/limits").read_text()
        worker.signal(signal.SIGSEGV)
        assert await worker.ended() == -signal.SIGSEGV
        assert "core" not in {path.name.partition(".")[0] for path in tmp_path.rglob("*")}
        assert re.search(r"^Max core file size +0 ", limits, re.MULTILINE)  # wherever this machine would keep them


@pytest.fixture
def cores() -> Iterator[None]:
    """Whoever crashes may leave as much as there is."""
    before = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (before[1], before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_CORE, before)


def silent_half_way(then: Served, met: asyncio.Event) -> Script:
    """Half of the file and no more, once."""

    async def script(exchange: Exchange) -> None:
        if met.is_set():
            await then(exchange)
            return
        await exchange.head(200, {"Content-Length": str(len(then.data))})
        await exchange.write(then.data[: len(then.data) // 2])
        met.set()
        await exchange.until_closed()

    return script


def deaf_half_way(met: asyncio.Event) -> Script:
    """Takes half of what it is sent."""

    async def script(exchange: Exchange) -> None:
        await exchange.body(1000)
        met.set()
        await exchange.until_closed()

    return script
