"""What a run is predicted to hold in memory is what it holds, within a third: the kernel counts it."""

from __future__ import annotations

import asyncio
import subprocess
from pathlib import Path

import pytest

from encoder.ffmpeg import command, vitals
from encoder.ffmpeg.estimate import need
from encoder.ffmpeg.launcher import Launcher, Leash
from encoder.ffmpeg.plan import decide
from encoder.ffmpeg.probe import survey
from encoder.model.base import Json
from encoder.model.job import OutputSpec
from tests.lab.facts import ABLE, spec
from tests.lab.media import clip, ffmpeg_binary

THREADS = 2
SMALL: dict[str, Json] = {"audioCodec": "none", "height": 360}
OUTPUTS = {
    "h264": (spec(**SMALL),),
    "hevc": (spec("h264", **SMALL | {"videoCodec": "hevc", "encoderPreset": "fast"}),),
    "vp9": (spec("vp9", **SMALL | {"encoderPreset": "5"}),),
    "av1": (spec("av1-fast", **SMALL | {"encoderPreset": "10"}),),
    "h264, slowly": (spec(**SMALL | {"encoderPreset": "veryslow"}),),
    "two of one decode": (spec(audioCodec="none"), spec(**SMALL)),
}


@pytest.mark.parametrize("outputs", OUTPUTS.values(), ids=OUTPUTS)
async def test_a_run_holds_as_much_memory_as_was_predicted(outputs: tuple[OutputSpec, ...], tmp_path: Path) -> None:
    source = clip(seconds=3, size="1280x720", name="memory.mp4")
    found = await survey(Launcher(binary=Path(ffmpeg_binary())), source, folder=tmp_path, leash=Leash())
    plan = decide(found.media, dict(enumerate(outputs)), ABLE)
    (one_pass,) = plan.passes
    files = {number: tmp_path / plan.output(number).file_name for number in one_pass.outputs}
    args = command.build(plan, one_pass, files=files, threads=THREADS, source_args=("-i", str(source)))
    words = [ffmpeg_binary(), "-nostdin", "-nostats", *args, "-v", "error"]
    running = subprocess.Popen(words, stdin=subprocess.DEVNULL)
    peak = 0  # as rusage has it, it would be at least that of whoever started it
    while running.poll() is None:
        peak = max(peak, vitals.read(running.pid).peak_memory_bytes)
        await asyncio.sleep(0.005)
    assert running.returncode == 0
    predicted = need(plan, found.media, threads=THREADS).memory_bytes
    assert predicted / peak == pytest.approx(1, abs=1 / 3)
