"""Stage 5, its last part: how near a proven output is to its source, if that was asked. It warns and never refuses."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from encoder.ffmpeg import quality
from encoder.ffmpeg.formats import input_options
from encoder.ffmpeg.launcher import Launcher, Limits, Progress, Reason
from encoder.log import get_logger
from encoder.model.media import Media
from encoder.model.plan import Note, OutputPlan
from encoder.model.proof import Check, Proof
from encoder.store.rows import Live
from encoder.worker import progress
from encoder.worker.context import Fetched, Proven, Run

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
    """Adds check 15 to a proof. `by_descriptor`: this ffmpeg has the `fd` protocol."""

    def __init__(
        self, ffmpeg: Launcher, *, by_descriptor: bool, threads: int | None, clock: Callable[[], float]
    ) -> None:
        self._ffmpeg = ffmpeg
        self._by_descriptor = by_descriptor
        self._threads = threads
        self._clock = clock

    async def __call__(self, run: Run, source: Fetched, media: Media, proven: Proven) -> Proven:
        """`proven` with what was measured; as it is where nothing was asked."""
        made = proven.made
        video = made.plan.video
        if not made.plan.measure or video is None:
            return proven
        begun = self._clock()

        def told(now: Progress) -> None:
            share = now.frame / video.frames if now.frame and video.frames else None
            run.held.tell(made.output, Live(stage="comparing", progress=progress.overall("comparing", share)))

        told(Progress(frame=0))
        try:
            scores = await self.scores(run, source, media, made.plan, made.path, told=told)
        except (OSError, ValueError) as error:
            log.warning("output.not_measured", job=run.job.id, output=made.output, reason=str(error))
            note = Note(
                code="quality_not_measured", message="The output is proven; how near it is to its source is not known."
            )
            return replace(proven, made=replace(made, notes=(*made.notes, note)))
        return _told(
            proven,
            quality.check(scores, target=video.target_quality, predicted=video.predicted_quality),
            seconds=proven.seconds + self._clock() - begun,
        )

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


def _told(proven: Proven, check: Check, *, seconds: float) -> Proven:
    return replace(proven, proof=Proof(checks=(*proven.proof.checks, check)), seconds=seconds)
