"""Stage 4: ffmpeg. One run feeds all outputs that can share its decode; if it fails, each is run by itself."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from encoder import errors
from encoder.ffmpeg import closing, command, hardware, launcher, lift, listen, substitute
from encoder.ffmpeg.formats import input_options
from encoder.ffmpeg.launcher import Exit, Launcher, Limits, Progress, Reason
from encoder.ffmpeg.listen import Ear
from encoder.log import get_logger
from encoder.model.base import replace
from encoder.model.ids import OutputId
from encoder.model.plan import Note, OutputPlan, Pass, Plan
from encoder.model.state import OutputState
from encoder.store.rows import OutputChange
from encoder.worker import progress
from encoder.worker.context import Fetched, Made, Run, write_off
from encoder.worker.encoded import Encoded
from encoder.worker.scratch import remove

log = get_logger(__name__)

LEAST_WALL_S = 600.0
MOST_WALL_S = 12 * 3600.0
WALL_PER_MEDIA_SECOND = 20.0
UNKNOWN_DURATION_S = 3600.0
LEAST_FILE_BYTES = 1024**3
MOST_FILE_BYTES = 200 * 1024**3
ESTIMATE_MARGIN = 4
_MOST_LETTERS = 20  # that a caller is shown


def limits_for(plans: Sequence[OutputPlan], source_bytes: int) -> Limits:
    """Walls around one ffmpeg run (docs/why/security.md, "Limits")."""
    durations = [plan.duration_seconds or UNKNOWN_DURATION_S for plan in plans]
    wall_s = min(MOST_WALL_S, max(LEAST_WALL_S, WALL_PER_MEDIA_SECOND * sum(durations)))
    file_bytes = min(MOST_FILE_BYTES, max(LEAST_FILE_BYTES, ESTIMATE_MARGIN * source_bytes))
    encoders = command.encoders(plans)
    return Limits(
        wall_seconds=wall_s,
        cpu_seconds=int(wall_s * (os.cpu_count() or 1)),
        file_bytes=file_bytes,
        devices=hardware.devices(encoders),
        readable=hardware.readable(encoders),
    )


class Encode:
    """Runs the passes of a plan.

    `threads`: per ffmpeg, None for as many as there are cores. `by_descriptor`: this ffmpeg has the `fd` protocol.
    """

    def __init__(
        self, ffmpeg: Launcher, *, by_descriptor: bool, threads: int | None, clock: Callable[[], float]
    ) -> None:
        self._ffmpeg = ffmpeg
        self._clock = clock
        self._by_descriptor = by_descriptor
        self._threads = threads

    async def __call__(self, run: Run, source: Fetched, plan: Plan, one_pass: Pass) -> list[Made]:
        """The outputs of `one_pass` that ffmpeg made; those that it could not are failed or left to another attempt.

        Raises:
            errors.Resource: the machine lacks something; no output is to blame.
        """
        if len(one_pass.outputs) == 1:
            return await self._alone(run, source, plan, one_pass)
        try:
            return await self._run(run, source, plan, one_pass)
        except errors.OF_THE_JOB as failure:
            log.warning("encode.pass_split", job=run.job.id, code=failure.code, outputs=len(one_pass.outputs))
        return await self._singly(run, source, plan, one_pass)

    async def _singly(self, run: Run, source: Fetched, plan: Plan, one_pass: Pass) -> list[Made]:
        """Each output by itself: one bad output ended the run for all, and its siblings were cut short."""
        note = Note(code="encoded_alone", message="The pass shared with other outputs failed; encoded by itself.")
        made: list[Made] = []
        for output in one_pass.outputs:
            made += await self._alone(run, source, plan, replace(one_pass, outputs=(output,)), (note,))
        return made

    async def _alone(
        self, run: Run, source: Fetched, plan: Plan, one_pass: Pass, notes: tuple[Note, ...] = ()
    ) -> list[Made]:
        """One output; in software, where hardware failed."""
        output = plan.output(one_pass.outputs[0])
        try:
            return await self._run(run, source, plan, one_pass, notes)
        except errors.OF_THE_JOB as failure:
            if not substitute.is_in_hardware(output):
                await write_off(run, OutputId(output.output), failure)
                return []
            log.warning("encode.hardware_failed", job=run.job.id, code=failure.code, output=output.output)
            stand_in = substitute.in_software(output, failure)
        others = tuple(each for each in plan.outputs if each.output != output.output)
        return await self._alone(run, source, replace(plan, outputs=(*others, stand_in)), one_pass, notes)

    async def joined(self, run: Run, source: Fetched, plan: Plan, one_pass: Pass) -> list[Made]:
        """The outputs of a pass whose pictures are there: nothing but their sound is made, and they are joined.

        Raises:
            errors.Failure: none of them was.
        """
        return await self._run(run, source, plan, one_pass)

    async def whole(self, run: Run, source: Fetched, plan: Plan, output: int, why: str) -> list[Made]:
        """An output whose chunks cannot be joined, or whose joined picture failed its proof, made in one piece."""
        log.warning("encode.not_joined", job=run.job.id, output=output, reason=why)
        note = Note(code="encoded_whole", message=f"Its chunks could not be used; it was encoded in one piece. {why}")
        return await self._alone(run, source, plan, Pass(outputs=(output,)), (note,))

    async def _run(
        self, run: Run, source: Fetched, plan: Plan, one_pass: Pass, notes: tuple[Note, ...] = ()
    ) -> list[Made]:
        opened = input_options(None if self._by_descriptor else source.path)
        asked = [plan.output(number) for number in one_pass.outputs]
        lifted = lift.run(asked, source_args=opened)
        listened = [args for each in asked for args in listen.runs(each, source_args=opened)]
        if listened:
            plan = await self._settled(run, source, plan, one_pass)
        plans = [plan.output(number) for number in one_pass.outputs]
        files = {each.output: run.folder / each.file_name for each in plans}
        first = command.first(plan, one_pass, threads=self._threads, source_args=opened)
        argv = command.build(plan, one_pass, files=files, threads=self._threads, source_args=opened)
        runs = [argv] if first is None else [first, argv]
        shown = _shown([*([] if lifted is None else [lifted]), *listened, *runs], run.folder)
        await run.ledger.mark(
            *(
                OutputChange(id=OutputId(each.output), state=OutputState.ENCODING, plan=each, command=shown)
                for each in plans
            )
        )
        run.encoded.extend(OutputId(each.output) for each in plans)
        for each in plans:
            _prepare(files[each.output], each)
        begun = self._clock()
        counted, exits = Encoded(_made_here(plans, one_pass), clock=self._clock), list[Exit]()
        for place, each_run in enumerate(runs):
            stage = "joining" if one_pass.joints else "encoding"
            told = self._teller(run, plans, begun, stage=stage, run_place=place, runs=len(runs), counted=counted)
            exits.append(await self._watched(run, source, plans, each_run, told))
            if place + 1 < len(runs):
                rename(run.folder, command.pass_logs(plan, one_pass))
        counted.ended(exits)
        return [
            Made(
                plan=each,
                path=files[each.output],
                command=shown,
                log=exits[-1].log,
                seconds=self._clock() - begun,
                cpu_seconds=sum(each_exit.cpu_seconds for each_exit in exits) / len(plans),
                first_frame_at=counted.first_frame_at,
                notes=(*notes, *unwritten(run.folder, each, closing.letters_without_font(exits[-1].log))),
            )
            for each in plans
        ]

    async def _settled(self, run: Run, source: Fetched, plan: Plan, one_pass: Pass) -> Plan:
        """The plan with the loudness of this pass's sound measured, and its gains decided."""
        ear = Ear(
            ffmpeg=self._ffmpeg,
            path=source.path,
            folder=run.folder,
            leash=run.held.leash,
            by_descriptor=self._by_descriptor,
        )

        stage = "joining" if one_pass.joints else "measuring"

        def told(now: Progress) -> None:
            for number in one_pass.outputs:
                run.held.tell(OutputId(number), progress.measure(now, stage=stage))

        settled = {number: await ear.settle(plan.output(number), told) for number in one_pass.outputs}
        return replace(plan, outputs=tuple(settled.get(each.output, each) for each in plan.outputs))

    def _teller(
        self,
        run: Run,
        plans: list[OutputPlan],
        begun: float,
        *,
        stage: str,
        run_place: int,
        runs: int,
        counted: Encoded,
    ) -> Callable[[Progress], None]:
        def told(now: Progress) -> None:
            # one decode: all are as far as the first
            live = progress.encode(plans[0], now, self._clock() - begun, stage=stage, run=run_place, runs=runs)
            for each in plans:
                run.held.tell(OutputId(each.output), live)
            if run_place + 1 == runs:
                counted.goes_on(now)

        return told

    async def _watched(
        self, run: Run, source: Fetched, plans: list[OutputPlan], argv: list[str], told: Callable[[Progress], None]
    ) -> Exit:
        ended = await self._ffmpeg.run(
            argv,
            folder=run.folder,
            leash=run.held.leash,
            limits=limits_for(plans, source.size_bytes),
            source=source.path,
            on_progress=told,
            on_birth=partial(run.held.hear, tuple(OutputId(each.output) for each in plans)),
        )
        if ended.reason is not Reason.OK:
            await self._keep_log(run, plans, ended)
            raise launcher.classify(ended)
        return ended

    async def _keep_log(self, run: Run, plans: list[OutputPlan], ended: Exit) -> None:
        await run.ledger.mark(*(OutputChange(id=OutputId(each.output), log=ended.log) for each in plans))


