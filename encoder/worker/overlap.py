"""Begins to encode a source while the rest of it is still arriving, where that pays.

What has arrived is planned as if it were the beginning of a huge file, and its picture is made in chunks, one after the
other, as their bytes come. When all is there the source is surveyed whole, and the chunks are kept that its own plan
would have made in the very same way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from dataclasses import replace as changed
from fractions import Fraction
from pathlib import Path

from encoder import errors
from encoder.ffmpeg import chunks, command
from encoder.ffmpeg.abilities import Abilities
from encoder.ffmpeg.launcher import Launcher
from encoder.log import get_logger
from encoder.model.base import replace
from encoder.model.chunk import Chunk, ChunkMade
from encoder.model.job import OutputSpec
from encoder.model.media import Media
from encoder.model.plan import Note, Pass, Plan
from encoder.sources.protocol import Source
from encoder.worker.ahead import FIRST_BYTES, FIRST_SHARE, Attempt, HandedOut, is_able, parted, shown
from encoder.worker.arrival import Arrival
from encoder.worker.context import Ahead, Fetched, Made, Run
from encoder.worker.encode_chunk import EncodeChunk
from encoder.worker.fetch import Fetch
from encoder.worker.join import Join

log = get_logger(__name__)

LEAST_SPARED_S = 5.0  # less is not worth a seam


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlap:
    """Lets the encode begin before the fetch ends. `least_s`: what must be spared by it."""

    fetch: Fetch
    encode: EncodeChunk
    join: Join
    ffmpeg: Launcher
    abilities: Abilities
    threads: int
    clock: Callable[[], float]
    least_s: float = LEAST_SPARED_S

    async def __call__(
        self,
        run: Run,
        source: Source,
        arrival: Arrival,
        specs: Mapping[int, OutputSpec],
        *,
        kind: str,
        not_if: HandedOut | None = None,
    ) -> Ahead:
        """Until the source has arrived, or no chunk is left that can be made before. What fails here fails nobody.

        `kind`: of the source, as metrics call it.

        Raises:
            errors.LeaseLost: somebody else has the task.
        """
        wanted = {number: spec for number, spec in specs.items() if spec.chunked is not False}
        if not wanted or not await arrival.until([(0, 1)]) or not arrival.size_bytes or arrival.validator is None:
            return Ahead()
        if not await arrival.until([(0, min(FIRST_BYTES, int(arrival.size_bytes * FIRST_SHARE)))]):
            return Ahead()
        if (arrival.rest_seconds or 0.0) < self.least_s:
            return Ahead()
        attempt = Attempt(
            fetch=self.fetch,
            encode=self.encode,
            ffmpeg=self.ffmpeg,
            abilities=self.abilities,
            threads=self.threads,
            clock=self.clock,
            least_s=self.least_s,
            run=run,
            source=source,
            arrival=arrival,
            kind=kind,
            not_if=not_if,
        )
        try:
            return await attempt.made(wanted)
        except errors.LeaseLost:
            raise
        except errors.Failure as failure:
            log.info("overlap.failed", code=failure.code)
            return Ahead(why=f"of what was there: {failure.message}")

    def kept(self, ahead: Ahead, plan: Plan, media: Media) -> tuple[Plan, Ahead]:
        """What of it the plan of the whole source would make just so; and that plan, with what is to be told. Pure."""
        kept: list[ChunkMade] = []
        for made in ahead.made:
            if ahead.plan is None or ahead.media is None or not _makes(plan, media, made.chunk):
                break
            if _run_of(ahead.plan, ahead.media, made.chunk) != _run_of(plan, media, made.chunk):
                break
            kept.append(made)
        if kept:
            seconds = float(Fraction(kept[-1].chunk.end_seconds or 0))
            told = f"{seconds:.0f} s of its picture were encoded while its source was still arriving."
            return _told(plan, kept[0].chunk.outputs, Note(code="overlapped", message=told)), changed(
                ahead, made=tuple(kept)
            )
        why = "all of it is planned otherwise than its beginning was" if ahead.made else ahead.why
        if why:
            note = Note(code="not_overlapped", message=f"It was encoded when all of its source was there: {why}.")
            plan = _told(plan, tuple(each.output for each in plan.outputs if is_able(each, media)), note)
        return plan, changed(ahead, made=())

    async def finish(
        self, run: Run, fetched: Fetched, media: Media, plan: Plan, one_pass: Pass, ahead: Ahead
    ) -> list[Made]:
        """The rest of the picture as one chunk, and all of them joined; outputs of `one_pass` that have no chunks are
        left out. Raises as `Join`.
        """
        last = ahead.made[-1].chunk
        mine = next(parted([one_pass], last.outputs))
        rest = Chunk(outputs=last.outputs, place=last.place + 1, start_seconds=last.end_seconds or "0")
        try:
            made = [
                *ahead.made,
                (await self.encode(run, fetched, media, plan, rest, shown=shown(plan, rest)))[0],
            ]
        except errors.OF_THE_JOB as failure:
            log.warning("overlap.rest_failed", code=failure.code)
            made = [*ahead.made]  # what is not all of it is not joined
        joined = await self.join(run, fetched, media, plan, mine, made, run.folder)
        first = ahead.first_frame_at
        return [each if each.parts is None else changed(each, first_frame_at=first) for each in joined]


def _makes(plan: Plan, media: Media, chunk: Chunk) -> bool:
    """Whether a plan makes the outputs of a chunk in chunks that can be joined with it."""
    outputs = {each.output: each for each in plan.outputs}
    one_pass = any({*chunk.outputs} <= {*one_pass.outputs} for one_pass in plan.passes)
    return one_pass and all(number in outputs and is_able(outputs[number], media) for number in chunk.outputs)


def _run_of(plan: Plan, media: Media, chunk: Chunk) -> tuple[list[str] | None, list[str]]:
    """How ffmpeg makes a chunk."""
    pieces, one_pass = chunks.part(plan, media, chunk)
    files = {number: Path(str(number)) for number in one_pass.outputs}
    return command.first(pieces, one_pass), command.build(pieces, one_pass, files=files)


def _told(plan: Plan, numbers: tuple[int, ...], note: Note) -> Plan:
    outputs = (
        replace(each, reasons=(*each.reasons, note)) if each.output in numbers else each for each in plan.outputs
    )
    return replace(plan, outputs=tuple(outputs))
