"""A ladder of four rungs from one decode, against four runs of ffmpeg and against the best command by hand."""

from __future__ import annotations

import asyncio
import resource
import tempfile
import time
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

from encoder.ffmpeg import command
from encoder.ffmpeg.launcher import Launcher, Leash
from encoder.ffmpeg.plan import decide
from encoder.ffmpeg.probe import inspect
from encoder.model.base import Json
from encoder.model.job import OutputSpec
from encoder.model.media import Media
from tests.bench.measure import median, row
from tests.lab.facts import ABLE, spec
from tests.lab.media import bench_clip, ffmpeg_binary

ROUNDS = 3
SPEED = "veryfast"
LADDER = ((1080, 5_000_000), (720, 3_000_000), (480, 1_500_000), (360, 800_000))


async def run(rounds: str = str(ROUNDS)) -> None:
    """`rounds`: how often each is done; the ratios are medians over neighbours, for machines drift."""
    clip = bench_clip()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        media = await inspect(Launcher(binary=Path(ffmpeg_binary())), clip, folder=folder, leash=Leash())
        ladder = [_ours(media, _output(*LADDER), folder / "ladder")]
        apart = [_ours(media, _output(rung), folder / f"{rung[0]}") for rung in LADDER]
        by_hand = [_by_hand(media, folder / "hand")]
        spent = [
            (await _spent(ladder, clip), await _spent(apart, clip), await _spent(by_hand, clip))
            for _ in range(int(rounds))
        ]
    for at, what in enumerate(("one decode", "four runs", "the best command by hand")):
        cpu, wall = (median([each[at][of] for each in spent]) for of in (0, 1))
        row(f"{len(LADDER)} rungs, {media.duration_seconds or 0:.0f} s: {what}", f"{cpu:.2f} CPU s", f"{wall:.2f} s")
    for at, what, aim in ((1, "four runs", 0.75), (2, "the command by hand", 1.03)):
        cpu, wall = (median([each[0][of] / each[at][of] for each in spent]) for of in (0, 1))
        row(f"one decode over {what}", f"{cpu:.3f} of CPU", f"{wall:.3f} of time; aim at most {aim}")


def _ours(media: Media, output: OutputSpec, folder: Path) -> list[str]:
    """The arguments of our one run for an output, which goes into `folder`."""
    plan = decide(media, {0: output}, ABLE)
    for each in plan.outputs[0].renditions:
        (folder / each.name).mkdir(parents=True)
    return command.build(plan, plan.passes[0], files={0: folder})


def _output(*rungs: tuple[int, int]) -> OutputSpec:
    asked: Json = [{"resolution": f"{lines}p", "videoBitrate": rate} for lines, rate in rungs]
    sound = "aac" if rungs[0] == LADDER[0] else "none"  # once, as in the ladder
    return spec("hls", encoderPreset=SPEED, renditions=asked, audioCodec=sound)


def _by_hand(media: Media, folder: Path) -> list[str]:
    """One decode, one split, one muxer, the top rung not scaled at all."""
    folder.mkdir()
    (picture,) = media.video[:1]
    frames = 2 * round(Fraction(picture.median_rate or 30))
    smaller = "".join(f"[s{at}]scale=-2:{lines}[v{at}];" for at, (lines, _) in enumerate(LADDER) if at)
    graph = f"[0:v]split={len(LADDER)}[v0]{''.join(f'[s{at}]' for at in range(1, len(LADDER)))};{smaller}".rstrip(";")
    args = ["-i", "fd:", "-filter_complex", graph]
    for at, (_, rate) in enumerate(LADDER):
        args += ["-map", f"[v{at}]", f"-b:v:{at}", str(rate), f"-maxrate:v:{at}", str(rate * 3 // 2)]
        args += [f"-bufsize:v:{at}", str(rate * 2)]
    args += ["-c:v", "libx264", "-preset", SPEED, "-g", str(frames), "-keyint_min", str(frames), "-sc_threshold", "0"]
    args += ["-map", "0:a:0", "-c:a", "aac", "-b:a", "128k", "-ac", "2"]
    streams = " ".join(f"v:{at},agroup:a" for at in range(len(LADDER)))
    args += ["-f", "hls", "-hls_time", "6", "-hls_playlist_type", "vod", "-hls_segment_type", "fmp4"]
    return [*args, "-var_stream_map", f"a:0,agroup:a {streams}", str(folder / "%v" / "index.m3u8")]


async def _spent(runs: Sequence[Sequence[str]], source: Path) -> tuple[float, float]:
    """CPU seconds, which other work on the machine changes little, and seconds."""
    begun, before = time.monotonic(), _children_s()
    for args in runs:
        process = await asyncio.create_subprocess_exec(
            "bash", "-c", 'exec "$@" 3<"$0"', str(source), ffmpeg_binary(), "-y", "-nostats", "-v", "error",
            *(["-fd", "3"] if "-fd" not in args else []), *args,
            stdin=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        assert await process.wait() == 0, args
    return _children_s() - before, time.monotonic() - begun


def _children_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
