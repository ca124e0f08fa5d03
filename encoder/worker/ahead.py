"""What of a source's picture is encoded before all of the source is there."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from io import FileIO
from typing import TypeVar

from encoder.ffmpeg import chunks, probe, whole
from encoder.ffmpeg.abilities import Abilities
from encoder.ffmpeg.estimate import estimate, need
from encoder.ffmpeg.launcher import Launcher
from encoder.ffmpeg.plan import decide
from encoder.ffmpeg.probe import Lacking
from encoder.files.threads import in_thread
from encoder.model.base import replace
from encoder.model.chunk import Chunk, ChunkMade
from encoder.model.extent import Extent, Needed
from encoder.model.ids import OutputId
from encoder.model.job import OutputSpec
from encoder.model.media import Media
from encoder.model.plan import OutputPlan, Pass, Plan
from encoder.model.state import OutputState
from encoder.sources.protocol import Source
from encoder.store.rows import Live, OutputChange
from encoder.worker import progress
from encoder.worker.arrival import Arrival
from encoder.worker.context import Ahead, Fetched, Run
from encoder.worker.encode_chunk import EncodeChunk
from encoder.worker.fetch import Fetch
from encoder.worker.needed import Needs

FIRST_BYTES = 16 * 1024**2  # by which a source is planned; of a small one:
FIRST_SHARE = 1 / 8
MORE_BYTES = 4 * 1024**2  # than what is asked for, to be asked again less often
BEFORE_BYTES = 256 * 1024  # what is needed is told in blocks, and nearer ones as one
MOST_TAIL_SHARE = 1 / 4  # a larger index than this share of the source is waited for
MOST_LOOKS = 8
CHUNKS = 12  # the picture parts into so many, as long as each lasts
LEAST_CHUNK_S = 8.0

T = TypeVar("T")
HandedOut = Callable[[Plan, Media], Awaitable[bool]]  # whether others make the pictures of such a plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """At one source. `least_s`: what must be spared."""

    fetch: Fetch
    encode: EncodeChunk
    ffmpeg: Launcher
    abilities: Abilities
    threads: int
    clock: Callable[[], float]
    least_s: float
    run: Run
    source: Source
    arrival: Arrival
    kind: str
    not_if: HandedOut | None

    async def made(self, specs: Mapping[int, OutputSpec]) -> Ahead:
        """Until the source has arrived, or no chunk is left that can be made before.

        Raises:
            errors.Failure: the source or a chunk is not as it should be, or the lease is lost.
        """
        size = self.arrival.size_bytes or 0
        await in_thread(os.truncate, self.arrival.path, size)
        media = await self._told(
            lambda there: probe.glimpse(
                self.ffmpeg, self.arrival.path, there, folder=self.run.folder, leash=self.run.held.leash
            )
        )
        if media is None:
            return Ahead(why="its beginning does not tell what it is")
        plan = whole.kept(decide(media, dict(specs), self.abilities), media)
        if self.not_if is not None and await self.not_if(plan, media):
            return Ahead()
        chosen, why = self._chosen(plan, media)
        if why:
            return Ahead(why=why)
        needs = Needs(ffmpeg=self.ffmpeg, folder=self.run.folder, leash=self.run.held.leash)
        extents = await self._told(lambda there: needs.extents(self.arrival.path, plan, media, chosen, there))
        if not extents:
            return Ahead(why="where its frames lie in the file is not told")
        if not self._has_room(plan, media):
            return Ahead(why="this machine had no room for it yet")
        return await self._encoded(media, plan, chosen, extents)

    def _chosen(self, plan: Plan, media: Media) -> tuple[list[Chunk], str]:
        """The chunks of the first picture, but for the last; or why there are none."""
        able = {each.output for each in plan.outputs if is_able(each, media)}
        part = replace(plan, passes=tuple(parted(plan.passes, able)))
        outputs = [plan.output(number) for number in able]
        length_s = max((each.duration_seconds or 0.0 for each in outputs), default=0.0)
        split = chunks.split(part, media, seconds=max(LEAST_CHUNK_S, length_s / CHUNKS), identity="")
        if split is None:
            return [], "its picture is made in one piece"
        numbers = split.chunks[0].outputs
        cost_s = sum(estimate(plan.output(each), media).cpu_seconds or 0.0 for each in numbers) / self.threads
        spared_s = min(cost_s, self.arrival.rest_seconds or 0.0)
        if spared_s < self.least_s:
            return [], f"no more than {spared_s:.0f} s would be spared"
        return [chunk for chunk in split.chunks if chunk.outputs == numbers and chunk.end_seconds], ""

    def _has_room(self, plan: Plan, media: Media) -> bool:
        """On this machine, now: for all that will be there at the end, and the chunks beside what is made of them."""
        planned = need(plan, media, threads=self.threads)
        written = sum(estimate(each, media).size_bytes or 0 for each in plan.outputs)
        return self.run.share.takes(replace(planned, scratch_bytes=planned.scratch_bytes + written))

    async def _told(self, ask: Callable[[Sequence[Extent]], Awaitable[T | Lacking]]) -> T | None:
        """The answer to a question for which some of the source must be there; None: there is none in time."""
        for _ in range(MOST_LOOKS):
            answer = await ask(self.arrival.there)
            if not isinstance(answer, Lacking):
                return answer
            if not await self._brought(answer.extent):
                return None
        return None

    async def _brought(self, extent: Extent) -> bool:
        """Wait for it; where it lies near the end, have it before the rest."""
        size, come = self.arrival.size_bytes or 0, self.arrival.there[0][1]
        if extent[0] < come + min(FIRST_BYTES, size * FIRST_SHARE):
            return await self.arrival.until([(0, min(size, extent[1] + MORE_BYTES))])
        first = extent[0] - BEFORE_BYTES
        if size - first > size * MOST_TAIL_SHARE or self.arrival.validator is None:
            return False
        needed = Needed(extents=((first, size),), size_bytes=size, validator=self.arrival.validator)
        with FileIO(self.arrival.path, "r+b") as file:
            given = await self.fetch.into(file, self.source, needed, kind=self.kind, wrote=lambda _first, _last: None)
        if given:
            self.run.held.account.bytes_in += size - first
            self.arrival.beside((first, size))
        return given and self.arrival.sound

    async def _encoded(
        self, media: Media, plan: Plan, chosen: Sequence[Chunk], extents: Sequence[Sequence[Extent]]
    ) -> Ahead:
        """One chunk after the other, as long as their bytes come before the source is there."""
        file = Fetched(path=self.arrival.path, size_bytes=self.arrival.size_bytes or 0, seconds=0.0)
        made: list[ChunkMade] = []
        first_frame_at: float | None = None
        for chunk, needed in zip(chosen, extents, strict=True):
            if not await self.arrival.until(needed):
                break
            if not made:
                begins = (OutputChange(id=OutputId(each), state=OutputState.ENCODING) for each in chunk.outputs)
                await self.run.ledger.mark(*begins)
            begun = self.clock()
            with self.arrival.worked_on():
                one, _ = await self.encode(self.run, file, media, plan, chunk, shown=shown(plan, chunk))
            if one.problem or one.decode_errors or not self.arrival.sound:
                break
            if first_frame_at is None and one.first_frame_seconds is not None:
                first_frame_at = begun + one.first_frame_seconds
            made.append(one)
        why = "" if made else "it was there before a part of its picture was made"
        return Ahead(media=media, plan=plan, made=tuple(made), first_frame_at=first_frame_at, why=why)


def is_able(output: OutputPlan, media: Media) -> bool:
    """Whether its picture can be made in chunks, of the source alone, and without a trial before."""
    videos = [stream.video for stream in output.streams if stream.video is not None]
    settled = all(each.target_quality is None and each.burnt is None and each.watermark is None for each in videos)
    return settled and chunks.hindrance(output, media) is None


def shown(plan: Plan, chunk: Chunk) -> Callable[[Live], Live]:
    """How far the outputs of a chunk are when it is so far."""
    length_s = max((plan.output(number).duration_seconds or 0.0 for number in chunk.outputs), default=0.0) or 1.0
    begin = float(Fraction(chunk.start_seconds)) / length_s
    end = 1.0 if chunk.end_seconds is None else float(Fraction(chunk.end_seconds)) / length_s
    return partial(progress.within, begin=begin, end=end)


def parted(passes: Iterable[Pass], numbers: Iterable[int]) -> Iterator[Pass]:
    """What of these passes is about such outputs."""
    wanted = {*numbers}
    for one_pass in passes:
        if outputs := tuple(number for number in one_pass.outputs if number in wanted):
            yield replace(one_pass, outputs=outputs)
