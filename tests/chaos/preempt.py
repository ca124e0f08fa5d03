"""Kills the workers of one job in chunks, again and again: `make preempt [ARGS="--database mariadb --seconds 600"]`.

The job must complete, what was made twice be a tenth of all at most, and its frames those of the same job undisturbed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from pathlib import Path
from typing import Any

from encoder.model.base import Json
from encoder.store import engines
from tests.chaos import database
from tests.lab import audit, media, witness
from tests.lab.databases import BOTH, ask
from tests.lab.platform import Platform, Role
from tests.lab.processes import PROC, below

OUTPUT: Mapping[str, Json] = {"preset": "h264", "width": 480, "height": 270}
CALM_S = 90.0  # until the last worker that was started is there, on a machine that is busy
MOST_AGAIN = 0.1  # of all CPU time of encodes
_HERTZ = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, kw_only=True)
class Trial:
    """A clip of `seconds`, in chunks of `chunk_s`; one of `workers` is killed each `every_s`, `kills` times at most."""

    seconds: float = 600.0
    workers: int = 4
    every_s: float = 15.0
    kills: int = 1000
    chunk_s: float = 4.0
    output: Mapping[str, Json] = field(default_factory=lambda: OUTPUT)
    seed: int = 1


@dataclass(kw_only=True)
class Figures:
    """`lost_cpu_s`: what ffmpeg had taken for a chunk when its worker was killed; `cpu_s`: for those that counted.

    `differ`: the frames that are not those of the same job undisturbed, by their lines in a list of checksums; `told`:
    what the outputs of both warn of.
    """

    chunks: int
    seconds: float
    undisturbed_s: float
    kills: int
    cpu_s: float
    lost_cpu_s: float
    attempts: int
    differ: Sequence[str]
    told: Sequence[str]
    left: Sequence[str] = field(default_factory=list)

    @property
    def again(self) -> float:
        """The share of all work that was done for nothing."""
        return self.lost_cpu_s / (self.cpu_s + self.lost_cpu_s)

    def wrong(self) -> list[str]:
        found = [f"{len(self.differ)} frames differ from those of the job undisturbed"] if self.differ else []
        if self.again > MOST_AGAIN:
            found.append(f"{self.again:.1%} of the work was done again")
        return found + [f"left: {each}" for each in self.left]


@dataclass(kw_only=True)
class Fleet:
    """Workers, of which one dies now and then, and is replaced at once."""

    platform: Platform
    chance: random.Random
    workers: list[Role] = field(default_factory=list)
    kills: int = 0
    lost_cpu_s: float = 0.0

    async def start(self, count: int) -> None:
        self.workers = [await self.platform.start("worker") for _ in range(count)]

    async def kill_some(self, trial: Trial) -> None:
        while self.kills < trial.kills:
            await asyncio.sleep(trial.every_s)
            await self.kill()

    async def kill(self) -> None:
        worker = self.chance.choice(self.workers)
        self.lost_cpu_s += _encoding_cpu_s(worker)
        await worker.kill()
        self.kills += 1
        self.workers.remove(worker)
        self.workers.append(await self.platform.start("worker"))


async def preempt(folder: Path, trial: Trial, *, dsn: str) -> Figures:
    """The same job twice: undisturbed, and under kills."""
    clip = media.clip(seconds=trial.seconds, size="640x360", name=f"{trial.seconds:g}.mp4")
    shutil.copy(clip, folder / "in.mp4")
    # one thread: with several, x264 does not always make the same of the same frames on a busy machine, by hand neither
    settings = {"ENCODER_CHUNK_SECONDS": f"{trial.chunk_s:g}", "ENCODER_CPUS": "1"}
    platform = Platform(dsn=dsn, folder=folder, extra=settings)
    fleet = Fleet(platform=platform, chance=random.Random(trial.seed))  # noqa: S311  # repeatable
    try:
        await platform.start_api()
        await fleet.start(trial.workers)
        calm, calm_s = await _done(platform, trial, "calm.mp4")
        killing = asyncio.create_task(fleet.kill_some(trial))
        try:
            job, took_s = await _done(platform, trial, "killed.mp4")
        finally:
            killing.cancel()
            await asyncio.gather(killing, return_exceptions=True)
        assert (calm["status"], job["status"]) == ("completed", "completed"), (calm, job)
        await audit.audit(platform, delivered=folder, patience_s=CALM_S)
        left = [str(path) for path in (platform.storage / "jobs").rglob("*") if "chunks" in path.parts]
        return Figures(
            **await _counted(dsn, job["id"]),
            seconds=took_s,
            undisturbed_s=calm_s,
            kills=fleet.kills,
            lost_cpu_s=fleet.lost_cpu_s,
            differ=_differ(frames(folder / "calm.mp4"), frames(folder / "killed.mp4")),
            told=[f"{each['status']}: {output['warnings']}" for each in (calm, job) for output in each["outputs"]],
            left=left,
        )
    finally:
        await platform.stop()


async def _done(platform: Platform, trial: Trial, name: str) -> tuple[dict[str, Any], float]:
    place = {"kind": "file", "path": str(platform.folder / name)}
    source = {"kind": "file", "path": str(platform.folder / "in.mp4")}
    began = time.monotonic()
    job_id = await platform.submit(
        {"source": source, "outputs": [dict(trial.output) | {"chunked": True, "destination": place}]}
    )
    return await platform.ended(job_id, within_s=10 * trial.seconds + 60), time.monotonic() - began


async def _counted(dsn: str, job_id: int) -> dict[str, Any]:
    """Of the chunks that counted."""
    rows = await ask(dsn, f"SELECT result, attempt FROM tasks WHERE job_id = {job_id} AND kind = 'chunk'")  # noqa: S608  # a number
    made = [json.loads(result) for result, _ in rows]
    return {
        "chunks": len(rows),
        "cpu_s": sum(each["cpuSeconds"] for each in made),
        "attempts": sum(attempt for _, attempt in rows),
    }


def frames(path: Path) -> list[str]:
    """What a decoder makes of a file: a checksum of each frame of picture and sound, with its time."""
    made = media.made("frames.txt", "-i", str(path), "-map", "0", "-f", "framemd5")
    return made.read_text().splitlines()


def _differ(one: Sequence[str], other: Sequence[str]) -> list[str]:
    return [f"{mine} | {theirs}" for mine, theirs in zip_longest(one, other) if mine != theirs]


def _encoding_cpu_s(worker: Role) -> float:
    """What the ffmpeg of a worker has taken so far, and those of its own that it waited for."""
    ticks = 0
    for process in below(worker.process.pid):
        with suppress(OSError, IndexError):
            name, _, rest = (PROC / str(process) / "stat").read_text().partition("(")[2].rpartition(") ")
            if name.startswith("ffmpeg"):
                ticks += sum(map(int, rest.split()[11:15]))
    return ticks / _HERTZ


def main() -> int:
    parser = argparse.ArgumentParser(prog="make preempt", description=__doc__)
    parser.add_argument("--database", choices=BOTH, default="postgres")
    parser.add_argument("--seconds", type=float, default=Trial.seconds, help="of the clip")
    parser.add_argument("--workers", type=int, default=Trial.workers)
    parser.add_argument("--every", type=float, default=Trial.every_s, help="seconds between two kills")
    parser.add_argument("--chunk", type=float, default=Trial.chunk_s, help="seconds of a chunk")
    parser.add_argument("--seed", type=int, default=Trial.seed)
    asked = parser.parse_args()
    trial = Trial(
        seconds=asked.seconds, workers=asked.workers, every_s=asked.every, chunk_s=asked.chunk, seed=asked.seed
    )

    async def run(folder: Path) -> Figures:
        folder.chmod(0o755)  # the database runs as another user
        server = database.made(asked.database, folder / "db")
        dsn = await server.start()
        try:
            await engines.upgrade(dsn)
            await witness.install(dsn)
            return await preempt(folder, trial, dsn=dsn)
        finally:
            await server.stop(at_once=True)

    with tempfile.TemporaryDirectory() as folder:
        figures = asyncio.run(run(Path(folder)))
    print(replace(figures, differ=figures.differ[:3]))
    print(f"done again: {figures.again:.1%} of {figures.cpu_s + figures.lost_cpu_s:.0f} CPU s")
    for each in figures.wrong():
        print(f"WRONG: {each}")
    return 1 if figures.wrong() else 0


if __name__ == "__main__":
    sys.exit(main())