def _made_here(plans: Iterable[OutputPlan], one_pass: Pass) -> Iterator[OutputPlan]:
    """The streams of a pass, without pictures that are there."""
    there = {(joint.output, joint.name) for joint in one_pass.joints}
    for stream in (stream for plan in plans for stream in plan.streams):
        yield replace(stream, video=None) if (stream.output, stream.name) in there else stream


def unwritten(folder: Path, plan: OutputPlan, letters: str) -> Iterator[Note]:
    """What a caller must know of text that was burnt in; `letters`: those without a font, of all outputs of a run."""
    burnt = {stream.video.burnt.file for stream in plan.streams if stream.video and stream.video.burnt}
    text = "".join((folder / file).read_text("utf-8") for file in burnt if file is not None)
    missing = "".join(letter for letter in letters if letter in text)
    if missing:
        told = f"This worker has no font for {missing[:_MOST_LETTERS]}: there is a box in the place of each."
        yield Note(code="letters_missing", message=told)


def _prepare(path: Path, plan: OutputPlan) -> None:
    """Remove what a failed shared pass left; ffmpeg makes no folders."""
    remove(path)
    if plan.is_folder:
        path.mkdir(mode=0o700)
    for rendition in plan.renditions:
        (path / rendition.name).mkdir(mode=0o700, parents=True)


def _shown(runs: Iterable[Sequence[str]], folder: Path) -> tuple[str, ...]:
    """All runs as one command: the second begins where the first ended well."""
    words: list[str] = []
    for argv in runs:
        words += [*(["&&"] if words else []), *command.shown(argv, folder)]
    return tuple(words)


def rename(folder: Path, names: Mapping[str, str]) -> None:
    """Call files of `folder` otherwise, as far as they are there."""
    for old, new in names.items():
        if (folder / old).exists():
            (folder / old).rename(folder / new)
