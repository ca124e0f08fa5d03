"""Workers that are told to stop at random points, without any grace: what they had is given back, uncharged."""

from __future__ import annotations

import asyncio
import random
import signal
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from tests.chaos import database
from tests.lab import audit, media, witness
from tests.lab.databases import ask
from tests.lab.platform import Platform, until
from tests.lab.processes import working_in

BACK_S = 10.0  # what is promised
OPEN = 3  # jobs that wait or run
QUICK = {"preset": "h264", "encoderPreset": "ultrafast", "width": 320, "height": 180}
LONG = {"preset": "h264", "encoderPreset": "slow", "width": 640, "height": 360, "upscale": True}


@dataclass(frozen=True, kw_only=True)
class Terms:
    """`stops_s`: from each SIGTERM to the end of the process; `holding`: how many met a task."""

    stops_s: Sequence[float]
    holding: int
    completed: int
    wrong: Sequence[str]

    def stop_s(self, share: float) -> float:
        """The time that such a share of them stays below."""
        return sorted(self.stops_s)[min(len(self.stops_s) - 1, int(share * len(self.stops_s)))]


async def terms(folder: Path, *, on: str, times: int, seed: int) -> Terms:
    """Start a worker, tell it to stop at a random point of its work; so many times, in the new folder `folder`."""
    folder.chmod(0o755)  # the database runs as another user
    chance = random.Random(seed)  # noqa: S311  # chance that can be repeated
    server = database.made(on, folder / "db")
    async with AsyncExitStack() as stack:
        dsn = await server.start()
        stack.push_async_callback(server.stop, at_once=True)
        settings = {"ENCODER_DRAIN_SECONDS": "0", "ENCODER_LEASE_SECONDS": "600"}
        platform = Platform(dsn=dsn, folder=folder, extra=settings)
        stack.push_async_callback(platform.stop)
        await platform.start_api()
        await witness.install(dsn)
        (folder / "in.mp4").write_bytes(media.clip(seconds=24).read_bytes())
        jobs: list[int] = []
        stops_s: list[float] = []
        holding = 0
        wrong: list[str] = []
        for _ in range(times):
            jobs += [await _submitted(platform, chance) for _ in range(OPEN - await _open(dsn))]
            stop_s, held = await _stopped(platform, chance, wrong)
            stops_s.append(stop_s)
            holding += held
        await platform.start("worker")
        ended = [await platform.ended(job_id, within_s=180) for job_id in jobs]
        wrong += [f"job {job['id']} is {job['status']}" for job in ended if job["status"] != "completed"]
        wrong += [
            f"charged: task {row}" for row in await ask(dsn, "SELECT id FROM tasks WHERE attempt > 1 OR lost > 0")
        ]
        try:
            await audit.audit(platform, delivered=platform.storage)
        except AssertionError as error:
            wrong += str(error).splitlines()
        return Terms(stops_s=stops_s, holding=holding, completed=len(ended), wrong=wrong)


async def _stopped(platform: Platform, chance: random.Random, wrong: list[str]) -> tuple[float, bool]:
    """How long a worker took to leave, and whether it held something when it was told."""
    worker = await platform.start("worker")

    async def has_started() -> bool:
        assert worker.process.returncode is None, worker.log.read_text()
        return b"worker.started" in worker.log.read_bytes()

    await until(has_started, within_s=60)
    await asyncio.sleep(chance.uniform(0, 3))
    held = await ask(platform.dsn, "SELECT count(*) FROM task_leases") != [(0,)]
    began = time.monotonic()
    worker.signal(signal.SIGTERM)
    code = await worker.ended(within_s=60)
    stop_s = time.monotonic() - began
    if code != 0 or stop_s > BACK_S:
        wrong.append(f"{worker.log.stem} left with {code} after {stop_s:.1f} s")
    wrong += [
        f"{worker.log.stem} left a lease of task {row}"
        for row in await ask(platform.dsn, "SELECT task_id FROM task_leases")
    ]
    wrong += [f"{worker.log.stem} left alive: {command[:100]}" for command in working_in(platform.scratch)]
    return stop_s, held


async def _submitted(platform: Platform, chance: random.Random) -> int:
    source = {"kind": "file", "path": str(platform.folder / "in.mp4")}
    return await platform.submit({"source": source, "outputs": [chance.choice((QUICK, LONG))]})


async def _open(dsn: str) -> int:
    ((count,),) = await ask(dsn, "SELECT count(*) FROM jobs WHERE state IN ('queued', 'processing')")
    return int(count)
