"""Stage 5, its last part: how near a proven output is to its source, if that was asked. It warns and never refuses."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from encoder.ffmpeg import quality
from encoder.ffmpeg.formats import input_options
from encoder.ffmpeg.launcher import Launcher, Limits, Progress, Reason
from encoder.files.threads import in_thread
from encoder.log import get_logger
from encoder.model.media import Media
from encoder.model.plan import Note, OutputPlan
from encoder.model.proof import Check, Proof
from encoder.store.rows import Live
from encoder.worker import progress, renditions
from encoder.worker.context import Fetched, Made, Proven, Run
from encoder.worker.scratch import remove

log = get_logger(__name__)

LEAST_WALL_S = 600.0
WALL_PER_MEDIA_SECOND = 20.0
UNKNOWN_DURATION_S = 3600.0
STATS_BYTES = 1024**3
LEAST_MEMORY_BYTES = 1024**3
MEMORY_PER_PIXEL_BYTES = 400  # twice what two threads were seen to take


def limits_for(compared: OutputPlan) -> Limits:
    """Walls of its own around a comparison: inside an encode its queue would grow until memory ends."""
    seconds = compared.duration_seconds or UNKNOWN_DURATION_S
    video = compared.video
    pixels = video.width_px * video.height_px if video else 0
    return Limits(
        wall_seconds=max(LEAST_WALL_S, WALL_PER_MEDIA_SECOND * seconds),
        file_bytes=STATS_BYTES,
        memory_bytes=LEAST_MEMORY_BYTES + MEMORY_PER_PIXEL_BYTES * pixels,
    )


class Measure:
    """Adds check `quality` to a proof. `by_descriptor`: this ffmpeg has the `fd` protocol."""

    def __init__(
        self, ffmpeg: Launcher, *, by_descriptor: bool, threads: int | None, clock: Callable[[], float]
    ) -> None:
        self._ffmpeg = ffmpeg
        self._by_descriptor = by_descriptor
        self._threads = threads
        self._clock = clock

    async def __call__(self, run: Run, source: Fetched, media: Media, proven: Proven) -> Proven:
        """`proven` with what was measured, of a package of each picture; as it is where nothing was asked."""
        made, began = proven.made, self._clock()
        asked = [stream for stream in made.plan.streams if stream.measure]
        if not asked:
            return proven
        found: list[Check] = []
        try:
            for place, stream in enumerate(asked):
                told = _teller(run, made, stream, begun=place / len(asked), part=1 / len(asked))
                found.append(_checked(stream, await self._compared(run, source, media, made, stream, told)))
        except (OSError, ValueError) as error:
            log.warning("output.not_measured", job=run.job.id, output=made.output, reason=str(error))
            note = Note(
                code="quality_not_measured", message="The output is proven; how near it is to its source is not known."
            )
            made = replace(made, notes=(*made.notes, note))
        proof = Proof(checks=(*proven.proof.checks, *found))
        return replace(proven, made=made, proof=proof, seconds=proven.seconds + self._clock() - began)

    async def _compared(
        self,
        run: Run,
        source: Fetched,
        media: Media,
        made: Made,
        stream: OutputPlan,
        told: Callable[[Progress], None],
    ) -> quality.Scores:
        if not stream.name:
            return await self.scores(run, source, media, stream, made.path, told=told)
        whole = run.folder / f"{made.path.name}.{stream.extension}"
        try:
            await in_thread(renditions.rejoin, made.plan, stream, made.path, whole)
            return await self.scores(run, source, media, stream, whole, told=told)
        finally:
            remove(whole)

    async def scores(
        self,
        run: Run,
        source: Fetched,
        media: Media,
        plan: OutputPlan,
        path: Path,
        *,
        told: Callable[[Progress], None] | None = None,
    ) -> quality.Scores:
        """Compare the file at `path`, in the run's folder, with what `plan` made it of.

        Raises:
            OSError, ValueError: nothing was measured.
        """
        args = quality.comparison(
            plan,
            media,
            path,
            metrics=plan.measure,
            threads=self._threads,
            source_args=input_options(None if self._by_descriptor else source.path),
        )
        try:
            ended = await self._ffmpeg.run(
                args,
                folder=run.folder,
                leash=run.held.leash,
                limits=limits_for(quality.reference(plan, media)),
                source=source.path,
                on_progress=told,
            )
            if ended.reason is not Reason.OK:
                raise ValueError(f"{ended.reason}, exit {ended.code}: {ended.log[-500:]}")
            return await asyncio.to_thread(quality.read, run.folder, plan, media, plan.measure)
        finally:
            for name in quality.files(plan):
                (run.folder / name).unlink(missing_ok=True)


def _teller(run: Run, made: Made, stream: OutputPlan, *, begun: float, part: float) -> Callable[[Progress], None]:
    """Tells of a comparison that is a `part` of all, of which so much was done when it `begun`."""
    frames = stream.video.frames if stream.video else None

    def told(now: Progress) -> None:
        share = begun + part * min(now.frame / frames, 1.0) if now.frame is not None and frames else None
        run.held.tell(made.output, Live(stage="comparing", progress=progress.overall("comparing", share)))

    told(Progress(frame=0))
    return told


def _checked(stream: OutputPlan, scores: quality.Scores) -> Check:
    video = stream.video
    target, predicted = (video.target_quality, video.predicted_quality) if video else (None, None)
    return quality.check(scores, target=target, predicted=predicted, rendition=stream.name or None)
