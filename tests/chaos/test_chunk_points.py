"""A process that dies by SIGKILL while it makes a chunk, or puts chunks together, and what that costs. Lease: 2 s.

The points are those of `test_points.py`, as a chunk (C) and as what is behind chunks (A): only what died is done again.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from encoder.model.base import Json
from tests.lab import audit, databases, media
from tests.lab.databases import ask
from tests.lab.platform import REPOSITORY, Platform, running, until
from tests.lab.processes import working_in

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("chunk points")]  # one platform

DOOMED = ("-m", "tests.lab.doomed")
OUTPUT: dict[str, Json] = {
    "preset": "h264", "encoderPreset": "ultrafast", "width": 160, "height": 90, "audioCodec": "none", "chunked": True
}  # fmt: skip

# at each commit; all of them: LAB_POINTS=all
OFTEN = ("C7", "C11", "A5")
ALL = ("C3", "C5", "C7", "C8", "C10", "C11", "C13", "A3", "A5", "A8", "A11", "A13", "A14")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def platform(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Platform]:
    folder = tmp_path_factory.mktemp("points")
    shutil.copy(media.clip(seconds=4, size="160x90", name="4.mp4"), folder / "in.mp4")
    async with (
        databases.of(request, "postgres").ready() as dsn,
        running(dsn, folder, workers=0, ENCODER_CHUNK_SECONDS="2") as started,
    ):
        await started.start("worker", ENCODER_WORKER_QUEUES="none")
        yield started


@pytest.mark.parametrize("point", ALL if os.environ.get("LAB_POINTS") == "all" else OFTEN)
async def test_a_death_costs_the_task_that_it_meets_and_no_other(point: str, platform: Platform) -> None:
    """L7, L11, of a chunk; and what puts chunks together"""
    await dies_at(point, platform)


async def dies_at(point: str, platform: Platform) -> None:
    source = {"kind": "file", "path": str(platform.folder / "in.mp4")}
    job_id = await platform.submit({"source": source, "outputs": [OUTPUT]})
    worker = await platform.start("worker", program=DOOMED, PYTHONPATH=str(REPOSITORY), LAB_POINT=point)
    assert await worker.ended() == -signal.SIGKILL, worker.log.read_text()
    await until(lambda: _gone(platform), within_s=2)
    async with _at_work(platform):
        job = await platform.ended(job_id)
        assert job["status"] == "completed", job
    struck = "chunk" if point.startswith("C") else "assemble"
    rows = await ask(platform.dsn, f"SELECT kind, attempt FROM tasks WHERE job_id = {job_id} AND kind <> 'notify'")  # noqa: S608  # a number
    attempts = sorted((kind, attempt) for kind, attempt in rows)
    died = [(kind, attempt) for kind, attempt in attempts if attempt != 1]
    assert died == [(struck, 2)], attempts
    assert len(attempts) == 4  # the root, two chunks, and what is behind them
    assert not [path for path in Path(platform.storage).rglob("*") if "chunks" in path.parts]
    await audit.audit(platform, delivered=platform.storage)


@contextlib.asynccontextmanager
async def _at_work(platform: Platform) -> AsyncIterator[None]:
    worker = await platform.start("worker")
    yield
    worker.signal(signal.SIGTERM)
    assert await worker.ended() == 0


async def _gone(platform: Platform) -> bool:
    return not list(working_in(platform.scratch))
