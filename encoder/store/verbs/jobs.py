"""What callers do to jobs: the verbs that write."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import datetime, timedelta

from encoder import errors
from encoder.model.event import Event, EventType
from encoder.model.ids import JobId, OutputId, TenantId
from encoder.model.queue import IO
from encoder.model.receiver import Receiver, of_job
from encoder.model.state import JOB_ENDED, JobState, OutputState
from encoder.model.telling import ToldJob, ToldOutput
from encoder.store import changes as rules
from encoder.store.engine import Row, Session
from encoder.store.line import root
from encoder.store.rows import Accepted, NewJob
from encoder.store.statements import Statement
from encoder.store.sweeps import BEGINNING, Freed, Looked
from encoder.store.verbs.base import Verbs
from encoder.store.verbs.write import lock, record, standing


class Jobs(Verbs, ABC):
    @abstractmethod
    async def _insert(self, job: NewJob) -> JobId | None:
        """Enqueue, as the engine does it best: everything in one transaction, then the hints.

        None when the idempotency key was used before.
        """

    async def enqueue(self, job: NewJob) -> Accepted:
        while True:
            job_id = await self._insert(job)
            if job_id is not None:
                self._news.of(job.tenant_id, job_id)
                return Accepted(id=job_id, uuid=job.uuid, state=JobState.QUEUED, replayed=False)
            before = await self.enqueued(job.tenant_id, job.idempotency_key, job.body_hash)
            if before is not None:
                return before
            await self._pool.rows(Statement.FREE_KEY, job.tenant_id, job.idempotency_key)

    async def enqueued(self, tenant_id: TenantId, key: str | None, body_hash: bytes | None) -> Accepted | None:
        if key is None:
            return None
        before = await self._pool.row(Statement.ENQUEUED_BEFORE, tenant_id, key)
        return None if before is None or before["stale"] else _accepted_before(body_hash, before)

    async def cancel(self, job_id: JobId) -> JobState:
        async def work(session: Session) -> tuple[JobState, bool, TenantId]:
            job = await _locked(session, job_id)
            if job.state in JOB_ENDED:
                raise errors.Rejected.because("job_ended", f"The job is {job.state} already.")
            return *await _cancel(session, job), job.tenant_id

        state, told, tenant_id = await self._pool.transaction(work)
        self._hints.send(f"cancel:{job_id}", *((f"ready:{IO}",) if told else ()))
        self._news.of(tenant_id, job_id)
        return state

    async def retry(self, job_id: JobId, *, max_attempts: int) -> int:
        async def work(session: Session) -> rules.Standing:
            job = await _locked(session, job_id)
            if job.purging:
                raise errors.Rejected.because("job_expired", "The time of the job is over: it is being removed.")
            if job.state not in (JobState.FAILED, JobState.CANCELLED):
                raise errors.Rejected.because("nothing_to_retry", f"The job is {job.state}.")
            if job.secrets_erased:
                raise errors.Rejected.because("secrets_erased", "The secrets of the job were erased after its end.")
            name = root(job.run + 1)
            how = name, -job.spec.priority, max_attempts, job.spec.queue
            (opened,) = await session.fetch(Statement.OPEN_ROOT, job_id, *how)
            changed = rules.retried(standing(job, opened))
            await record(session, changed, opened["at"])
            return changed.job

        job = await self._pool.transaction(work)
        self._hints.send(f"ready:{job.spec.queue}")
        self._news.of(job.tenant_id, job_id)
        return job.run

    async def delete(self, job_id: JobId) -> None:
        async def work(session: Session) -> rules.Standing | None:
            job = await lock(session, job_id)
            if job is not None and job.state not in JOB_ENDED:
                await _cancel(session, job)
            await session.execute(Statement.HIDE, job_id)
            return job

        job = await self._pool.transaction(work)
        self._hints.send(f"cancel:{job_id}")
        if job is not None:
            self._news.of(job.tenant_id, job_id)

    async def erase_secrets(self, *, ended_for: timedelta, look: int, after: Looked | None = None) -> Freed | None:
        place = after or BEGINNING
        row = await self._pool.row(Statement.ERASE_SECRETS, ended_for, look, place.at, place.id)
        return None if row is None else Freed(count=row["erased"], last=Looked(at=row["at"], id=JobId(row["id"])))


async def _locked(session: Session, job_id: JobId) -> rules.Standing:
    job = await lock(session, job_id)
    if job is None or job.deleted:
        raise errors.Rejected.because("not_found", "There is no such job.")
    return job


async def _cancel(session: Session, job: rules.Standing) -> tuple[JobState, bool]:
    """End what does not run and flag what runs: in this order, a claim that won in between is flagged."""
    await session.execute(Statement.CANCEL_TASKS, job.id)
    (flagged,) = await session.fetch(Statement.FLAG_LEASES, job.id)
    changed = rules.cancel_requested(standing(job, flagged), running=flagged["running"] > 0)
    told = await record(session, changed, flagged["at"])
    return changed.job.state, told


def first_deliveries(
    job: NewJob, job_id: JobId, at: datetime, endpoints: Sequence[Receiver]
) -> Sequence[rules.Delivery]:
    """What receivers of a job are told first: that it was submitted."""
    outputs = (ToldOutput(id=OutputId(at), state=OutputState.QUEUED) for at in range(len(job.spec.outputs)))
    told = ToldJob(
        id=job_id,
        uuid=job.uuid,
        created_at=at,
        state=JobState.QUEUED,
        spec=job.spec,
        problem=None,
        outputs=tuple(outputs),
    )
    submitted = Event(seq=1, type=EventType.JOB_SUBMITTED, at=at, run=1)
    return tuple(rules.tellings(submitted, told, (*of_job(job.spec), *endpoints)))


def _accepted_before(body_hash: bytes | None, before: Row) -> Accepted:
    if before["body_hash"] != body_hash:
        raise errors.Rejected.because("idempotency_mismatch", "The key was used for another body within 24 hours.")
    return Accepted(id=JobId(before["id"]), uuid=before["uuid"], state=JobState(before["state"]), replayed=True)
