"""A database that stops under a running encode: what probes and callers are told meanwhile, and what becomes of it.

`python -m tests.chaos.outage [--database mariadb] --seconds 30 --lease 60 [--write]`
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from tests.chaos import database, page
from tests.lab import media
from tests.lab.databases import BOTH, ask
from tests.lab.platform import Platform, free_port, until
from tests.lab.processes import working_in

ENDLESS = {"preset": "h264", "encoderPreset": "veryslow", "width": 640, "height": 360, "upscale": True}
ENDLESS_S = 120
LOOK_EVERY_S = 0.2
PROBE_S = 1.0  # what a kubelet waits for, unless it is told otherwise


@dataclass(kw_only=True)
class Told:
    """What was answered while the database was away: how often each status, by what was asked.

    0: no answer within a second. `slowest_s`: of probes; `unsaid`: refusals that did not say when to come back.
    """

    statuses: dict[str, Counter[int]] = field(default_factory=dict)
    slowest_s: float = 0.0
    unsaid: int = 0


@dataclass(frozen=True, kw_only=True)
class Figures:
    """`froze`: whether ffmpeg stood still at any time; `ended`: processes of ours that are gone.

    `epoch`, `lost`, `released`: of the task at the end, when its encode goes on.
    """

    told: Told
    froze: bool
    ended: int
    epoch: int
    lost: int
    released: int


async def outage(folder: Path, *, on: str, seconds: float, lease_s: float) -> Figures:
    """Stop the database for so long, in the new folder `folder`, while an API and a worker at an encode run."""
    folder.chmod(0o755)  # the database runs as another user
    server = database.made(on, folder / "db")
    async with AsyncExitStack() as stack:
        dsn = await server.start()
        stack.push_async_callback(server.stop, at_once=True)
        probes = free_port()
        settings = {"ENCODER_LEASE_SECONDS": str(lease_s), "ENCODER_METRICS_PORT": str(probes)}
        platform = Platform(dsn=dsn, folder=folder, extra=settings)
        stack.push_async_callback(platform.stop)
        await platform.start_api()
        await platform.start("worker")
        source = folder / "in.mp4"
        source.write_bytes(media.clip(seconds=ENDLESS_S).read_bytes())
        job_id = await platform.submit({"source": {"kind": "file", "path": str(source)}, "outputs": [ENDLESS]})

        async def encodes() -> bool:
            return bool((await platform.job(job_id))["outputs"][0].get("fps"))

        async def moves() -> bool:
            return bool(list(working_in(platform.scratch, state="RSD")))

        await until(encodes, within_s=60)
        told, froze = Told(), False
        await server.stop()
        async with asked(told, platform.port, probes):
            until_ = time.monotonic() + seconds
            while time.monotonic() < until_:
                froze = froze or bool(list(working_in(platform.scratch, state="T")))
                await asyncio.sleep(LOOK_EVERY_S)
        await server.start()
        await until(lambda: _is_ready(platform), within_s=20)
        await until(moves, within_s=20)
        ((epoch, lost, released),) = await ask(
            dsn,
            f"SELECT epoch, lost, released FROM tasks WHERE job_id = {job_id} AND kind = 'transcode'",  # noqa: S608  # ours
        )
        ended = sum(role.process.returncode is not None for role in platform.roles)
        await platform.call("POST", f"/jobs/{job_id}/cancel")
        assert (await platform.ended(job_id))["status"] == "cancelled"
        return Figures(told=told, froze=froze, ended=ended, epoch=epoch, lost=lost, released=released)


async def _is_ready(platform: Platform) -> bool:
    return (await platform.call("GET", "/readyz"))[0] == 200


@asynccontextmanager
async def asked(told: Told, api: int, worker: int) -> AsyncIterator[None]:
    """Within the block probes and a caller ask again and again."""
    wanted = {
        f"{kind} {path}": f"http://127.0.0.1:{port}{path}"
        for kind, port in (("API", api), ("worker", worker))
        for path in ("/livez", "/readyz?scope=local", "/readyz")
    }
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30)) as session, asyncio.TaskGroup() as group:
        tasks = [group.create_task(_ask_for_ever(session, told, name, url)) for name, url in wanted.items()]
        tasks.append(group.create_task(_ask_for_ever(session, told, "API /jobs", f"http://127.0.0.1:{api}/jobs")))
        yield
        for task in tasks:
            task.cancel()


async def _ask_for_ever(session: aiohttp.ClientSession, told: Told, name: str, url: str) -> None:
    statuses = told.statuses.setdefault(name, Counter())
    while True:
        began = time.monotonic()
        async with session.get(url) as response:
            await response.read()
        took_s = time.monotonic() - began
        if name.endswith(("/livez", "scope=local")):
            told.slowest_s = max(told.slowest_s, took_s)
            statuses[response.status if took_s < PROBE_S else 0] += 1
        else:
            statuses[response.status] += 1
            told.unsaid += response.status == 503 and name.startswith("API") and "Retry-After" not in response.headers
        await asyncio.sleep(LOOK_EVERY_S)


def told(figures: Figures, name: str, seconds: float, lease_s: float) -> str:
    """Markdown."""
    answers = {
        f"`{what}`": ", ".join(f"{count} × {status}" for status, count in sorted(statuses.items()))
        for what, statuses in figures.told.statuses.items()
    }
    return page.table(
        {
            "database, away for, lease": f"{name}, {seconds:.0f} s, {lease_s:.0f} s",
            **answers,
            "slowest probe; refusals without `Retry-After`": f"{figures.told.slowest_s:.2f} s; {figures.told.unsaid}",
            "processes that ended": f"{figures.ended}",
            "the encode": f"{'stood still, and ' if figures.froze else ''}went on; "
            f"epoch {figures.epoch}, lost {figures.lost}, given back {figures.released}",
        }
    )


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.outage", description=__doc__)
    parser.add_argument("--database", choices=BOTH, default=BOTH[0])
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--lease", type=float, default=60.0)
    parser.add_argument("--write", action="store_true")
    wanted = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="encoder-outage-"))
    figures = asyncio.run(outage(folder, on=wanted.database, seconds=wanted.seconds, lease_s=wanted.lease))
    shutil.rmtree(folder)
    table = told(figures, wanted.database, wanted.seconds, wanted.lease)
    print(table)
    if wanted.write:
        page.write("outage", table)
    return 0 if (figures.ended, figures.epoch, figures.lost, figures.told.unsaid) == (0, 1, 0, 0) else 1


if __name__ == "__main__":
    sys.exit(main())
