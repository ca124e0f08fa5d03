"""What callers do to jobs: the verbs that write."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from encoder import errors
from encoder.model.event import Event, EventType
from encoder.model.ids import JobId, OutputId
from encoder.model.state import JOB_ENDED, JobState, OutputState
from encoder.model.telling import ToldJob, ToldOutput
from encoder.store import changes as rules
from encoder.store.line import ENCODE, IO, NOTIFY_ATTEMPTS, root
from encoder.store.postgres import sql
from encoder.store.postgres.pool import Pooled, Row
from encoder.store.postgres.verbs import Verbs
from encoder.store.postgres.write import json_text, lock, record, standing
from encoder.store.rows import Accepted, NewJob


class Jobs(Verbs):
    async def enqueue(self, job: NewJob) -> Accepted:
        told = await self._ticket(job)
        while True:
            hinted = self._hints.rides()
            row = await self._pool.row(sql.ENQUEUE, *_values(job, told), hinted, job.upload_id)
            if row is not None:
                self._hints.send(*(() if hinted else (f"ready:{ENCODE}",)), *((f"ready:{IO}",) if told else ()))
                return Accepted(id=JobId(row["id"]), uuid=job.uuid, state=JobState.QUEUED, replayed=False)
            before = await self._pool.row(sql.ENQUEUED_BEFORE, job.tenant_id, job.idempotency_key)
            if before is not None and not before["stale"]:
                return _accepted_before(job, before)
            await self._pool.rows(sql.FREE_KEY, job.tenant_id, job.idempotency_key)

    async def cancel(self, job_id: JobId) -> JobState:
        async def work(connection: Pooled) -> tuple[JobState, bool]:
            job = await _locked(connection, job_id)
            if job.state in JOB_ENDED:
                raise errors.Rejected.because("job_ended", f"The job is {job.state} already.")
            return await _cancel(connection, job)

        state, told = await self._pool.transaction(work)
        self._hints.send(f"cancel:{job_id}", *((f"ready:{IO}",) if told else ()))
        return state

    async def retry(self, job_id: JobId, *, max_attempts: int) -> int:
        async def work(connection: Pooled) -> int:
            job = await _locked(connection, job_id)
            if job.state not in (JobState.FAILED, JobState.CANCELLED):
                raise errors.Rejected.because("nothing_to_retry", f"The job is {job.state}.")
            if job.secrets_erased:
                raise errors.Rejected.because("secrets_erased", "The secrets of the job were erased after its end.")
            name = root(job.run + 1)
            (opened,) = await connection.fetch(sql.OPEN_ROOT, job_id, name, -job.spec.priority, max_attempts)
            changed = rules.retried(standing(job, opened))
            await record(connection, changed, opened["at"])
            return changed.job.run

        run = await self._pool.transaction(work)
        self._hints.send(f"ready:{ENCODE}")
        return run

    async def delete(self, job_id: JobId) -> None:
        async def work(connection: Pooled) -> None:
            job = await lock(connection, job_id)
            if job is not None and job.state not in JOB_ENDED:
                await _cancel(connection, job)
            await connection.execute(sql.HIDE, job_id)

        await self._pool.transaction(work)
        self._hints.send(f"cancel:{job_id}")

    async def erase_secrets(self, *, ended_for: timedelta, limit: int) -> int:
        (row,) = await self._pool.rows(sql.ERASE_SECRETS, ended_for, limit)
        return int(row["erased"])

    async def _ticket(self, job: NewJob) -> tuple[JobId, datetime, rules.Delivery] | None:
        """Number, time and first delivery of a job with a receiver: the text that it is told names them."""
        if job.spec.notification_url is None:
            return None
        (row,) = await self._pool.rows(sql.TICKET)
        event = Event(seq=1, type=EventType.JOB_SUBMITTED, at=row["at"], run=1)
        told = _told(job, JobId(row["id"]))
        return told.id, event.at, rules.delivery(event, told, job.spec.notification_url)


async def _locked(connection: Pooled, job_id: JobId) -> rules.Standing:
    job = await lock(connection, job_id)
    if job is None or job.deleted:
        raise errors.Rejected.because("not_found", "There is no such job.")
    return job


async def _cancel(connection: Pooled, job: rules.Standing) -> tuple[JobState, bool]:
    """End what does not run and flag what runs: in this order, a claim that won in between is flagged."""
    await connection.execute(sql.CANCEL_TASKS, job.id)
    (flagged,) = await connection.fetch(sql.FLAG_LEASES, job.id)
    changed = rules.cancel_requested(standing(job, flagged), running=flagged["running"] > 0)
    told = await record(connection, changed, flagged["at"])
    return changed.job.state, told


def _values(job: NewJob, ticket: tuple[JobId, datetime, rules.Delivery] | None) -> Sequence[object]:
    job_id, at, told = ticket or (None, None, None)
    return (
        job_id,
        at,
        job.uuid,
        job.tenant_id,
        json_text(job.spec),
        job.label,
        job.spec.tags,
        job.sealed,
        job.idempotency_key,
        job.body_hash,
        len(job.spec.outputs),
        -job.spec.priority,
        job.max_attempts,
        EventType.JOB_SUBMITTED,
        told and told.webhook_id,
        told and told.url,
        told and told.body,
        NOTIFY_ATTEMPTS,
    )


def _told(job: NewJob, job_id: JobId) -> ToldJob:
    outputs = (ToldOutput(id=OutputId(at), state=OutputState.QUEUED) for at in range(len(job.spec.outputs)))
    return ToldJob(
        id=job_id,
        uuid=job.uuid,
        state=JobState.QUEUED,
        metadata=job.spec.metadata,
        tags=job.spec.tags,
        problem=None,
        outputs=tuple(outputs),
    )


def _accepted_before(job: NewJob, before: Row) -> Accepted:
    if before["body_hash"] != job.body_hash:
        raise errors.Rejected.because("idempotency_mismatch", "The key was used for another body within 24 hours.")
    return Accepted(id=JobId(before["id"]), uuid=before["uuid"], state=JobState(before["state"]), replayed=True)
