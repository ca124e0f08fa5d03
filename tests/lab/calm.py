"""Works for a while under a real Prometheus that weighs our rules, and tells what it would have woken anybody for:

`python -m tests.lab.calm --minutes 20`. Two workers, jobs without end, each with a webhook; all of it is well.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from scripts.monitoring import MONITORING
from tests.lab import media, postgres
from tests.lab.databases import Database
from tests.lab.hook import Hook
from tests.lab.platform import START_S, Platform, free_port, running, until
from tests.lab.prometheus import scraping

_FIRED = 'count by (alertname) (count_over_time(ALERTS{alertstate="firing"}[1d]))'


@dataclass(frozen=True, kw_only=True)
class Calm:
    """`fired`: alerts that did at any time; `waiting`: those that may yet. `broken`: rules that could not be weighed.

    `absent`: what was asked for, and has no series.
    """

    jobs: int
    fired: Sequence[str]
    waiting: Sequence[str]
    broken: Sequence[str]
    absent: Sequence[str]


async def calm(dsn: str, folder: Path, *, seconds: float, workers: int = 2, wanted: Sequence[str] = ()) -> Calm:
    """Jobs one after the other for so long, at least one. `wanted`: expressions that must have series."""
    ports = [free_port() for _ in range(workers)]
    async with Hook() as hook, running(dsn, folder, workers=0, ENCODER_LEASE_SECONDS="60") as platform:
        for port in ports:
            await platform.start("worker", ENCODER_METRICS_PORT=str(port))
        await until(lambda: _are_there(platform, workers), within_s=START_S)
        targets = {"api": [f"127.0.0.1:{platform.port}"], "worker": [f"127.0.0.1:{port}" for port in ports]}
        rules, every = MONITORING / "rules.yaml", "5s" if seconds else "500ms"
        async with scraping(folder / "prometheus", targets, rules=rules, every=every) as prometheus:
            over_at, jobs = time.monotonic() + seconds, 0
            while jobs == 0 or time.monotonic() < over_at:
                await _done(platform, hook)
                jobs += 1
            await prometheus.scraped(times=3)  # of two, rates are known
            fired = [each["metric"]["alertname"] for each in await prometheus.ask(_FIRED)]
            waiting = [name for name, state in (await prometheus.alerts()).items() if state == "pending"]
            broken = [rule["name"] for rule in await prometheus.rules() if rule["health"] != "ok"]
            absent = [each for each in wanted if not await prometheus.ask(each)]
    return Calm(jobs=jobs, fired=fired, waiting=waiting, broken=broken, absent=absent)


async def _are_there(platform: Platform, workers: int) -> bool:
    """Before anybody looks: the queue is counted each ten seconds."""
    _, told = await platform.call("GET", "/workers")
    return len(told["workers"]) == workers


async def _done(platform: Platform, hook: Hook) -> None:
    source = platform.folder / "in.mp4"
    source.write_bytes(media.clip().read_bytes())
    output = {"preset": "h264", "height": 180, "encoderPreset": "ultrafast"}
    job = {"source": {"kind": "file", "path": str(source)}, "outputs": [output], "notificationUrl": hook.url("/told")}
    ended = await platform.ended(await platform.submit(job))
    assert ended["status"] == "completed", ended


async def _run(server: Database, folder: Path, minutes: float) -> int:
    async with server.ready() as dsn:
        told = await calm(dsn, folder, seconds=60 * minutes)
    print(told)
    return 1 if told.fired or told.broken else 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.lab.calm", description=__doc__)
    parser.add_argument("--minutes", type=float, default=20)
    minutes: float = parser.parse_args().minutes
    with tempfile.TemporaryDirectory(prefix="encoder-calm-") as name:
        folder = Path(name)
        (folder / "platform").mkdir()
        with postgres.cluster(folder / "server") as server:
            return asyncio.run(_run(server, folder / "platform", minutes))


if __name__ == "__main__":
    sys.exit(main())
