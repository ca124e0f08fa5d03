"""A process that dies by SIGKILL at each of the named points, and what is left of its job. Lease: 2 s.

The rows are those of the fault matrix (docs/why/reliability.md): what stands right after, how often the task was begun
in the end, what the world may have seen twice. What must be gone is the audit's.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from tests.lab import audit, databases, media
from tests.lab.databases import BOTH, ask
from tests.lab.hook import Hook
from tests.lab.origin import Served
from tests.lab.platform import REPOSITORY, Platform, Role, free_port, running, until
from tests.lab.processes import working_in
from tests.lab.wire import Exchange, Server

pytestmark = pytest.mark.asyncio(loop_scope="module")

DOOMED = ("-m", "tests.lab.doomed")
OPEN = "SELECT id FROM jobs WHERE state IN ('queued', 'processing')"
QUICK = {"preset": "h264", "encoderPreset": "ultrafast", "width": 320, "height": 180}
LONG = {"preset": "h264", "encoderPreset": "medium", "width": 640, "height": 360}  # half of it is seen on its way


@dataclass(frozen=True, kw_only=True)
class Row:
    """`stands`: job and outputs when the worker is dead. `left`: files of its own then.

    `attempt`: how often the task was begun. `read`: how often the source was. `told_twice`: that the job is completed.
    """

    stands: tuple[str, ...]
    left: tuple[str, ...] = ()
    attempt: int = 2
    read: int = 2
    told_twice: bool = False
    output: dict[str, Any] = field(default_factory=lambda: QUICK)
    outputs: int = 1


OVER = Row(stands=("completed", "uploaded"), attempt=1, read=1)

WORKER = {
    "L3": Row(stands=("queued", "queued"), read=1),
    "L4": Row(stands=("processing", "queued"), left=("source",)),
    "L5": Row(stands=("processing", "queued"), left=("source",)),
    "L6": Row(stands=("processing", "queued"), left=("source",)),
    "L7": Row(stands=("processing", "encoding"), left=("out-0.mp4", "source"), output=LONG),
    "L8": Row(stands=("processing", "encoding"), left=("out-0.mp4", "source")),
    "L9": Row(stands=("processing", "uploading"), left=("out-0.mp4", "source", "PART")),
    "L10": Row(stands=("processing", "uploading"), left=("out-0.mp4", "source", "PART")),
    "L11": Row(stands=("processing", "uploading"), left=("out-0.mp4", "source", "OBJECT"), read=1),
    "L12": Row(
        stands=("processing", "uploaded", "verifying"), left=("out-0.mp4", "out-1.mp4", "source", "OBJECT"), outputs=2
    ),
    "L13": Row(stands=("processing", "uploaded"), left=("OBJECT",), read=1),
    "L13b": Row(stands=("completed", "uploaded"), left=("OBJECT",), attempt=1, read=1),
    "L14": Row(stands=("completed", "uploaded"), left=("OBJECT",), attempt=1, read=1),
    "L14b": Row(stands=("completed", "uploaded"), left=("OBJECT",), attempt=1, read=1, told_twice=True),
    "L14c": Row(stands=("completed", "uploaded"), left=("OBJECT",), attempt=1, read=1),
}


# beside a commit, where the rows decide what comes of it: on MariaDB at each run; all of them there: LAB_POINTS=all
AT_COMMITS = ("L3", "L11", "L13", "L13b", "L14b")


def on(*names: str) -> pytest.MarkDecorator:
    """A stage of each, for all tests: pytest keeps it only where it is a parameter by itself."""
    stages = [pytest.param(name, marks=pytest.mark.xdist_group(f"points on {name}")) for name in names]
    return pytest.mark.parametrize("stages", stages, indirect=True)


@dataclass(kw_only=True)
class Stage:
    """A platform that outlives its workers: its API, and one that rescues but takes no work."""

    platform: Platform
    origin: Server
    hook: Hook
    reads: Counter[str] = field(default_factory=Counter)

    def clip(self, name: str, data: bytes, *, half_first: bool) -> str:
        """The address of a source that counts who reads it; the first one may be left waiting for its second half."""

        async def script(exchange: Exchange) -> None:
            self.reads[name] += 1
            if half_first and self.reads[name] == 1:
                await exchange.head(200, {"Content-Length": str(len(data))})
                await exchange.write(data[: len(data) // 2 + 1])
                await exchange.until_closed()
            else:
                await Served(data=data)(exchange)

        self.origin.scripts[f"/{name}"] = script
        return self.origin.url(f"/{name}")

    def job(self, name: str, row: Row) -> dict[str, Any]:
        clip = media.clip(seconds=8, size="640x360") if row.output is LONG else media.clip()
        url = self.clip(name, clip.read_bytes(), half_first=name == "L4")
        return {
            "source": {"kind": "http", "url": url},
            "outputs": [row.output | {"width": 320 - 2 * number} for number in range(row.outputs)],
            "notificationUrl": self.hook.url(f"/{name}"),
        }

    async def doomed(self, role: str, point: str, **environment: str) -> Role:
        return await self.platform.start(
            role, program=DOOMED, PYTHONPATH=str(REPOSITORY), LAB_POINT=point, **environment
        )

    def told(self, name: str) -> Counter[str]:
        """How often each event of a job arrived."""
        return Counter(told.id for told in self.hook.told if told.request.target == f"/{name}")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stages(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    folder = tmp_path_factory.mktemp("points")
    async with (
        databases.of(request, request.param).ready() as dsn,
        running(dsn, folder, workers=0) as platform,
        Server() as origin,
        Hook() as hook,
    ):
        await platform.start("worker", ENCODER_WORKER_QUEUES="none")
        yield Stage(platform=platform, origin=origin, hook=hook)


@pytest_asyncio.fixture(loop_scope="module")
async def stage(stages: Stage) -> AsyncIterator[Stage]:
    """The same one for all; a test that failed leaves the next one nothing to do."""
    yield stages
    for (job_id,) in await ask(stages.platform.dsn, OPEN):
        await stages.platform.call("POST", f"/jobs/{job_id}/cancel")
        await stages.platform.ended(job_id)


@on("postgres")
@pytest.mark.parametrize("point", WORKER)
async def test_a_worker_killed_at_this_point_costs_nothing_but_time(point: str, stage: Stage) -> None:
    """L3 to L14; I7 (at L14b) and I8 (at L14)"""
    await dies_at(point, stage)


@on("mariadb")
@pytest.mark.parametrize("point", WORKER if os.environ.get("LAB_POINTS") == "all" else AT_COMMITS)
async def test_a_worker_killed_beside_a_commit_costs_no_more_on_mariadb(point: str, stage: Stage) -> None:
    await dies_at(point, stage)


async def dies_at(point: str, stage: Stage) -> None:
    row, platform = WORKER[point], stage.platform
    job_id = await platform.submit(stage.job(point, row))
    worker = await stage.doomed("worker", point)
    assert await worker.ended() == -signal.SIGKILL, worker.log.read_text()
    job = await platform.job(job_id)
    assert (job["status"], *(output["status"] for output in job["outputs"])) == row.stands
    assert left(platform, job["uuid"]) == sorted(row.left)
    await until(lambda: gone(platform), within_s=2)

    async with at_work(platform):
        job = await platform.ended(job_id)
        assert job["status"] == "completed", job
        await until(lambda: all_told(platform, job_id), within_s=20)
    assert await attempts(platform, job_id) == row.attempt
    assert stage.reads[point] == row.read
    told = stage.told(point)
    ends = Counter(
        each.id for each in stage.hook.told if each.request.target == f"/{point}" and b'"job.completed"' in each.body
    )
    assert list(ends.values()) == [2 if row.told_twice else 1]
    assert len(told) == 3 + row.outputs  # submitted, processing, one per output, completed
    assert left(platform, job["uuid"]) == ["OBJECT"] * row.outputs
    await audit.audit(platform, delivered=platform.storage, hook=stage.hook)


@on(*BOTH)
async def test_an_answer_to_a_settle_that_is_lost_is_asked_for_again(stage: Stage) -> None:
    """K11, and L13b the other way: the worker lives, repeats, and reads back its own success."""
    job_id = await stage.platform.submit(stage.job("unheard", OVER))
    worker = await stage.doomed("worker", "L13b unheard")
    job = await stage.platform.ended(job_id)
    await until(lambda: all_told(stage.platform, job_id), within_s=20)
    worker.signal(signal.SIGTERM)
    assert await worker.ended() == 0
    assert (job["status"], await attempts(stage.platform, job_id), stage.reads["unheard"]) == ("completed", 1, 1)
    said = worker.log.read_text()
    assert said.count("the lab has cut the line") == 1
    assert said.count('"outcome": "done"') == said.count('"job_state": "completed"') == 1
    assert set(stage.told("unheard").values()) == {1}
    await audit.audit(stage.platform, delivered=stage.platform.storage, hook=stage.hook)


@on(*BOTH)
@pytest.mark.parametrize(("point", "rows"), [("L1", 0), ("L2", 1)])
async def test_a_job_whose_answer_was_lost_is_made_once_under_its_key(point: str, rows: int, stage: Stage) -> None:
    """L1, L2"""
    platform = stage.platform
    port = free_port()
    api = await stage.doomed("api", point, ENCODER_PORT=str(port))
    await until(lambda: listens(port), within_s=20)
    job, key = stage.job(point, OVER), {"Idempotency-Key": point}
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.ClientError):
            await session.post(f"http://127.0.0.1:{port}/jobs", json=job, headers=key)
    assert await api.ended() == -signal.SIGKILL
    count = f"SELECT count(*) FROM jobs WHERE idempotency_key = '{point}'"  # noqa: S608  # two constants of ours
    assert await ask(platform.dsn, count) == [(rows,)]
    job_id = await platform.submit(job, **key)
    assert await platform.submit(job, **key) == job_id
    assert await ask(platform.dsn, count) == [(1,)]
    async with at_work(platform):
        done = await platform.ended(job_id)
        await until(lambda: all_told(platform, job_id), within_s=20)
    assert (done["status"], await attempts(platform, job_id)) == ("completed", 1)
    await audit.audit(platform, delivered=platform.storage, hook=stage.hook)


@contextlib.asynccontextmanager
async def at_work(platform: Platform) -> AsyncIterator[None]:
    """A worker that comes after the dead one, and leaves in order."""
    worker = await platform.start("worker")
    yield
    worker.signal(signal.SIGTERM)
    assert await worker.ended() == 0


def left(platform: Platform, uuid: str) -> list[str]:
    """What lies in the folders of attempts, and what stands in the storage of a job.

    But for stills: they are made beside the delivery, and may or may not have begun.
    """
    work = [path.name for path in platform.scratch.glob("*/*/*") if path.name != "stills"]
    stored = [path for path in (platform.storage / "jobs" / uuid).glob("*") if path.is_file()]
    return sorted(work + ["PART" if path.name.endswith(".part") else "OBJECT" for path in stored])


async def gone(platform: Platform) -> bool:
    """Children die with their worker."""
    return not list(working_in(platform.scratch))


async def attempts(platform: Platform, job_id: int) -> int:
    """How often its task was begun."""
    question = f"SELECT attempt FROM tasks WHERE job_id = {job_id} AND kind = 'transcode'"  # noqa: S608  # a number
    ((attempt,),) = await ask(platform.dsn, question)
    return int(attempt)


async def all_told(platform: Platform, job_id: int) -> bool:
    question = f"SELECT count(*) FROM webhook_deliveries WHERE job_id = {job_id} AND state = 'pending'"  # noqa: S608  # a number
    return await ask(platform.dsn, question) == [(0,)]


async def listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True
