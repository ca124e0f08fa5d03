"""Work of kind `assemble`: puts chunks together, makes what was not made in chunks, and ends the job as any other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from encoder import errors
from encoder.ffmpeg import joint
from encoder.ffmpeg.estimate import need
from encoder.log import get_logger
from encoder.metrics.worker import chunks as counted
from encoder.model.base import replace
from encoder.model.chunk import Chunk, ChunkMade
from encoder.model.chunk_work import AssembleWork
from encoder.model.ids import OutputId
from encoder.model.plan import Need, Pass
from encoder.model.state import OutputState
from encoder.queue import settle
from encoder.store.rows import Live, OutputRow, Settlement
from encoder.worker import chunks_found, progress
from encoder.worker.attempt import Attempts
from encoder.worker.chunk import planned
from encoder.worker.chunk_store import ChunkStore, Missing, piece_of
from encoder.worker.context import Made, Prepared, Run, write_off
from encoder.worker.encode_chunk import EncodeChunk
from encoder.worker.held import Held
from encoder.worker.identity import require_same
from encoder.worker.join import Join
from encoder.worker.ledger import Ledger
from encoder.worker.pipeline import LOST_BEFORE_ALONE, Pipeline
from encoder.worker.scratch import remove

log = get_logger(__name__)

COPIES = 3  # of the chunks of an output on the disk: themselves, what they are joined to, and that in its last form


@dataclass(frozen=True, slots=True, kw_only=True)
class Assemble:
    """The handler of `assemble` tasks. `threads`: of an ffmpeg run."""

    attempts: Attempts
    pipeline: Pipeline
    store: ChunkStore
    encode: EncodeChunk
    join: Join
    threads: int

    async def work(self, held: Held) -> Settlement:
        """Do the task; how it is to be closed. Raises `errors.LeaseLost`."""
        return await self.attempts.at(held, self._assemble)

    async def _assemble(self, run: Run, ledger: Ledger) -> Settlement:
        work = msgspec.convert(run.held.claim.args, AssembleWork)
        await ledger.mark()
        left = await self.pipeline.left(run)
        if left:
            await self._make(run, ledger, work, left)
        if all(row.state is OutputState.UPLOADED for row in (await ledger.load()).outputs):
            await self.store.clear(run.job.uuid)
        return settle.done()

    async def _make(self, run: Run, ledger: Ledger, work: AssembleWork, left: Sequence[OutputRow]) -> None:
        stage, wanted = run.held.account.stage, tuple(row.id for row in left)
        joined = sorted(chunks_found.outputs_of(work.split).intersection(wanted))
        for number in joined:
            run.held.tell(OutputId(number), Live(stage="joining", progress=progress.overall("joining", 0.0)))
        with stage("fetch"):
            fetched = await self.pipeline.fetched(run, [row for row in left if row.id not in joined])
            await require_same(fetched, work.identity)
            media, plan = planned(run.job, wanted)
            await self.store.take_beside(run, work.beside, plan.outputs, key=work.split.key)
        run.held.at("encoding")
        plan = replace(plan, passes=tuple(_only(work.passes, wanted)))
        prepared = Prepared(fetched=fetched, media=media, plan=plan)
        keys = {int(number): key for number, key in work.keys.items()}
        made = chunks_found.matching(work.split, keys, await ledger.parts())
        await self._require_room(run, prepared, made, joined)
        for number in joined:
            with stage("encode", output=number):
                outcome = await self._joined(run, prepared, work, made, number)
            await self.pipeline.finish(run, prepared, outcome)
        await self.pipeline.make(run, prepared)

    async def _require_room(
        self, run: Run, prepared: Prepared, made: Mapping[Chunk, ChunkMade], joined: Sequence[int]
    ) -> None:
        """For what is encoded here, and for one joined output after the other, which takes hardly any memory."""
        encoded = need(prepared.plan, prepared.media, threads=self.threads)
        sizes = (
            sum(file.size_bytes for each in made.values() for file in each.files if file.output == number)
            for number in joined
        )
        scratch = prepared.fetched.size_bytes + COPIES * max(sizes, default=0)
        wanted = Need(scratch_bytes=max(encoded.scratch_bytes, scratch), memory_bytes=encoded.memory_bytes)
        await run.share.reach(wanted, alone=run.held.claim.lost >= LOST_BEFORE_ALONE)

    async def _joined(
        self, run: Run, prepared: Prepared, work: AssembleWork, made: Mapping[Chunk, ChunkMade], number: int
    ) -> list[Made]:
        """One output of its chunks, or none where it failed."""
        parts: list[ChunkMade] = []
        try:
            mine = [chunk for chunk in work.split.chunks if number in chunk.outputs]
            for chunk in mine:
                part = await self._taken(run, prepared, chunk, made.get(chunk), number)
                parts.append(part)
            one_pass = Pass(outputs=(number,))
            return await self.join(run, prepared.fetched, prepared.media, prepared.plan, one_pass, parts, run.folder)
        except errors.OF_THE_JOB as failure:
            await write_off(run, OutputId(number), failure)
            return []
        finally:
            for path in _paths(run.folder, parts, number):
                remove(path)

    async def _taken(
        self, run: Run, prepared: Prepared, chunk: Chunk, made: ChunkMade | None, number: int
    ) -> ChunkMade:
        """A chunk of one output on our disk. What is not there as it was made is made once more, here."""
        if made is not None and made.problem:
            return made
        if made is not None:
            try:
                for file in made.files:
                    if file.output == number:
                        path = run.folder / joint.file_name(chunk, number, file.name)
                        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                        await self.store.take(run, made.folder, piece_of(file), path)
            except Missing as missing:
                log.warning("chunk.made_again", output=number, place=chunk.place, reason=str(missing))
                for path in _paths(run.folder, [made], number):
                    remove(path)
            else:
                return made
        counted.of("again").inc()
        own = replace(chunk, outputs=(number,))
        again, _ = await self.encode(run, prepared.fetched, prepared.media, prepared.plan, own)
        return again


def _paths(folder: Path, parts: Sequence[ChunkMade], number: int) -> Iterator[Path]:
    """Where the files of one output's chunks lie."""
    for part in parts:
        for file in part.files:
            if file.output == number:
                yield folder / joint.file_name(part.chunk, number, file.name)


def _only(passes: Sequence[Pass], wanted: Sequence[int]) -> Iterator[Pass]:
    for one_pass in passes:
        left = tuple(number for number in one_pass.outputs if number in wanted)
        if left:
            yield replace(one_pass, outputs=left)
