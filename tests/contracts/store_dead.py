"""What every store tells of what failed."""

from __future__ import annotations

from datetime import datetime, timedelta

from encoder.errors import FailureClass
from encoder.model.ids import DEFAULT_TENANT, JobId, TenantId
from encoder.model.result import Problem
from encoder.store.dead import DeadFilter, DeadJob
from encoder.store.protocol import Store
from encoder.store.rows import Accepted
from tests.lab import work

OTHER_TENANT = TenantId(2)
LOST = Problem(code="worker_lost", message="Thrice.", kind=FailureClass.CRASH, retryable=True)


async def failed(store: Store, why: Problem | None = None, **wanted: object) -> Accepted:
    job, claim = await work.working(store, **wanted)
    await store.settle(claim, work.failing(why))
    return job


async def failed_at(store: Store, job: Accepted) -> datetime:
    found = await store.job(DEFAULT_TENANT, str(job.id))
    assert found is not None
    assert found.finished_at is not None
    return found.finished_at


async def chosen(store: Store, **wanted: object) -> list[JobId]:
    page = await store.dead_jobs(DeadFilter(tenant_id=DEFAULT_TENANT, **wanted))  # type: ignore[arg-type]  # its members
    return [job.id for job in page.jobs]


class DeadLetterSuite:
    async def test_what_failed_alike_is_one_group_with_its_first_and_last_time(self, store: Store) -> None:
        await failed(store)
        lost = [await failed(store, LOST) for _ in range(3)]
        await failed(store, LOST, tenant=OTHER_TENANT)
        await work.enqueue(store)

        most, other = await store.dead_groups(DEFAULT_TENANT)
        assert (most.code, most.kind, most.jobs) == ("worker_lost", FailureClass.CRASH, 3)
        assert (most.first_at, most.last_at) == (await failed_at(store, lost[0]), await failed_at(store, lost[2]))
        assert (other.code, other.kind, other.jobs) == ("source_truncated", FailureClass.PERMANENT, 1)
        late = await store.dead_groups(DEFAULT_TENANT, failed_after=await failed_at(store, lost[1]))
        assert [(group.code, group.jobs) for group in late] == [("worker_lost", 2)]
        early = await store.dead_groups(DEFAULT_TENANT, failed_before=await failed_at(store, lost[0]))
        assert [(group.code, group.jobs) for group in early] == [("source_truncated", 1)]

    async def test_what_runs_again_or_is_deleted_is_dead_no_more(self, store: Store) -> None:
        again, deleted, left = [await failed(store) for _ in range(3)]
        await store.retry(again.id, max_attempts=3)
        await store.delete(deleted.id)
        assert [group.jobs for group in await store.dead_groups(DEFAULT_TENANT)] == [1]
        assert await chosen(store) == [left.id]

    async def test_dead_jobs_are_chosen_by_code_class_and_time(self, store: Store) -> None:
        first, lost, last = await failed(store), await failed(store, LOST), await failed(store)
        await failed(store, tenant=OTHER_TENANT)
        middle = await failed_at(store, lost)

        assert await chosen(store) == [first.id, lost.id, last.id]
        assert await chosen(store, code="worker_lost") == [lost.id]
        assert await chosen(store, code="worker_los_") == []
        assert await chosen(store, kind=FailureClass.PERMANENT) == [first.id, last.id]
        assert await chosen(store, code="worker_lost", kind=FailureClass.PERMANENT) == []
        assert await chosen(store, failed_after=middle) == [lost.id, last.id]
        assert await chosen(store, failed_before=middle) == [first.id]

    async def test_looks_go_from_old_to_new_over_what_does_not_match_and_miss_none(self, store: Store) -> None:
        jobs = [(await failed(store, LOST if number % 3 == 1 else None)).id for number in range(7)]
        seen: list[JobId] = []
        looks, after = 0, None
        while looks == 0 or after is not None:
            page = await store.dead_jobs(
                DeadFilter(tenant_id=DEFAULT_TENANT, kind=FailureClass.CRASH, after=after, look=2)
            )
            seen += [job.id for job in page.jobs]
            looks, after = looks + 1, page.after
        assert seen == [jobs[1], jobs[4]]
        assert looks == 4

    async def test_a_dead_job_whose_secrets_are_erased_is_told_as_such(self, store: Store) -> None:
        job = await failed(store, sealed=b"secret")
        await store.erase_secrets(ended_for=timedelta(0), look=10)
        page = await store.dead_jobs(DeadFilter(tenant_id=DEFAULT_TENANT))
        assert page.jobs == [DeadJob(id=job.id, secrets_erased=True)]
