"""A worker of two slots runs two ffmpegs, whatever becomes of its jobs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path

from tests.lab import audit, media
from tests.lab.ordeal import Case, ordeal, place, repeating
from tests.lab.origin import Served
from tests.lab.platform import Platform, until
from tests.lab.processes import PROC, below
from tests.lab.put import Shelf
from tests.lab.wire import Server

SLOTS = 2  # of an ordeal's worker
EACH_S = 0.1
ENDLESS = {"encoderPreset": "veryslow", "width": 1920, "height": 1080, "upscale": True}


def ffmpegs(platform: Platform) -> int:
    """How many the roles run at this moment."""
    names = []
    for role in platform.roles:
        for process in below(role.process.pid):
            with suppress(OSError):
                names.append((PROC / str(process) / "exe").readlink().name)
    return sum(name.startswith("ffmpeg") for name in names)


async def asked_what_it_can(platform: Platform) -> bool:
    """Of its ffmpeg each worker asks that before it starts, all at once."""
    return any(b"worker.started" in role.log.read_bytes() for role in platform.roles)


@asynccontextmanager
async def counting(platform: Platform) -> AsyncIterator[list[int]]:
    counts: list[int] = []

    async def count() -> None:
        while True:
            counts.append(ffmpegs(platform))
            await asyncio.sleep(EACH_S)

    counter = asyncio.create_task(count())
    yield counts
    counter.cancel()


async def test_there_are_never_more_ffmpegs_than_slots_also_while_jobs_fail_and_are_cancelled(
    dsn: str, tmp_path: Path
) -> None:
    """N6: looked at each 100 ms."""
    clip = Served(data=media.clip(seconds=4, size="640x360").read_bytes())
    async with Server(scripts={"/in.mp4": clip}) as origin, Shelf() as shelf, ordeal(dsn, tmp_path) as job:
        shelf.scripts["/503"] = repeating(503)
        source = place(origin, "/in.mp4")
        good = Case(source=source, to=place(shelf, "/out.mp4"))
        refused = Case(source=source, to=place(shelf, "/503"))
        endless = Case(source=source, to=place(shelf, "/long.mp4"), output=ENDLESS)
        await until(partial(asked_what_it_can, job.platform), within_s=60)
        async with counting(job.platform) as counts:
            long = [await job.submit(endless) for _ in range(3)]
            others = [await job.submit(case) for case in (good, refused, good, refused)]
            for each in long:
                await job.platform.reaches(each, "encoding")
                assert (await job.platform.call("POST", f"/jobs/{each}/cancel"))[0] == 202
            ends = [(await job.platform.ended(each))["status"] for each in (*long, *others)]
        assert ends == ["cancelled"] * 3 + ["completed", "failed"] * 2
        assert max(counts) == SLOTS
        await audit.audit(job.platform)
