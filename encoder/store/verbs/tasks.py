"""What workers do with tasks: the verbs of the queue."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from time import monotonic

from encoder import errors
from encoder.model.chunk_work import CHUNK
from encoder.model.ids import JobId, OutputId, TaskId, WorkerId
from encoder.model.media import Media
from encoder.model.queue import IO
from encoder.model.state import JOB_ENDED, JobState, OutputState, TaskState
from encoder.store import changes as rules
from encoder.store import fair
from encoder.store.engine import Pool, Row, Session
from encoder.store.hints import Hints
from encoder.store.line import NOTIFY, SEEN, Floor
from encoder.store.news import News
from encoder.store.repeated import repeated
from encoder.store.rows import Claim, Expired, JobRow, Live, OutputChange, Owned, Part, Settled, Settlement
from encoder.store.statements import Statement
from encoder.store.verbs import graph, telling
from encoder.store.verbs.base import Verbs
from encoder.store.verbs.read import claim_of, job_in, part_of, trail_of
from encoder.store.verbs.read_chunks import with_chunks
from encoder.store.verbs.read_fleet import heads_of, tenant_of
from encoder.store.verbs.write import close_task, lock, record, standing


@dataclass(frozen=True, slots=True, kw_only=True)
class _Closed:
    """What a settle did, and whom it gives work."""

    settled: Settled
    queues: tuple[str, ...]
    unneeded: tuple[TaskId, ...]  # what runs, and is to stop


class _Busy(errors.StoreUnavailable):
    """Somebody else decides the order of the queue just now."""


class Tasks(Verbs):
    def __init__(self, pool: Pool, hints: Hints, news: News) -> None:
        super().__init__(pool, hints, news)
        self._floors: defaultdict[str, Floor] = defaultdict(Floor)

    async def claim(
        self, queue: str, worker_id: WorkerId, *, limit: int, ahead: int = 0, lease: timedelta, deadline: timedelta
    ) -> Sequence[Claim]:
        claims: list[Claim] = []
        while len(claims) < limit:
            wanted = limit - len(claims)
            try:
                floor = self._floors[queue].at(monotonic())
                rows = await self._take(queue, floor, wanted, worker_id, lease, deadline)
                claims += [claim_of(row) for row in rows if row["task_id"] is not None]
                if rows[0]["picked"]:
                    self._floors[queue].saw(rows[0]["seen"])
                if rows[0]["picked"] == wanted:
                    continue  # enough, or some were tombstones and more stand behind them
                if not rows[0]["waiting"] or not await self._admit(queue, wanted=limit - len(claims), ahead=ahead):
                    break
            except errors.StoreUnavailable:
                if claims:
                    break  # what is won must be held
                raise
        return claims

    async def claim_job(
        self, job_id: JobId, worker_id: WorkerId, *, lease: timedelta, deadline: timedelta
    ) -> Claim | None:
        row = await self._pool.row(Statement.CLAIM_JOB, job_id, worker_id, lease, deadline)
        return None if row is None else claim_of(row)

    async def _take(self, *values: object) -> Sequence[Row]:
        """The rows of `claim`. An engine may have a better place for it than any connection of the pool."""
        return await self._pool.rows(Statement.CLAIM, *values)

    async def _admit(self, queue: str, *, wanted: int, ahead: int) -> int:
        """Give waiting tasks their places in line, in fair order: how many got one, 0 where none may.

        Also 0 while others are at it all the time: they do the same.
        """

        async def work(session: Session) -> int:
            locked = await session.fetchrow(Statement.LOCK_QUEUE, queue)
            if locked is None:
                raise _Busy(queue)
            if locked["paused"]:
                return 0
            room = wanted + ahead
            waiting = await session.fetch(Statement.WAITING_TENANTS, queue)
            tenants = fair.hopeful([tenant_of(row) for row in waiting], room)
            heads = await session.fetch(Statement.HEADS, queue, [tenant.id for tenant in tenants], room)
            chosen = fair.fair_order(tenants, heads_of(heads), room)
            if not chosen:
                return 0
            (done,) = await session.fetch(Statement.ADMIT, chosen)
            return int(done["admitted"])

        try:
            admitted = await repeated(lambda: self._pool.transaction(work), lost=lambda error: isinstance(error, _Busy))
        except _Busy:
            return 0
        if admitted > wanted:
            self._hints.send(f"ready:{queue}")
        return admitted

    async def load(self, claim: Claim) -> JobRow:
        found = job_in(await self._pool.rows(Statement.JOB, claim.job_id, None, None, True, SEEN))
        if found is None:
            raise _lost(claim)
        return found

    async def mark(self, claim: Claim, changes: Sequence[OutputChange] = (), *, media: Media | None = None) -> None:
        async def work(session: Session) -> bool:
            job = await lock(session, claim.job_id)
            held = await session.fetchrow(Statement.HOLD_TASK, claim.task_id, claim.epoch, claim.job_id)
            if job is None or held is None:
                raise _lost(claim)
            changed = rules.marked(standing(job, held), claim, changes)
            return await record(session, changed, held["at"], media=media)

        if await self._pool.transaction(work):
            self._hints.send(f"ready:{IO}")
        self._news.of(claim.tenant_id, claim.job_id)

    async def tell_progress(self, claim: Claim, stage: str | None, live: Mapping[OutputId, Live]) -> bool:
        whole = await self._with_all_chunks(claim) if claim.kind == CHUNK else None
        if whole is not None:
            live = {output.id: output.live for output in whole.outputs if output.live}
        others_turn = whole is not None and whole.chunks is not None and whole.chunks.first != claim.task_id

        async def work(session: Session) -> bool:
            job = await lock(session, claim.job_id)
            held = await session.fetchrow(Statement.HOLD_TASK, claim.task_id, claim.epoch, claim.job_id)
            if job is None or held is None:
                raise _lost(claim)
            changed = rules.progressed(standing(job, held), stage, live)
            return changed is not None and (others_turn or await record(session, changed, held["at"]))

        told = await self._pool.transaction(work)
        if told:
            self._hints.send(f"ready:{IO}")
            self._news.of(claim.tenant_id, claim.job_id)
        return told

    async def _with_all_chunks(self, claim: Claim) -> JobRow:
        """The job of a chunk, as far as all of them are."""
        job = await self.load(claim)
        return with_chunks(job, await self._pool.rows(Statement.CHUNKS, [job.task_id]))

    async def set_deadline(self, claim: Claim, deadline: timedelta) -> None:
        if await self._pool.row(Statement.SET_DEADLINE, claim.task_id, claim.epoch, deadline) is None:
            raise _lost(claim)

    async def settle(self, claim: Claim, settlement: Settlement) -> Settled:
        closed = await self._close(claim, settlement, by_rescue=False)
        if closed is None:
            return await self._settled_before(claim)
        self._hints.send(*(f"ready:{queue}" for queue in closed.queues))
        return closed.settled

    async def expired(self, *, limit: int = 100) -> Sequence[Expired]:
        rows = await self._pool.rows(Statement.EXPIRED, limit)
        return [
            Expired(worker_id=WorkerId(row["worker_id"]), claim=claim_of(row), by_deadline=row["by_deadline"])
            for row in rows
        ]

    async def held(self, task_id: TaskId, epoch: int) -> Owned | None:
        row = await self._pool.row(Statement.HELD, task_id, epoch)
        return None if row is None else Owned(worker_id=WorkerId(row["worker_id"]), claim=claim_of(row))

    async def rescue(self, claim: Claim, settlement: Settlement) -> Settled | None:
        closed = await self._close(claim, settlement, by_rescue=True)
        if closed is None:
            return None
        self._hints.send(*(f"ready:{queue}" for queue in closed.queues))
        return closed.settled

    async def due(self, *, limit: int = 500) -> Sequence[str]:
        queues = [str(row["queue"]) for row in await self._pool.rows(Statement.DUE, limit)]
        self._hints.send(*(f"ready:{queue}" for queue in queues))
        return queues

    async def next_due(self) -> float | None:
        row = await self._pool.row(Statement.NEXT_DUE)
        return None if row is None or row["seconds"] is None else max(0.0, row["seconds"])

    async def uptime_seconds(self) -> float:
        (row,) = await self._pool.rows(Statement.UPTIME)
        return float(row["seconds"])

    async def _close(self, claim: Claim, settlement: Settlement, *, by_rescue: bool) -> _Closed | None:
        """Settle in one transaction; None when the claim is not held, or its owner lives after all."""

        async def work(session: Session) -> _Closed | None:
            if claim.kind == NOTIFY:
                closed = await telling.close(session, claim, settlement, by_rescue=by_rescue)
                return _closed(claim, Settled(task_state=settlement.state)) if closed else None
            job = await lock(session, claim.job_id, Statement.LOCK_FREE_JOB if by_rescue else Statement.LOCK_JOB)
            if job is None:
                return None
            state = rules.end_of(job, settlement)
            seen = await session.fetchrow(Statement.LAST_SEEN, claim.task_id, claim.epoch) if by_rescue else None
            won = await close_task(session, claim, settlement, state, by_rescue=by_rescue)
            if won is None:
                return None
            job = standing(job, won)
            rest = await graph.follow(session, job, claim, settlement, state, then=won["then_id"])
            changed = rules.settled(
                job,
                claim,
                state,
                settlement if seen is None else replace(settlement, trail=trail_of(seen)),
                started_at=won["started_at"],
                part=won["then_id"] is not None,
                goes_on=rest.goes_on,
            )
            told = await record(session, changed, won["at"])
            ended = _ended(changed.job.state)
            settled = Settled(
                task_state=state,
                job_state=ended,
                job_seconds=_took_s(job.run, job.created_at, None if ended is None else won["at"]),
                failed_outputs=sum(change.state is OutputState.FAILED for change in changed.outputs),
            )
            return _closed(claim, settled, told=told, rest=rest)

        closed = await self._pool.transaction(work)
        if closed is not None and closed.unneeded:
            await self._pool.rows(Statement.FLAG_PARTS, sorted(closed.unneeded))
            self._hints.send(f"cancel:{claim.job_id}")
        if closed is not None and claim.kind != NOTIFY:
            self._news.of(claim.tenant_id, claim.job_id)
        return closed

    async def parts(self, claim: Claim) -> Sequence[Part]:
        return [part_of(row) for row in await self._pool.rows(Statement.PARTS, claim.job_id)]

    async def note_chunks(self, claim: Claim) -> None:
        async def work(session: Session) -> None:
            job = await lock(session, claim.job_id)
            if job is None or await session.fetchrow(Statement.HOLD_TASK, claim.task_id, claim.epoch, job.id) is None:
                raise _lost(claim)
            await session.execute(Statement.NOTE_CHUNKS, job.id)

        await self._pool.transaction(work)

    async def _settled_before(self, claim: Claim) -> Settled:
        """The answer to a settle whose first answer was lost: nobody but the owner writes `done` at its epoch."""
        row = await self._pool.row(Statement.SETTLED_BEFORE, claim.task_id)
        if row is None or (row["state"], row["epoch"]) != (TaskState.DONE, claim.epoch):
            raise _lost(claim)
        took_s = _took_s(row["run"], row["created_at"], row["finished_at"])
        return Settled(task_state=TaskState.DONE, job_state=_ended(JobState(row["job_state"])), job_seconds=took_s)


def _took_s(run: int, created_at: datetime, ended_at: datetime | None) -> float | None:
    """Of a first run that has ended."""
    return (ended_at - created_at).total_seconds() if run == 1 and ended_at is not None else None


def _closed(claim: Claim, settled: Settled, *, told: bool = False, rest: graph.Rest = graph.NOTHING) -> _Closed:
    again = (claim.queue,) if settled.task_state is TaskState.WAITING else ()
    queues = again + ((IO,) if told else ()) + rest.queues
    return _Closed(settled=settled, queues=queues, unneeded=rest.unneeded)


def _ended(state: JobState | None) -> JobState | None:
    return state if state in JOB_ENDED else None


def _lost(claim: Claim) -> errors.LeaseLost:
    return errors.LeaseLost(f"task {claim.task_id} is not held at epoch {claim.epoch}")
