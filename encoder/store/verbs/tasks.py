"""What workers do with tasks: the verbs of the queue."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from encoder import errors
from encoder.model.ids import TaskId, WorkerId
from encoder.model.media import Media
from encoder.model.state import JOB_ENDED, JobState, TaskState
from encoder.store import changes as rules
from encoder.store.engine import Session
from encoder.store.line import FLOOR, IO, NOTIFY
from encoder.store.rows import Claim, Expired, JobRow, OutputChange, Settled, Settlement
from encoder.store.statements import Statement
from encoder.store.verbs import telling
from encoder.store.verbs.base import Verbs
from encoder.store.verbs.read import claim_of
from encoder.store.verbs.reading import read_job
from encoder.store.verbs.write import close_task, lock, record, standing


@dataclass(frozen=True, slots=True, kw_only=True)
class _Closed:
    """What a settle did, and whom it gives work."""

    settled: Settled
    queues: tuple[str, ...]


class Tasks(Verbs):
    async def claim(
        self, queue: str, worker_id: WorkerId, *, limit: int, lease: timedelta, deadline: timedelta
    ) -> Sequence[Claim]:
        claims: list[Claim] = []
        while len(claims) < limit:
            wanted = limit - len(claims)
            try:
                rows = await self._pool.rows(Statement.CLAIM, queue, FLOOR, wanted, worker_id, lease, deadline)
            except errors.StoreUnavailable:
                if claims:
                    break  # what is won must be held
                raise
            claims += [claim_of(row) for row in rows if row["task_id"] is not None]
            if rows[0]["picked"] < wanted:
                break  # else some were tombstones, and more may stand behind them
        return claims

    async def load(self, claim: Claim) -> JobRow:
        found = await read_job(self._pool, job_id=claim.job_id, also_deleted=True)
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
        return [Expired(claim=claim_of(row), by_deadline=row["by_deadline"]) for row in rows]

    async def held(self, task_id: TaskId, epoch: int) -> Claim | None:
        row = await self._pool.row(Statement.HELD, task_id, epoch)
        return None if row is None else claim_of(row)

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
                return _closed(claim, settlement.state) if closed else None
            job = await lock(session, claim.job_id, Statement.LOCK_FREE_JOB if by_rescue else Statement.LOCK_JOB)
            if job is None:
                return None
            state = rules.end_of(job, settlement)
            won = await close_task(session, claim, settlement, state, by_rescue=by_rescue)
            if won is None:
                return None
            changed = rules.settled(standing(job, won), claim, state, settlement)
            told = await record(session, changed, won["at"])
            return _closed(claim, state, changed.job.state, told=told)

        return await self._pool.transaction(work)

    async def _settled_before(self, claim: Claim) -> Settled:
        """The answer to a settle whose first answer was lost: nobody but the owner writes `done` at its epoch."""
        row = await self._pool.row(Statement.SETTLED_BEFORE, claim.task_id)
        if row is None or (row["state"], row["epoch"]) != (TaskState.DONE, claim.epoch):
            raise _lost(claim)
        return Settled(task_state=TaskState.DONE, job_state=_ended(JobState(row["job_state"])))


def _closed(claim: Claim, state: TaskState, job_state: JobState | None = None, *, told: bool = False) -> _Closed:
    queues = ((claim.queue,) if state is TaskState.READY else ()) + ((IO,) if told else ())
    return _Closed(settled=Settled(task_state=state, job_state=_ended(job_state)), queues=queues)


def _ended(state: JobState | None) -> JobState | None:
    return state if state in JOB_ENDED else None


def _lost(claim: Claim) -> errors.LeaseLost:
    return errors.LeaseLost(f"task {claim.task_id} is not held at epoch {claim.epoch}")
