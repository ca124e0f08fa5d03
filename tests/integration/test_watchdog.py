"""A container's memory: the encode that uses it up is ended, and its neighbour goes on."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import pytest

from encoder.ffmpeg.exits import Exit, Reason, classify
from encoder.ffmpeg.launcher import Leash, Limits
from encoder.ffmpeg.watchdog import Watchdog
from tests.lab import cgroup
from tests.lab.ffx import ffx, launcher_of
from tests.lab.media import ffmpeg_binary
from tests.lab.platform import REPOSITORY

LIMIT_BYTES = 512 * 1024**2
# 12 MB a picture, four a second: what is left above the dog's mark lasts a second, also where the machine is busy
LARGE = (
    "-re -f lavfi -i testsrc2=size=3840x2160:rate=4 -t 60 "
    "-c:v libx264 -x264-params rc-lookahead=100 -threads 2 -f null -"
)
SMALL = "-re -f lavfi -i testsrc2=size=320x180:rate=30 -t 12 -c:v libx264 -threads 1 -f null -"
# what a worker's process is, as far as memory goes: two encodes under one launcher
PROGRAM = f"""
import asyncio, json, sys
from pathlib import Path
from encoder import machine
from encoder.ffmpeg.launcher import Launcher, Leash, Limits
from encoder.ffmpeg.watchdog import Watchdog

async def main():
    held = machine.held()
    dog = Watchdog(held.limit_bytes, held.used_bytes)
    ffmpeg = Launcher(binary=Path({ffmpeg_binary()!r}), dog=dog)
    run = lambda words: ffmpeg.run(words.split(), folder=Path.cwd(), leash=Leash(), limits=Limits(wall_seconds=90))
    ended = await asyncio.gather(run({LARGE!r}), run({SMALL!r}))
    print(json.dumps([[each.reason, each.code] for each in ended] + [held.limit_bytes]))

asyncio.run(main())
"""


async def test_the_large_encode_is_ended_and_the_small_one_completes(tmp_path: Path) -> None:
    if reason := cgroup.lacking():
        pytest.skip(reason)
    with cgroup.limited(LIMIT_BYTES) as words:
        process = await asyncio.create_subprocess_exec(
            *(*words, sys.executable, "-c", PROGRAM),
            cwd=tmp_path,
            env={"PYTHONPATH": str(REPOSITORY)},
            stdout=asyncio.subprocess.PIPE,
        )
        said, _ = await process.communicate()
    assert json.loads(said) == [["memory", -9], ["ok", 0], LIMIT_BYTES]


async def test_an_ended_encode_goes_at_once_and_may_be_tried_again(tmp_path: Path) -> None:
    """L18. Not even a deaf one is waited for: each moment it takes more."""
    dog = Watchdog(10, lambda: 10 * (tmp_path / "note").exists())
    launcher = launcher_of(ffx(tmp_path, "deaf", "note note", "stall"), dog=dog, grace_s=60)
    async with asyncio.timeout(30):
        ended = await launcher.run((), folder=tmp_path, leash=Leash(), limits=Limits(wall_seconds=60))
    assert (ended.reason, ended.code) == (Reason.MEMORY, -9)
    assert _told(ended) == ("encoder_oom", True)


def _told(ended: Exit) -> tuple[str, bool]:
    failure = classify(ended)
    return failure.code, failure.retryable
