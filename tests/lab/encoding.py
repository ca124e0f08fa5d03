"""Real media through plan, command, ffmpeg and proof, as the worker's stages do it; and how a result looks."""

from __future__ import annotations

import math
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from encoder.ffmpeg import command, proof, rules
from encoder.ffmpeg.eye import Eye
from encoder.ffmpeg.launcher import Launcher, Leash, Limits
from encoder.ffmpeg.listen import Ear
from encoder.ffmpeg.plan import decide
from encoder.ffmpeg.probe import inspect, reopen
from encoder.model.base import Json, replace
from encoder.model.job import OutputSpec
from encoder.model.media import Media, Opened
from encoder.model.plan import Loudness, Mark, OutputPlan
from encoder.model.proof import Proof
from tests.lab.facts import ABLE, spec
from tests.lab.media import ffmpeg_binary

LIMITS = Limits(wall_seconds=100.0)


@dataclass(frozen=True, kw_only=True)
class Made:
    """One output that was run, and what the proof says of it."""

    plan: OutputPlan
    path: Path
    media: Media
    opened: Opened
    proof: Proof

    @property
    def code(self) -> str | None:
        failure = proof.verdict(self.proof)
        return None if failure is None else failure.code


async def run(path: Path, folder: Path, *outputs: OutputSpec, mark: Mark | None = None) -> list[Made]:
    """Every output of a source, encoded in its pass and judged. `mark`: the watermark of each, in `folder`."""
    for output in outputs:
        assert rules.check(output) == []
    launcher = Launcher(binary=Path(ffmpeg_binary()))
    media = await inspect(launcher, path, folder=folder, leash=Leash())
    marks = dict.fromkeys(range(len(outputs)), mark) if mark else None
    plan = decide(media, dict(enumerate(outputs)), ABLE, marks)
    assert not plan.refused
    ear = Ear(ffmpeg=launcher, path=path, folder=folder, leash=Leash())
    plan = replace(plan, outputs=tuple([await ear.settle(each) for each in plan.outputs]))
    files = {each.output: folder / f"out-{each.output}.{each.extension}" for each in plan.outputs}
    results: list[Made] = []
    for one_pass in plan.passes:
        first = command.first(plan, one_pass, threads=2)
        if first is not None:
            looked = await launcher.run(first, folder=folder, leash=Leash(), limits=LIMITS, source=path)
            assert looked.code == 0, looked.log
            named = command.pass_logs(plan, one_pass)
            for old in filter(Path.exists, (folder / name for name in named)):
                old.rename(folder / named[old.name])
        args = command.build(plan, one_pass, files=files, threads=2)
        ended = await launcher.run(args, folder=folder, leash=Leash(), limits=LIMITS, source=path)
        assert ended.code == 0, ended.log
        for number in one_pass.outputs:
            each, file = plan.output(number), files[number]
            opened = await reopen(launcher, file, muxer=each.muxer, folder=folder, leash=Leash())
            decoded, content = await Eye(ffmpeg=launcher, source=path, folder=folder, leash=Leash()).decoded(each, file)
            heard: tuple[Loudness | None, ...] = ()
            if each.audio is not None and each.audio.loudness is not None:
                heard = tuple(
                    [
                        await Ear(ffmpeg=launcher, path=file, folder=folder, leash=Leash()).result(place)
                        for place in range(len(each.sounds))
                    ]
                )
            judged = proof.judge(
                each,
                media=media,
                path=file,
                log=ended.log,
                opened=opened,
                decoded=decoded,
                loudness=heard,
                content=content,
            )
            results.append(Made(plan=each, path=file, media=media, opened=opened, proof=judged))
    return results


async def one(path: Path, folder: Path, output: OutputSpec) -> Made:
    return (await run(path, folder, output))[0]


def fast(preset: str | None = "h264", /, **members: Json) -> OutputSpec:
    return spec(preset, **{"encoderPreset": "ultrafast", "height": 240, **members})


def told(*args: str | Path) -> str:
    """What ffmpeg says of `args`, whose result it throws away."""
    done = subprocess.run([ffmpeg_binary(), "-nostdin", *args, "-f", "null", "-"], capture_output=True, check=True)
    return done.stderr.decode()


def number(pattern: str, text: str) -> float:
    """The last number of that pattern."""
    found = re.findall(pattern, text)
    assert found, text
    return math.inf if found[-1] == "inf" else float(found[-1])


def psnr(result: Path, path: Path, graph: str) -> float:
    """`graph` compares [0:v], the result, with [1:v], the source."""
    return number(r"average:(inf|[\d.]+)", told("-i", result, "-i", path, "-filter_complex", graph))


def ssim(result: Path, path: Path, graph: str = "", *, options: tuple[str, ...] = ()) -> float:
    """How alike result and source are, frame by frame, 1 for the same: the source made comparable by `graph`."""
    counted = "settb=1/1000,setpts=N"
    compared = f"[1:v]{graph or 'null'},{counted}[w];[0:v]{counted}[g];[g][w]ssim"
    return number(r"All:([\d.]+)", told("-i", result, *options, "-i", path, "-filter_complex", compared))
