"""The way of a job on a worker: fetch, probe, plan, encode, verify, deliver. Each stage adds one fact to the run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from encoder import errors
from encoder.ffmpeg import cuts, sparse, whole
from encoder.ffmpeg.abilities import Abilities
from encoder.ffmpeg.estimate import need
from encoder.ffmpeg.launcher import Launcher
from encoder.ffmpeg.plan import decide
from encoder.ffmpeg.probe import survey
from encoder.log import bound, get_logger
from encoder.model.ids import OutputId
from encoder.model.job import OutputSpec
from encoder.model.media import Media, Surveyed
from encoder.model.plan import Pass, Plan
from encoder.store.rows import Live, OutputRow
from encoder.worker import progress
from encoder.worker.ahead import HandedOut, parted
from encoder.worker.aim import Aim
from encoder.worker.arrival import Arrival
from encoder.worker.beside import Beside, Found
from encoder.worker.captions import Captions
from encoder.worker.context import Ahead, Fetched, Made, NotJoined, Prepared, Proven, Run, write_off
from encoder.worker.deliver import Account, Deliver, find_published
from encoder.worker.encode import Encode
from encoder.worker.evidence import Unwitnessed, Witness
from encoder.worker.fetch import Fetch
from encoder.worker.measure import Measure
from encoder.worker.overlap import Overlap
from encoder.worker.places import Places
from encoder.worker.scratch import remove
from encoder.worker.together import together
from encoder.worker.verify import Verify

log = get_logger(__name__)

LOST_BEFORE_ALONE = 2  # what was there when workers died, perhaps for its memory, takes no neighbour along a third time


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    """The stages, in order, and little else."""

    places: Places
    fetch: Fetch
    overlap: Overlap
    beside: Beside
    captions: Captions
    aim: Aim
    encode: Encode
    verify: Verify
    measure: Measure
    witness: Witness | Unwitnessed
    deliver: Deliver
    ffmpeg: Launcher
    abilities: Abilities
    threads: int  # of an ffmpeg run
    clock: Callable[[], float]

    async def __call__(self, run: Run) -> None:
        """Bring every open output of the run to an end, or raise what keeps some of them from it.

        Raises:
            errors.Failure: the source's fault, or the first fault of an output that another attempt may cure.
        """
        prepared = await self.prepare(run)
        if prepared is not None:
            await self.make(run, prepared)

    async def prepare(self, run: Run, handed_out: HandedOut | None = None) -> Prepared | None:
        """All that comes before the encodes; None: there is nothing left to make. Raises as the whole.

        Where it pays, pictures are begun while their source arrives: not where `handed_out` says that others make them.
        """
        left = await self.left(run)
        if not left:
            return None
        stage = run.held.account.stage
        with stage("fetch"):
            fetched, ahead = await self._ahead(run, left, handed_out)
        with stage("probe"):
            surveyed = await self._probed(run, fetched, left)
        media = surveyed.media
        with stage("plan"):
            plan = await self._planned(run, surveyed, left, await self._beside(run, left))
            plan = await self.captions(run, fetched, plan)
            plan = await self.aim(run, fetched, media, plan)
            plan, ahead = self.overlap.kept(ahead, plan, media)
        return Prepared(fetched=fetched, media=media, plan=plan, ahead=ahead)

    async def make(self, run: Run, prepared: Prepared) -> None:
        """All passes of the plan, one after the other. Raises as the whole."""
        for one_pass in prepared.plan.passes:
            with run.held.account.stage("encode"):
                made = await self._made(run, prepared, one_pass)
            await self.finish(run, prepared, made)
        raise_what_is_left(run)

    async def left(self, run: Run) -> list[OutputRow]:
        """The outputs that are to be made: no earlier attempt had published them."""
        return [row for row in run.outputs if not await self._published_before(run, row)]

    async def finish(self, run: Run, prepared: Prepared, made: Sequence[Made]) -> None:
        """Prove and deliver what was made; what fails is written off, and the rest goes on."""
        async with together() as group:
            for each in made:
                group.create_task(self._finish(run, prepared.fetched, prepared.media, each))

    async def _published_before(self, run: Run, row: OutputRow) -> bool:
        if row.intent is None or row.plan is None:
            return False
        try:
            async with self.places.destination(run, row.plan) as destination:
                return await find_published(run, row, destination)
        except errors.Failure as failure:  # not to be known: it is made again
            log.info("output.not_found", output=row.id, code=failure.code)
            return False

    async def fetched(self, run: Run, left: Sequence[OutputRow]) -> Fetched:
        """The whole source. Raises as `Fetch`."""
        return await self._arrived(run, left, self._arrival(run))

    async def _ahead(self, run: Run, left: Sequence[OutputRow], handed_out: HandedOut | None) -> tuple[Fetched, Ahead]:
        """The whole source, and what was made of it while it arrived."""
        arrival = self._arrival(run)
        specs: dict[int, OutputSpec] = {row.id: row.spec for row in left}
        async with together() as group:
            looking = group.create_task(
                self.overlap(
                    run, self.places.source(run), arrival, specs, kind=self.places.source_label(run), not_if=handed_out
                )
            )
            fetched = await self._arrived(run, left, arrival)
            arrival.end()
        return fetched, looking.result()

    def _arrival(self, run: Run) -> Arrival:
        return Arrival(run.folder / "source", clock=self.clock)

    async def _arrived(self, run: Run, left: Sequence[OutputRow], arrival: Arrival) -> Fetched:
        begun = self.clock()
        meter = progress.Meter("fetching", clock=self.clock)

        def told(have: int, size: int | None) -> None:
            arrival.told(have)
            live = meter.live(have, size)
            if not arrival.busy:
                run.held.at("fetching")
                for row in left:
                    run.held.tell(row.id, live)

        told(0, None)
        copied = await self.fetch(
            self.places.source(run),
            arrival.path,
            kind=self.places.source_label(run),
            told=told,
            share=run.share,
            begun=arrival.begun,
        )
        run.held.account.bytes_in += copied.size_bytes
        return Fetched(
            path=arrival.path,
            size_bytes=copied.size_bytes,
            seconds=self.clock() - begun - run.share.waited_s,
            validator=copied.validator,
            first_byte_at=arrival.first_byte_at,
        )

    async def _made(self, run: Run, prepared: Prepared, one_pass: Pass) -> list[Made]:
        """The outputs of a pass; of some the picture was begun while the source arrived."""
        fetched, plan, ahead = prepared.fetched, prepared.plan, prepared.ahead
        begun = {number for each in ahead.made for number in each.chunk.outputs} & {*one_pass.outputs}
        made: list[Made] = []
        if begun:
            made += await self.overlap.finish(run, fetched, prepared.media, plan, one_pass, ahead)
        for others in parted([one_pass], {*one_pass.outputs} - begun):
            made += await self.encode(run, fetched, plan, others)
        return made

    async def _probed(self, run: Run, fetched: Fetched, left: list[OutputRow]) -> Surveyed:
        run.held.at("probing")
        surveyed = await survey(
            self.ffmpeg,
            fetched.path,
            folder=run.folder,
            leash=run.held.leash,
            entries=sparse.wanted(row.spec for row in left),
            ends=cuts.wanted(row.spec for row in left),
        )
        await run.ledger.mark(media=surveyed.media)
        return surveyed

    async def _beside(self, run: Run, left: list[OutputRow]) -> Found:
        specs: dict[int, OutputSpec] = {row.id: run.spec.outputs[row.id] for row in left}
        found = await self.beside(specs, folder=run.folder, leash=run.held.leash)
        for number, failure in found.failed.items():
            await write_off(run, OutputId(number), failure)
        return found

    async def _planned(self, run: Run, surveyed: Surveyed, left: list[OutputRow], found: Found) -> Plan:
        specs: dict[int, OutputSpec] = {row.id: row.spec for row in left if row.id not in found.failed}
        plan = decide(
            surveyed.media, specs, self.abilities, found.marks, surveyed.entries, found.scripts, surveyed.cuts
        )
        plan = whole.kept(plan, surveyed.media)
        for refusal in plan.refused:
            await write_off(run, OutputId(refusal.output), errors.Permanent(refusal.code, refusal.message))
        wanted = need(plan, surveyed.media, threads=self.threads)
        await run.share.reach(wanted, alone=run.held.claim.lost >= LOST_BEFORE_ALONE)
        run.held.at("encoding")
        for each in plan.outputs:
            run.held.tell(OutputId(each.output), Live(stage="encoding", progress=progress.overall("encoding", 0.0)))
        return plan

    async def _finish(self, run: Run, fetched: Fetched, media: Media, made: Made) -> None:
        with bound(output=made.output):
            try:
                proven = await self._proven(run, fetched, media, made)
                if proven is not None:
                    async with together() as group:
                        group.create_task(self.witness(run, fetched, media, proven))
                        await self._delivered(run, fetched, proven)
            except errors.Failure as failure:
                await write_off(run, made.output, failure)
            finally:
                remove(made.path)

    async def _proven(self, run: Run, fetched: Fetched, media: Media, made: Made) -> Proven | None:
        with run.held.account.stage("verify", output=made.output):
            try:
                proven = await self.verify(run, media, made)
            except NotJoined as refusal:
                proven = await self._whole(run, fetched, media, made, refusal)
            if proven is None:
                return None
            run.held.account.media_seconds += proven.opened.media.duration_seconds or 0.0
            return await self.measure(run, fetched, media, proven)

    async def _whole(self, run: Run, fetched: Fetched, media: Media, made: Made, refusal: NotJoined) -> Proven | None:
        """An output whose chunks were joined to something else than was planned, made once more in one piece."""
        plan = Plan(outputs=(made.plan,), passes=())
        for again in await self.encode.whole(run, fetched, plan, made.plan.output, refusal.message):
            return await self.verify(run, media, again)
        return None

    async def _delivered(self, run: Run, fetched: Fetched, proven: Proven) -> None:
        plan = proven.made.plan
        account = Account(
            queued=run.held.claim.waited_seconds + run.share.waited_s,
            fetch=fetched.seconds,
            first_byte_at=fetched.first_byte_at,
        )
        kind = self.places.destination_label(run, plan)
        with run.held.account.stage("deliver", output=plan.output):
            async with self.places.destination(run, plan) as destination:
                await self.deliver(run, proven, destination, account, kind=kind)
        run.held.account.bytes_out += proven.package.size_bytes


def raise_what_is_left(run: Run) -> None:
    """Raises:
    errors.Failure: the first fault of an output that another attempt may cure.
    """
    if run.retry:
        raise run.retry[0]
