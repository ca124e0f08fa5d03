"""Stage 5: the proof. A new process re-opens what lies on disk; what fails a check is not delivered."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from encoder import errors
from encoder.ffmpeg import containers, decoding, proof
from encoder.ffmpeg.captions import Captions
from encoder.ffmpeg.eye import Eye
from encoder.ffmpeg.launcher import Exit, Launcher, Limits
from encoder.ffmpeg.lift import Lift
from encoder.ffmpeg.listen import Ear
from encoder.ffmpeg.probe import reopen
from encoder.ffmpeg.watch import Content
from encoder.files.threads import in_thread
from encoder.model.media import Media, Opened
from encoder.model.plan import Loudness, OutputPlan
from encoder.model.proof import Check, Proof
from encoder.model.state import OutputState
from encoder.store.rows import Live, OutputChange
from encoder.worker import images, progress, renditions
from encoder.worker.context import Made, NotJoined, Proven, Run, write_off
from encoder.worker.package import Package, digest, names_below, pack
from encoder.worker.scratch import remove
from encoder.worker.together import together

DECODE_LIMITS = Limits(wall_seconds=6 * 3600.0, cpu_seconds=None, file_bytes=1024)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """What was found of an output. `package`: None where a check failed. `streams`: of each of `OutputPlan.streams`."""

    proof: Proof
    opened: Opened
    streams: tuple[Opened, ...] = ()
    package: Package | None


class Verify:
    """Checks results against their plan. `by_descriptor`: this ffmpeg has the `fd` protocol."""

    def __init__(self, ffmpeg: Launcher, *, by_descriptor: bool, clock: Callable[[], float]) -> None:
        self._ffmpeg = ffmpeg
        self._by_descriptor = by_descriptor
        self._clock = clock

    async def __call__(self, run: Run, media: Media, made: Made) -> Proven | None:
        """The proven output; None when it failed its proof, which is then written down with the failure.

        Raises:
            NotJoined: it failed, and was joined of chunks; nothing is written down.
        """
        begun = self._clock()
        await run.ledger.mark(OutputChange(id=made.output, state=OutputState.VERIFYING, log=made.log))
        _tell(run, made, 0.0)
        try:
            seen = await self._look(made)(run, media, made)
        except errors.Permanent as refusal:  # so broken that it cannot even be measured
            if refusal.check is None:
                raise
            await _refused(run, made, refusal, Proof(checks=(Check.refused(refusal.check),)))
            return None
        failure = proof.verdict(seen.proof)
        if failure is not None:
            await _refused(run, made, failure, seen.proof)
            return None
        if seen.package is None:
            raise errors.Defect("a package passed its proof and is none")
        return Proven(
            made=made,
            proof=seen.proof,
            package=seen.package,
            seconds=self._clock() - begun,
            opened=seen.opened,
            streams=seen.streams,
        )

    def _look(self, made: Made) -> Callable[[Run, Media, Made], Awaitable[_Seen]]:
        if made.plan.images is not None:
            return self._images
        return self._file if made.plan.package is None else self._package

    async def _images(self, run: Run, media: Media, made: Made) -> _Seen:
        plan, path = made.plan, made.path
        manifests = await in_thread(images.finish, plan, path)
        found = await in_thread(images.look, plan, path)
        decoded = await self._decoded_images(run, plan, path) if found.images else None
        report = proof.judge_images(plan, media=media, path=path, log=made.log, images=found, decoded=decoded)
        opened = images.opened(plan, found)
        if not found.images:
            return _Seen(proof=report, opened=opened, package=None)
        if plan.is_folder:
            return _Seen(proof=report, opened=opened, package=await pack(path, manifests=manifests))
        package = Package.of_file(
            path,
            size_bytes=path.stat().st_size,
            sha256=await in_thread(digest, path),
            content_type=plan.content_type,
        )
        return _Seen(proof=report, opened=opened, package=package)

    async def _decoded_images(self, run: Run, plan: OutputPlan, path: Path) -> Exit:
        return await self._ffmpeg.run(
            decoding.images(plan, path, by_descriptor=self._by_descriptor),
            folder=run.folder,
            leash=run.held.leash,
            limits=DECODE_LIMITS,
            source=None if plan.is_folder else path,
        )

    async def _file(self, run: Run, media: Media, made: Made) -> _Seen:
        if not made.path.exists():
            raise errors.Permanent("output_invalid", "The encoder wrote no file.", check="container.sizeBytes")
        async with together() as group:
            judging = group.create_task(self._judged(run, media, made, made.plan, made.path))
            digesting = group.create_task(asyncio.to_thread(digest, made.path))  # it has a descriptor of its own
        report, opened = judging.result()
        package = Package.of_file(
            made.path,
            size_bytes=opened.media.size_bytes,
            sha256=digesting.result(),
            content_type=made.plan.content_type,
        )
        return _Seen(proof=report, opened=opened, streams=(opened,), package=package)

    async def _package(self, run: Run, media: Media, made: Made) -> _Seen:
        """Each rendition as the one file that its segments make; then all of them together."""
        await in_thread(names_below, made.path)  # before anything else opens what lies there
        checks: list[Check] = []
        seen: list[Opened] = []
        for done, plan in enumerate(made.plan.renditions):
            report, opened = await self._rendition(run, media, made, plan)
            checks += report.checks
            seen.append(opened)
            _tell(run, made, (done + 1) / len(made.plan.renditions))
        opened = renditions.best(made.plan, seen)
        if not Proof(checks=tuple(checks)).passed:
            return _Seen(proof=Proof(checks=tuple(checks)), opened=opened, package=None)
        linted, manifests = await in_thread(renditions.finish, made.plan, made.path)
        report = Proof(checks=(*checks, linted))
        package = await pack(made.path, manifests=manifests) if report.passed else None
        return _Seen(proof=report, opened=opened, streams=tuple(seen), package=package)

    async def _rendition(self, run: Run, media: Media, made: Made, plan: OutputPlan) -> tuple[Proof, Opened]:
        if plan.subtitles:
            return await self._judged(run, media, made, plan, renditions.text(made.path / plan.name))
        whole = run.folder / f"{made.path.name}.{plan.extension}"
        try:
            await in_thread(renditions.join, made.path / plan.name, whole)
            return await self._judged(run, media, made, plan, whole)
        finally:
            remove(whole)

    async def _judged(self, run: Run, media: Media, made: Made, plan: OutputPlan, path: Path) -> tuple[Proof, Opened]:
        """What the checks say of the file `path`, in which `plan` should have been carried out."""
        async with together() as group:
            muxer = containers.CONTAINERS[plan.container].muxer
            seams = () if made.parts is None else made.parts.seams.get(plan.name, ())
            reopening = group.create_task(
                reopen(self._ffmpeg, path, muxer=muxer, folder=run.folder, leash=run.held.leash, seams=seams)
            )
            decoding = group.create_task(self._decoded(run, plan, path))
            hearing = group.create_task(self._heard(run, plan, path))
            reading = group.create_task(self._read(run, plan, path))
        opened = reopening.result()
        report = proof.judge(
            plan,
            media=media,
            path=made.path,
            log=made.log,
            opened=opened,
            decoded=decoding.result()[0],
            loudness=hearing.result(),
            content=decoding.result()[1],
            captions=reading.result(),
            parts=made.parts,
        )
        return report, opened

    async def _heard(self, run: Run, plan: OutputPlan, path: Path) -> tuple[Loudness | None, ...]:
        """How loud the sound came out, if it was to have a loudness."""
        if plan.audio is None or plan.audio.loudness is None:
            return ()
        ear = Ear(
            ffmpeg=self._ffmpeg,
            path=path,
            folder=run.folder,
            leash=run.held.leash,
            by_descriptor=self._by_descriptor,
        )
        return tuple([await ear.result(place) for place in range(len(plan.sounds))])

    async def _read(self, run: Run, plan: OutputPlan, path: Path) -> tuple[tuple[Captions, Captions], ...]:
        """What its subtitles should say, and what they say."""
        lift = Lift(ffmpeg=self._ffmpeg, folder=run.folder, leash=run.held.leash, by_descriptor=self._by_descriptor)
        return await lift.read(plan, path)

    async def _decoded(self, run: Run, plan: OutputPlan, path: Path) -> tuple[Exit, Content | None]:
        """The whole file decoded, and what its picture shows."""
        eye = Eye(
            ffmpeg=self._ffmpeg,
            source=run.folder / "source",
            folder=run.folder,
            leash=run.held.leash,
            by_descriptor=self._by_descriptor,
        )
        return await eye.decoded(plan, path)


async def _refused(run: Run, made: Made, failure: errors.Permanent, report: Proof) -> None:
    if made.parts is not None:
        raise NotJoined(failure.code, failure.message, check=failure.check) from failure
    await write_off(run, made.output, failure, proof=report)


def _tell(run: Run, made: Made, share: float) -> None:
    run.held.tell(made.output, Live(stage="verifying", progress=progress.overall("verifying", share)))
