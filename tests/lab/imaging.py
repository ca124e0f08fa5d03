"""Images of real media through plan, command, ffmpeg and proof, as the worker's stages make them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from encoder.ffmpeg import command, decoding, proof, rules
from encoder.ffmpeg.exits import Exit
from encoder.ffmpeg.launcher import Launcher, Leash, Limits
from encoder.ffmpeg.plan import decide
from encoder.ffmpeg.probe import survey
from encoder.model.job import OutputSpec
from encoder.model.media import Media
from encoder.model.plan import OutputPlan
from encoder.model.proof import Proof
from encoder.worker import images
from tests.lab.facts import ABLE
from tests.lab.media import ffmpeg_binary

LIMITS = Limits(wall_seconds=100.0)


@dataclass(frozen=True, kw_only=True)
class Imaged:
    """One output of images, made and judged. It can be judged again, after somebody broke it."""

    plan: OutputPlan
    path: Path
    media: Media
    log: str
    proof: Proof

    @property
    def files(self) -> list[Path]:
        """The images, in their order."""
        found = self.path.iterdir() if self.path.is_dir() else [self.path]
        return sorted(path for path in found if path.suffix != ".vtt")

    @property
    def cues(self) -> str:
        return (self.path / "thumbnails.vtt").read_text()

    @property
    def code(self) -> str | None:
        failure = proof.verdict(self.proof)
        return None if failure is None else failure.code

    @property
    def fault(self) -> str | None:
        """What the check `pictures` found."""
        return fault(self.proof)


async def imaged(path: Path, folder: Path, *outputs: OutputSpec) -> list[Imaged]:
    """Every output of a source, in the order of its passes."""
    for output in outputs:
        assert rules.check(output) == []
    launcher = Launcher(binary=Path(ffmpeg_binary()))
    surveyed = await survey(launcher, path, folder=folder, leash=Leash(), entries=True)
    media = surveyed.media
    plan = decide(media, dict(enumerate(outputs)), ABLE, None, surveyed.entries)
    assert not plan.refused, plan.refused
    files = {each.output: folder / each.file_name for each in plan.outputs}
    results: list[Imaged] = []
    for one_pass in plan.passes:
        for number in one_pass.outputs:
            if plan.output(number).is_folder:
                files[number].mkdir(mode=0o700)
        args = command.build(plan, one_pass, files=files, threads=2)
        ended = await launcher.run(args, folder=folder, leash=Leash(), limits=LIMITS, source=path)
        assert ended.code == 0, ended.log
        for number in one_pass.outputs:
            each = plan.output(number)
            if each.images is None:
                continue
            images.finish(each, files[number])
            report = await judged(each, files[number], media, ended.log)
            results.append(Imaged(plan=each, path=files[number], media=media, log=ended.log, proof=report))
    return results


async def image(path: Path, folder: Path, output: OutputSpec) -> Imaged:
    return (await imaged(path, folder, output))[0]


async def judged(plan: OutputPlan, path: Path, media: Media, log: str) -> Proof:
    """What the proof says of what lies at `path` now."""
    found = images.look(plan, path)
    decoded = await _decoded(plan, path) if found.images else None
    return proof.judge_images(plan, media=media, path=path, log=log, images=found, decoded=decoded)


def fault(report: Proof) -> str | None:
    check = next(check for check in report.checks if check.name == "pictures")
    assert isinstance(check.measured, dict)
    told = check.measured["fault"]
    assert told is None or isinstance(told, str)
    return told


async def _decoded(plan: OutputPlan, path: Path) -> Exit:
    launcher = Launcher(binary=Path(ffmpeg_binary()))
    return await launcher.run(
        decoding.images(plan, path),
        folder=path.parent,
        leash=Leash(),
        limits=LIMITS,
        source=None if plan.is_folder else path,
    )
