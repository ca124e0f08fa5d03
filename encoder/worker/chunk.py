"""Work of kind `chunk`: one stretch of the picture of some outputs, left in the storage for who puts them together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import msgspec

from encoder import errors
from encoder.ffmpeg import chunks
from encoder.ffmpeg.estimate import need
from encoder.files.threads import in_thread
from encoder.log import get_logger
from encoder.metrics.worker import chunks as counted
from encoder.model.base import replace, to_json
from encoder.model.chunk import ChunkMade
from encoder.model.chunk_work import ChunkWork, place_of_chunk
from encoder.model.extent import Needed, size_bytes
from encoder.model.ids import OutputId
from encoder.model.media import Media
from encoder.model.plan import Pass, Plan
from encoder.queue import settle
from encoder.store.rows import JobRow, Live, OutputRow, Settlement
from encoder.worker.attempt import Attempts
from encoder.worker.chunk_store import SCHEME, SOURCE, ChunkStore, item_from
from encoder.worker.context import Fetched, Run
from encoder.worker.encode import limits_for
from encoder.worker.encode_chunk import EncodeChunk, Files
from encoder.worker.fetch import Fetch
from encoder.worker.held import Held
from encoder.worker.identity import require_same
from encoder.worker.ledger import Ledger
from encoder.worker.pipeline import LOST_BEFORE_ALONE
from encoder.worker.places import Places
from encoder.worker.scratch import remove

log = get_logger(__name__)

RUNS = 3  # of ffmpeg, each within its wall: a first pass, the encode, a look at the result
DELIVERY_S = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class MakeChunk:
    """The handler of `chunk` tasks. `threads`: of an ffmpeg run."""

    attempts: Attempts
    places: Places
    fetch: Fetch
    store: ChunkStore
    encode: EncodeChunk
    threads: int
    clock: Callable[[], float]

    async def work(self, held: Held) -> Settlement:
        """Do the task; how it is to be closed. Raises `errors.LeaseLost`."""
        return await self.attempts.at(held, self._make)

    async def _make(self, run: Run, ledger: Ledger) -> Settlement:
        work = msgspec.convert(run.held.claim.args, ChunkWork)
        rows = [row for row in run.outputs if row.id in work.outputs]
        if not rows:  # another chunk of theirs failed
            return settle.cancelled()
        media, plan = planned(run.job, work.outputs)
        await ledger.mark()
        stage = run.held.account.stage
        with stage("fetch"):
            fetched = await self._fetched(run, rows, work)
            await self.store.take_beside(run, work.beside, plan.outputs, key=work.key)
        await self._require_room(run, ledger, media, plan, work, fetched)
        run.held.at("encoding")
        with stage("encode"):
            made, files = await self._encoded(run, rows, work, fetched, media, plan)
        run.held.at("uploading")
        with stage("deliver"):
            return await self._left(run, work, made, files)

    async def _fetched(self, run: Run, rows: list[OutputRow], work: ChunkWork) -> Fetched:
        """What it needs of the source; all of it where that is not told, or is not to be had."""
        begun, path = self.clock(), run.folder / SOURCE
        run.held.at("fetching")
        for row in rows:
            run.held.tell(row.id, Live(stage="fetching", progress=0.0))
        if work.needed is not None and await self._some(run, work, work.needed, path):
            run.held.account.bytes_in += size_bytes(work.needed.extents)
            return Fetched(
                path=path,
                size_bytes=work.needed.size_bytes,
                validator=work.needed.validator,
                seconds=self.clock() - begun - run.share.waited_s,
                holed=True,
            )
        copied = await self.fetch(
            self.places.source(run),
            path,
            kind=self.places.source_label(run),
            told=lambda _have, _size: None,
            share=run.share,
        )
        run.held.account.bytes_in += copied.size_bytes
        fetched = Fetched(
            path=path,
            size_bytes=copied.size_bytes,
            validator=copied.validator,
            seconds=self.clock() - begun - run.share.waited_s,
        )
        await require_same(fetched, work.identity)
        return fetched

    async def _some(self, run: Run, work: ChunkWork, needed: Needed, path: Path) -> bool:
        """Just that of the source, or of its copy. What fails here is told by who fetches all of it."""
        source = self.store.source(run, key=work.key) if needed.copied else self.places.source(run)
        kind = SCHEME if needed.copied else self.places.source_label(run)
        try:
            return await self.fetch.some(
                source, path, needed, kind=kind, told=lambda _have, _size: None, share=run.share
            )
        except errors.OF_THE_JOB as failure:
            log.info("chunk.parts_not_read", code=failure.code)
            await in_thread(remove, path)
            return False

    async def _encoded(
        self, run: Run, rows: list[OutputRow], work: ChunkWork, fetched: Fetched, media: Media, plan: Plan
    ) -> tuple[ChunkMade, Files]:
        """The chunk; made once more of the whole source, where it may be for want of bytes that it is not in order."""
        try:
            made, files = await self.encode(run, fetched, media, plan, work.chunk)
            why = made.problem or (f"{made.decode_errors} errors" if made.decode_errors else "")
            if not (why and fetched.holed):
                return made, files
        except errors.OF_THE_JOB as failure:
            if not fetched.holed:
                raise
            why = failure.message
        log.warning("chunk.whole_source", chunk=work.chunk.place, reason=why)
        await in_thread(remove, fetched.path)
        whole = await self._fetched(run, rows, replace(work, needed=None))
        return await self.encode(run, whole, media, plan, work.chunk)

    async def _require_room(
        self, run: Run, ledger: Ledger, media: Media, plan: Plan, work: ChunkWork, fetched: Fetched
    ) -> None:
        """Room for this chunk alone, and an end to the time that it may take."""
        part, _ = chunks.part(plan, media, work.chunk)
        read = media if work.needed is None else replace(media, size_bytes=size_bytes(work.needed.extents))
        wanted = need(part, read, threads=self.threads)
        await run.share.reach(wanted, alone=run.held.claim.lost >= LOST_BEFORE_ALONE)
        wall_s = limits_for(part.outputs, fetched.size_bytes).wall_seconds
        await ledger.set_deadline(timedelta(seconds=RUNS * wall_s + DELIVERY_S))

    async def _left(
        self, run: Run, work: ChunkWork, made: ChunkMade, files: Mapping[tuple[int, str], Path]
    ) -> Settlement:
        """All files of a chunk in the storage. Who is to stop meanwhile gives back no chunk that is there."""
        place = place_of_chunk(run.job.uuid, work.key, work.chunk, run.token)
        items = [item_from(file, files[file.output, file.name]) for file in made.files]
        with run.held.publishing():
            await self.store.put(run, place, items)
            settlement = settle.made(to_json(replace(made, folder=place)))
            run.held.proposed = settlement
        counted.of("made").inc()
        return settlement


def planned(job: JobRow, outputs: tuple[int, ...]) -> tuple[Media, Plan]:
    """What was found out and decided before the job was handed out, of those outputs: one decode for all.

    Raises:
        errors.Defect: it was not.
    """
    plans = tuple(row.plan for row in job.outputs if row.id in outputs and row.plan is not None)
    if job.media is None or len(plans) != len(outputs):
        raise errors.Defect(f"job {job.id} was handed out without its plan")
    return job.media, Plan(outputs=plans, passes=(Pass(outputs=tuple(OutputId(number) for number in outputs)),))
