"""Real media through plan, command, ffmpeg and proof, as the worker's stages do it; and how a result looks."""

from __future__ import annotations

import math
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from encoder.ffmpeg import command, cuts, proof, rules
from encoder.ffmpeg.eye import Eye
from encoder.ffmpeg.launcher import Launcher, Leash, Limits
from encoder.ffmpeg.lift import Lift
from encoder.ffmpeg.listen import Ear
from encoder.ffmpeg.plan import decide
from encoder.ffmpeg.probe import reopen, survey
from encoder.model.base import Json, replace
from encoder.model.job import OutputSpec
from encoder.model.media import Media, Opened
from encoder.model.plan import Loudness, Mark, OutputPlan, Script
from encoder.model.proof import Proof
from tests.lab.facts import ABLE, spec
from tests.lab.media import ffmpeg_binary

LIMITS = Limits(wall_seconds=100.0)


@dataclass(frozen=True, kw_only=True)
class Judging:
    """One output that was run."""

    plan: OutputPlan
    path: Path
    source: Path
    media: Media
    log: str


@dataclass(frozen=True, kw_only=True)
class Made(Judging):
    """And what the proof says of it."""

    opened: Opened
    proof: Proof

    @property
    def code(self) -> str | None:
        failure = proof.verdict(self.proof)
        return None if failure is None else failure.code


async def run(
    path: Path,
    folder: Path,
    *outputs: OutputSpec,
    mark: Mark | None = None,
    scripts: Mapping[int, tuple[Script, ...]] | None = None,
) -> list[Made]:
    """Every output of a source, encoded in its pass and judged. `mark`: the watermark of each, in `folder`; `scripts`:
    the files of subtitles of outputs, there too."""
    for output in outputs:
        assert rules.check(output) == []
    launcher = Launcher(binary=Path(ffmpeg_binary()))
    found = await survey(launcher, path, folder=folder, leash=Leash(), ends=cuts.wanted(outputs))
    media = found.media
    marks = dict.fromkeys(range(len(outputs)), mark) if mark else None
    plan = decide(media, dict(enumerate(outputs)), ABLE, marks, scripts=scripts, ends=found.cuts)
    assert not plan.refused, plan.refused
    lift = Lift(ffmpeg=launcher, folder=folder, leash=Leash())
    plan = replace(plan, outputs=tuple(await lift.settle(plan.outputs, path)))
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
            made = Judging(plan=plan.output(number), path=files[number], source=path, media=media, log=ended.log)
            results.append(await judge(made))
    return results


async def judge(made: Judging) -> Made:
    """What the proof says of what lies there now."""
    plan, file, folder = made.plan, made.path, made.path.parent
    launcher = Launcher(binary=Path(ffmpeg_binary()))
    opened = await reopen(launcher, file, muxer=plan.muxer, folder=folder, leash=Leash())
    decoded, content = await Eye(ffmpeg=launcher, source=made.source, folder=folder, leash=Leash()).decoded(plan, file)
    heard: tuple[Loudness | None, ...] = ()
    if plan.audio is not None and plan.audio.loudness is not None:
        ear = Ear(ffmpeg=launcher, path=file, folder=folder, leash=Leash())
        heard = tuple([await ear.result(place) for place in range(len(plan.sounds))])
    judged = proof.judge(
        plan,
        media=made.media,
        path=file,
        log=made.log,
        opened=opened,
        decoded=decoded,
        loudness=heard,
        content=content,
        captions=await Lift(ffmpeg=launcher, folder=folder, leash=Leash()).read(plan, file),
    )
    return Made(plan=plan, path=file, source=made.source, media=made.media, log=made.log, opened=opened, proof=judged)


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
