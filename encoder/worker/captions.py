"""Between plan and encode: the text of subtitles, lifted out of the source and cut to each output."""

from __future__ import annotations

from encoder import errors
from encoder.ffmpeg import lift
from encoder.ffmpeg.launcher import Launcher
from encoder.ffmpeg.lift import Lift
from encoder.model.base import replace
from encoder.model.ids import OutputId
from encoder.model.plan import OutputPlan, Plan
from encoder.store.rows import Live
from encoder.worker import progress
from encoder.worker.context import Fetched, Run, write_off


class Captions:
    """Settles the subtitles of each output. `by_descriptor`: this ffmpeg has the `fd` protocol."""

    def __init__(self, ffmpeg: Launcher, *, by_descriptor: bool) -> None:
        self._ffmpeg = ffmpeg
        self._by_descriptor = by_descriptor

    async def __call__(self, run: Run, source: Fetched, plan: Plan) -> Plan:
        """`plan` with the files of its subtitles beside it; without outputs that cannot have them, which are failed.

        Raises:
            errors.Resource: the machine lacks something.
        """
        wanting = [output for output in plan.outputs if lift.wants(output)]
        if not wanting:
            return plan
        settled = {output.output: output for output in plan.outputs if output not in wanting}
        settled |= {output.output: output for output in await self._lifted(run, source, wanting)}
        left = ((one, tuple(number for number in one.outputs if number in settled)) for one in plan.passes)
        return replace(
            plan,
            outputs=tuple(settled[output.output] for output in plan.outputs if output.output in settled),
            passes=tuple(replace(one, outputs=numbers) for one, numbers in left if numbers),
        )

    async def _lifted(self, run: Run, source: Fetched, wanting: list[OutputPlan]) -> list[OutputPlan]:
        for each in wanting:
            run.held.tell(OutputId(each.output), Live(stage="lifting", progress=progress.overall("lifting", 0.0)))
        lifting = Lift(ffmpeg=self._ffmpeg, folder=run.folder, leash=run.held.leash, by_descriptor=self._by_descriptor)
        try:
            settled = await lifting.settle(wanting, source.path)
        except errors.OF_THE_JOB as failure:
            if len(wanting) > 1:  # one of them is to blame
                return [settled for each in wanting for settled in await self._lifted(run, source, [each])]
            await write_off(run, OutputId(wanting[0].output), failure)
            return []
        empty = [each for each in settled if lift.is_empty(each)]
        for each in empty:
            told = "The subtitles say nothing in what the output would show."
            await write_off(run, OutputId(each.output), errors.Permanent("no_subtitle_stream", told))
        return [each for each in settled if each not in empty]
