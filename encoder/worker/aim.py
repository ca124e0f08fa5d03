"""Between plan and encode: finds the CRF of outputs that shall reach a quality, by trying samples."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

from encoder import errors
from encoder.ffmpeg import codecs, command, launcher, target
from encoder.ffmpeg.formats import input_options
from encoder.ffmpeg.launcher import Launcher, Reason
from encoder.log import get_logger
from encoder.model.base import replace
from encoder.model.ids import OutputId
from encoder.model.media import Media
from encoder.model.plan import Note, OutputPlan, Pass, Plan
from encoder.store.rows import Live
from encoder.worker import progress
from encoder.worker.context import Fetched, Run
from encoder.worker.encode import limits_for
from encoder.worker.measure import Measure

log = get_logger(__name__)

_FIRST_TRIAL = 10_000  # numbers that no output of a job has: trials lie in the same folder


class Aim:
    """Settles the CRF of each output with a target. `by_descriptor`: this ffmpeg has the `fd` protocol."""

    def __init__(self, ffmpeg: Launcher, measure: Measure, *, by_descriptor: bool, threads: int | None) -> None:
        self._ffmpeg = ffmpeg
        self._measure = measure
        self._by_descriptor = by_descriptor
        self._threads = threads

    async def __call__(self, run: Run, source: Fetched, media: Media, plan: Plan) -> Plan:
        """`plan` with every CRF settled; where trials fail it stays the encoder's own, which is told.

        Raises:
            errors.Resource: the machine lacks something.
        """
        settled: list[OutputPlan] = []
        for output in plan.outputs:
            streams = [await self._settled(run, source, media, stream) for stream in output.streams]
            settled.append(_together(output, streams) if output.renditions else streams[0])
        return replace(plan, outputs=tuple(settled))

    async def _settled(self, run: Run, source: Fetched, media: Media, output: OutputPlan) -> OutputPlan:
        if output.video is None or output.video.target_quality is None:
            return output
        live = Live(stage="sampling", progress=progress.overall("sampling", 0.0))
        run.held.tell(OutputId(output.output), live)
        encoder = codecs.VIDEO_ENCODERS[output.video.encoder]
        found: dict[float, list[float]] = {crf: [] for crf in target.crfs(encoder)}
        try:
            for sample in target.samples(output, media):
                for crf, score in (await self._tried(run, source, media, sample, tuple(found))).items():
                    found[crf].append(score)
        except (*errors.OF_THE_JOB, OSError, ValueError) as error:
            log.warning("output.not_sampled", job=run.job.id, output=output.output, reason=str(error))
            told = f"No sample could be measured; made at {encoder.name}'s own CRF {encoder.default_crf}."
            return replace(output, warnings=(*output.warnings, Note(code="target_not_tried", message=told)))
        return target.settled(output, found)

    async def _tried(
        self, run: Run, source: Fetched, media: Media, sample: OutputPlan, crfs: tuple[float, ...]
    ) -> dict[float, float]:
        """The VMAF of one sample at each CRF: all made in one decode, each measured by itself."""
        trials = {crf: target.tried(sample, crf, _FIRST_TRIAL + place) for place, crf in enumerate(crfs)}
        plans = tuple(trials.values())
        files = {trial.output: run.folder / trial.file_name for trial in plans}
        one_pass = Pass(outputs=tuple(files))
        try:
            ended = await self._ffmpeg.run(
                command.build(
                    Plan(outputs=plans, passes=(one_pass,)),
                    one_pass,
                    files=files,
                    threads=self._threads,
                    source_args=input_options(None if self._by_descriptor else source.path),
                ),
                folder=run.folder,
                leash=run.held.leash,
                limits=limits_for(plans, source.size_bytes),
                source=source.path,
            )
            if ended.reason is not Reason.OK:
                raise launcher.classify(ended)
            return {
                crf: (await self._measure.scores(run, source, media, trial, files[trial.output])).vmaf or 0.0
                for crf, trial in trials.items()
            }
        finally:
            for path in files.values():
                path.unlink(missing_ok=True)


def _together(package: OutputPlan, renditions: Sequence[OutputPlan]) -> OutputPlan:
    """A package whose renditions were settled, and what there is to say of them."""
    return replace(
        package,
        renditions=tuple(renditions),
        video=renditions[0].video,
        reasons=(*package.reasons, *chain.from_iterable(each.reasons for each in renditions)),
        warnings=(*package.warnings, *chain.from_iterable(each.warnings for each in renditions)),
    )
