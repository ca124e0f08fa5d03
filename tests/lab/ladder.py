"""Real media made a package, as the worker's stages do it, and what of it a test wants to see."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av

from encoder.ffmpeg import command, containers, decoding, proof, rules
from encoder.ffmpeg.launcher import Launcher, Leash
from encoder.ffmpeg.plan import decide
from encoder.ffmpeg.probe import inspect, reopen
from encoder.model.job import OutputSpec
from encoder.model.plan import OutputPlan
from encoder.model.proof import Check, Proof
from encoder.worker import renditions
from tests.lab.encoding import LIMITS
from tests.lab.facts import ABLE
from tests.lab.media import ffmpeg_binary


@dataclass(frozen=True, kw_only=True)
class Ladder:
    """One package. `wholes`: its renditions, each joined."""

    plan: OutputPlan
    folder: Path
    wholes: dict[str, Path]
    proof: Proof
    manifests: tuple[str, ...]

    @property
    def code(self) -> str | None:
        failure = proof.verdict(self.proof)
        return None if failure is None else failure.code

    def keys(self, name: str) -> list[Fraction]:
        """When each keyframe of a rendition is shown, exactly."""
        with av.open(str(self.wholes[name])) as container:
            (stream,) = container.streams.video
            return [
                packet.pts * packet.time_base
                for packet in container.demux(stream)
                if packet.is_keyframe and packet.pts is not None and packet.time_base is not None
            ]

    @property
    def rungs(self) -> list[str]:
        return [each.name for each in self.plan.renditions if each.video]


async def ladder(
    path: Path, folder: Path, output: OutputSpec, *, damage: Callable[[Path], object] = lambda _folder: None
) -> Ladder:
    """The package of a source, encoded and judged; `damage` is done to it in between."""
    assert rules.check(output) == []
    launcher = Launcher(binary=Path(ffmpeg_binary()))
    media = await inspect(launcher, path, folder=folder, leash=Leash())
    plan = decide(media, {0: output}, ABLE)
    assert not plan.refused, plan.refused
    (made,) = plan.outputs
    out = folder / made.file_name
    for each in made.renditions:
        (out / each.name).mkdir(parents=True)
    args = command.build(plan, plan.passes[0], files={0: out}, threads=2)
    ended = await launcher.run(args, folder=folder, leash=Leash(), limits=LIMITS, source=path)
    assert ended.code == 0, ended.log
    damage(out)
    wholes = {each.name: folder / f"{each.name}.whole" for each in made.renditions}
    checks: list[Check] = []
    for each in made.renditions:
        whole = wholes[each.name]
        renditions.join(out / each.name, whole)
        muxer = containers.CONTAINERS[each.container].muxer
        opened = await reopen(launcher, whole, muxer=muxer, folder=folder, leash=Leash())
        decoded = await launcher.run(decoding.whole(), folder=folder, leash=Leash(), limits=LIMITS, source=whole)
        judged = proof.judge(each, media=media, path=out, log=ended.log, opened=opened, decoded=decoded)
        checks += judged.checks
    manifests: tuple[str, ...] = ()
    if Proof(checks=tuple(checks)).passed:
        linted, manifests = renditions.finish(made, out)
        checks.append(linted)
    return Ladder(plan=made, folder=out, wholes=wholes, proof=Proof(checks=tuple(checks)), manifests=manifests)
