"""After the plan: whether the pictures of a job are made in chunks. If so, the rest is handed out to all workers."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import replace as also
from fractions import Fraction

from encoder.ffmpeg.launcher import Launcher
from encoder.log import get_logger
from encoder.metrics.worker import chunks as counted
from encoder.model.base import Json, replace, to_json
from encoder.model.chunk import Chunk, ChunkMade, Split
from encoder.model.chunk_work import ASSEMBLE, CHUNK, AssembleWork, BesideFile, ChunkWork
from encoder.model.extent import Needed
from encoder.model.ids import OutputId
from encoder.model.media import Media
from encoder.model.plan import Plan
from encoder.model.state import OutputState
from encoder.queue import settle
from encoder.store.rows import FanOut, NewTask, OutputChange, Settlement
from encoder.worker import chunks_found
from encoder.worker.choice import choose
from encoder.worker.chunk_store import ChunkStore, beside
from encoder.worker.context import Prepared, Run
from encoder.worker.identity import identity_of
from encoder.worker.ledger import Ledger
from encoder.worker.needed import Needs
from encoder.worker.together import each

log = get_logger(__name__)

AT_ONCE = 8  # chunks of earlier runs that are looked for


class Splitting:
    """`version`: of our ffmpeg. `chunk_seconds`: how long a chunk is where no more slots are free."""

    def __init__(self, store: ChunkStore, ffmpeg: Launcher, *, version: str, chunk_seconds: float) -> None:
        self._store = store
        self._ffmpeg = ffmpeg
        self._version = version
        self._chunk_seconds = chunk_seconds

    async def __call__(self, run: Run, ledger: Ledger, prepared: Prepared) -> tuple[Prepared, Settlement | None]:
        """What was prepared, with the reasons for the choice; and how the task ends where the rest is handed out.

        Raises:
            errors.LeaseLost: the task is somebody else's.
            errors.Failure: the storage does not take what lies beside the source.
        """
        free_slots = await ledger.free_slots()
        plan, split = self._chosen(run, prepared.plan, prepared.media, free_slots)
        if split is None:
            return also(prepared, plan=plan), None
        parts = await ledger.parts()
        files = await beside(run.folder, plan.outputs)
        source = await identity_of(prepared.fetched)
        whole = _whole(source, self._version, files)
        plan, split = self._chosen(
            run, prepared.plan, prepared.media, free_slots, identity=whole, before=chunks_found.before(parts)
        )
        if split is None:
            return also(prepared, plan=plan), None
        await ledger.note_chunks()
        await self._store.put_beside(run, files, key=split.key)
        order = _Order(
            run=run,
            plan=plan,
            split=split,
            keys=chunks_found.keys_of(plan, split, whole),
            source=source,
            files=files,
            needed=await self._needed(run, prepared, plan, split),
        )
        there = await self._there(chunks_found.matching(split, order.keys, parts))
        counted.of("found").inc(len(there))
        log.info("job.in_chunks", chunks=len(split.chunks), found=len(there), key=split.key)
        await ledger.mark(*order.changes())
        return also(prepared, plan=plan), settle.handed_out(order.fan_out(there))

    async def hands_out(self, run: Run, ledger: Ledger, plan: Plan, media: Media) -> bool:
        """Whether the pictures of such a plan would be made by all workers."""
        return self._chosen(run, plan, media, await ledger.free_slots())[1] is not None

    async def _needed(self, run: Run, prepared: Prepared, plan: Plan, split: Split) -> list[Needed | None]:
        """What each chunk needs of the source; one that nobody can read in parts is left in the storage for that."""
        needs = Needs(ffmpeg=self._ffmpeg, folder=run.folder, leash=run.held.leash)
        needed = await needs.of(prepared.fetched, plan, prepared.media, split.chunks)
        if any(one is not None and one.copied for one in needed):
            await self._store.put_source(run, prepared.fetched.path, key=split.key)
        return needed

    def _chosen(
        self,
        run: Run,
        plan: Plan,
        media: Media,
        free_slots: int,
        *,
        identity: str = "",
        before: Collection[Chunk] = (),
    ) -> tuple[Plan, Split | None]:
        return choose(
            plan,
            media,
            specs=dict(enumerate(run.spec.outputs)),
            free_slots=free_slots,
            chunk_seconds=self._chunk_seconds,
            identity=identity,
            before=before,
        )

    async def _there(self, made: Mapping[Chunk, ChunkMade]) -> frozenset[Chunk]:
        """Those whose files stand yet. One that failed its proof is made once more."""
        standing: set[Chunk] = set()

        async def look(chunk: Chunk) -> None:
            if not made[chunk].problem and await self._store.stands(made[chunk]):
                standing.add(chunk)

        await each(look, made, at_once=AT_ONCE)
        return frozenset(standing)


def _whole(source: str, ffmpeg: str, files: Sequence[BesideFile]) -> str:
    """Of all that a chunk is made of beside its plan: the source, who makes it, what is drawn upon its picture."""
    return hashlib.sha256("\n".join([source, ffmpeg, *(file.sha256 for file in files)]).encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Order:
    """All that the tasks are told. `source`: its identity."""

    run: Run
    plan: Plan
    split: Split
    keys: Mapping[int, str]
    source: str
    files: tuple[BesideFile, ...]
    needed: Sequence[Needed | None]

    def changes(self) -> Iterator[OutputChange]:
        """What the outputs' rows are told: from them all tasks take their plans."""
        for output in self.plan.outputs:
            state = OutputState.ENCODING if output.output in self.keys else None
            yield OutputChange(id=OutputId(output.output), state=state, plan=output)

    def fan_out(self, there: Collection[Chunk]) -> FanOut:
        """The chunks that are not there, the longest first, and what is behind them."""
        numbered = [(number, chunk) for number, chunk in enumerate(self.split.chunks) if chunk not in there]
        numbered.sort(key=lambda each: -self._frames(each[1]))
        return FanOut(parts=tuple(self._part(number, chunk) for number, chunk in numbered), then=self._behind())

    def _part(self, number: int, chunk: Chunk) -> NewTask:
        work = ChunkWork(
            outputs=chunk.outputs,
            key=self.split.key,
            keys=tuple(self.keys[output] for output in chunk.outputs),
            identity=self.source,
            chunk=chunk,
            frames=self._frames(chunk),
            beside=self.files,
            needed=self.needed[number],
        )
        return self._task(f"c{number:04}", CHUNK, to_json(work))

    def _behind(self) -> NewTask:
        rest = (
            replace(one_pass, outputs=tuple(number for number in one_pass.outputs if number not in self.keys))
            for one_pass in self.plan.passes
        )
        work = AssembleWork(
            split=self.split,
            keys={str(number): key for number, key in self.keys.items()},
            identity=self.source,
            passes=tuple(one_pass for one_pass in rest if one_pass.outputs),
            chunks=len(self.split.chunks),
            beside=self.files,
        )
        return self._task("join", ASSEMBLE, to_json(work))

    def _task(self, name: str, kind: str, args: dict[str, Json]) -> NewTask:
        claim = self.run.held.claim
        traced = {name: value for name, value in claim.args.items() if name == "traceparent"}
        return NewTask(name=f"{claim.name}/{name}", kind=kind, queue=claim.queue, args=args | traced)

    def _frames(self, chunk: Chunk) -> int:
        """In the first of its outputs."""
        video = next(stream.video for stream in self.plan.output(chunk.outputs[0]).streams if stream.video is not None)
        rate = Fraction(video.rate)
        end = video.frames or 0 if chunk.end_seconds is None else round(Fraction(chunk.end_seconds) * rate)
        return max(0, end - round(Fraction(chunk.start_seconds) * rate))
