"""Two hands on one row: a third holds it until both wait, then lets go; there is one winner."""

from __future__ import annotations

import asyncio
import random
from collections import Counter

import pytest

from encoder import errors
from encoder.model.event import JOB_OVER, EventType
from encoder.model.ids import DEFAULT_TENANT, JobId
from encoder.model.state import JobState, TaskState
from encoder.queue import settle as decide
from encoder.store.protocol import Store
from encoder.store.rows import Accepted, Beat, Claim, Pulse
from tests.lab import work
from tests.lab.databases import ask
from tests.lab.referee import Referee

pytestmark = pytest.mark.both_databases


@pytest.fixture
def referee(dsn: str) -> Referee:
    return Referee(dsn)


async def silent(store: Store) -> tuple[Accepted, Claim]:
    """A claim whose lease has run out."""
    job = await work.enqueue(store)
    return job, await work.claim_one(store, lease=work.PAST)


async def ends(store: Store, job_id: JobId) -> list[EventType]:
    return [event.type for event in await store.events(job_id) if event.type in JOB_OVER]


async def beat(store: Store, claim: Claim) -> list[Pulse]:
    heart = store.heart()
    try:
        return list(
            await heart.beat(work.new_worker().id, [Beat(task_id=claim.task_id, epoch=claim.epoch)], lease=work.LEASE)
        )
    finally:
        await heart.close()


async def test_a_settle_that_has_the_job_wins_over_a_rescue(store: Store, referee: Referee) -> None:
    job, claim = await silent(store)
    async with referee.holding("tasks", "id", claim.task_id):
        settle = await referee.until_waiting(store.settle(claim, work.done(0)), waiting=1)
        assert await store.rescue(claim, work.LOST) is None  # it does not wait
    assert (await settle).job_state is JobState.COMPLETED
    assert await ends(store, job.id) == [EventType.JOB_COMPLETED]


async def test_a_rescue_that_has_the_job_wins_over_a_settle(store: Store, referee: Referee) -> None:
    job, claim = await silent(store)
    async with referee.holding("tasks", "id", claim.task_id):
        rescue = await referee.until_waiting(store.rescue(claim, work.LOST), waiting=1)
        settle = await referee.until_waiting(store.settle(claim, work.done(0)), waiting=2)
    rescued = await rescue
    assert rescued is not None
    assert rescued.task_state is TaskState.WAITING
    with pytest.raises(errors.LeaseLost):
        await settle
    assert await ends(store, job.id) == []


async def test_a_settle_that_has_the_job_wins_over_a_cancel(store: Store, referee: Referee) -> None:
    job, claim = await work.working(store)
    async with referee.holding("tasks", "id", claim.task_id):
        settle = await referee.until_waiting(store.settle(claim, work.done(0)), waiting=1)
        cancel = await referee.until_waiting(store.cancel(job.id), waiting=2)
    await settle
    with pytest.raises(errors.Rejected):
        await cancel
    assert await ends(store, job.id) == [EventType.JOB_COMPLETED]


async def test_a_cancel_that_has_the_job_turns_the_retry_of_a_settle_into_the_end(
    store: Store, referee: Referee
) -> None:
    job, claim = await work.working(store)
    async with referee.holding("task_leases", "task_id", claim.task_id):
        cancel = await referee.until_waiting(store.cancel(job.id), waiting=1)
        settle = await referee.until_waiting(store.settle(claim, work.retrying()), waiting=2)
    assert await cancel is JobState.QUEUED
    assert (await settle).job_state is JobState.CANCELLED
    assert await ends(store, job.id) == [EventType.JOB_CANCELLED]


async def test_a_beat_that_comes_first_saves_the_lease_from_the_rescue(store: Store, referee: Referee) -> None:
    _, claim = await silent(store)
    async with referee.holding("task_leases", "task_id", claim.task_id):
        beating = await referee.until_waiting(beat(store, claim), waiting=1)
        rescue = await referee.until_waiting(store.rescue(claim, work.LOST), waiting=2)
    assert len(await beating) == 1
    assert await rescue is None


async def test_a_rescue_that_comes_first_leaves_nothing_to_beat(store: Store, referee: Referee) -> None:
    _, claim = await silent(store)
    async with referee.holding("task_leases", "task_id", claim.task_id):
        rescue = await referee.until_waiting(store.rescue(claim, work.LOST), waiting=1)
        beating = await referee.until_waiting(beat(store, claim), waiting=2)
    assert await rescue is not None
    assert await beating == []


async def test_a_claim_that_wins_between_the_halves_of_a_cancel_is_flagged(
    store: Store, referee: Referee, dsn: str
) -> None:
    _, job = await work.lined_up(store)
    (task_id,) = await task_ids(dsn, job.id)
    async with referee.holding("tasks", "id", task_id):
        claiming = await referee.until_waiting(work.claim_one(store), waiting=1)
        cancel = await referee.until_waiting(store.cancel(job.id), waiting=2)
    assert await cancel is JobState.QUEUED
    (pulse,) = await beat(store, await claiming)
    assert pulse.cancel


async def test_a_cancel_that_comes_first_leaves_nothing_to_claim(store: Store, referee: Referee, dsn: str) -> None:
    _, job = await work.lined_up(store)
    (task_id,) = await task_ids(dsn, job.id)
    async with referee.holding("tasks", "id", task_id):
        cancel = await referee.until_waiting(store.cancel(job.id), waiting=1)
        claiming = await referee.until_waiting(work.claim(store), waiting=2)
    assert await cancel is JobState.CANCELLED
    assert await claiming == []


async def test_a_late_settle_does_not_reach_the_next_run(store: Store) -> None:
    job, zombie = await silent(store)
    assert await store.rescue(zombie, work.failing()) is not None
    await store.retry(job.id, max_attempts=3)
    with pytest.raises(errors.LeaseLost):
        await store.settle(zombie, work.done(0))
    assert (await work.claim_one(store)).name == "t2"


async def test_a_cancel_against_a_completion_leaves_one_end(store: Store) -> None:
    """O10, G11"""
    won: Counter[JobState] = Counter()
    for _ in range(100):
        job, claim = await work.working(store, hook=work.HOOK)
        settled, cancelled = await asyncio.gather(
            store.settle(claim, work.done(0)), store.cancel(job.id), return_exceptions=True
        )
        assert not isinstance(settled, BaseException)
        assert isinstance(cancelled, errors.Rejected | JobState)
        found = await store.job(DEFAULT_TENANT, str(job.id))
        assert found is not None
        assert await ends(store, job.id) == [f"job.{found.state}"]
        won[found.state] += 1
    assert set(won) <= {JobState.COMPLETED, JobState.CANCELLED}


async def task_ids(dsn: str, job_id: JobId) -> list[int]:
    return [id_ for (id_,) in await ask(dsn, f"SELECT id FROM tasks WHERE job_id = {job_id}")]  # noqa: S608  # a number


class Crowd:
    """Workers that work, fail, give back, fall silent and come back, rescuers and people who cancel: all at once."""

    def __init__(self, store: Store, jobs: list[JobId], chance: random.Random) -> None:
        self._store = store
        self._jobs = jobs
        self._chance = chance
        self.settles: Counter[tuple[int, int]] = Counter()

    async def run(self) -> None:
        await asyncio.gather(
            *(self._worker() for _ in range(5)),
            *(self._rescuer() for _ in range(2)),
            self._canceller(),
            self._sweeper(),
        )

    async def _open(self) -> bool:
        stats = await self._store.stats(DEFAULT_TENANT)
        return stats.jobs[JobState.QUEUED] + stats.jobs[JobState.PROCESSING] > 0

    async def _worker(self) -> None:
        while await self._open():
            lease = self._chance.choice((work.PAST, work.LEASE))
            for claim in await work.claim(self._store, limit=2, lease=lease):
                try:
                    await self._attempt(claim)
                except errors.LeaseLost:
                    continue

    async def _attempt(self, claim: Claim) -> None:
        await self._store.mark(claim)
        await beat(self._store, claim)
        failed = decide.after_failure(claim, errors.Transient("timeout", ""), encoded=True, uniform=lambda *_: 0.0)
        ending = self._chance.choice((work.done(0), work.failing(), work.RELEASED, failed, work.CANCELLED))
        await self._store.settle(claim, ending)
        self.settles[(claim.task_id, claim.epoch)] += 1

    async def _rescuer(self) -> None:
        while await self._open():
            for expired in await self._store.expired():
                if await self._store.rescue(expired.claim, decide.lost(expired.claim)):
                    self.settles[(expired.claim.task_id, expired.claim.epoch)] += 1

    async def _canceller(self) -> None:
        for job in self._chance.sample(self._jobs, len(self._jobs) // 4):
            try:
                await self._store.cancel(job)
            except errors.Rejected:
                continue

    async def _sweeper(self) -> None:
        while await self._open():
            await self._store.due()


@pytest.mark.parametrize("seed", range(3))
async def test_in_a_crowd_each_job_ends_once_and_each_epoch_is_settled_once(store: Store, dsn: str, seed: int) -> None:
    """K9, G2, G3, V2, V3, V12"""
    jobs = [(await work.enqueue(store, hook=work.HOOK)).id for _ in range(40)]
    crowd = Crowd(store, jobs, random.Random(seed))  # noqa: S311  # chance that can be repeated
    async with asyncio.timeout(60):
        await crowd.run()

    for job in jobs:
        assert len(await ends(store, job)) == 1
    assert set(crowd.settles.values()) == {1}
    epochs = await ask(
        dsn,
        "SELECT t.epoch, t.lost, t.attempt, t.released, count(e.epoch)"
        " FROM tasks t LEFT JOIN job_events e ON e.task_id = t.id WHERE t.kind <> 'notify' GROUP BY t.id",
    )
    left = await ask(
        dsn,
        "SELECT (SELECT count(*) FROM task_leases) + ("
        " SELECT count(*) FROM task_ready r JOIN tasks t ON t.id = r.task_id"
        " WHERE t.state NOT IN ('ready', 'cancelled'))",
    )
    twice = await ask(
        dsn,
        "SELECT count(*) FROM (SELECT 1 AS one FROM webhook_deliveries GROUP BY job_id, event_seq HAVING count(*) > 1)"
        " AS twice",
    )
    for row in epochs:
        epoch, lost, attempt, released, settled = row
        assert settled == epoch, row
        assert attempt + released == epoch, row
        assert lost <= decide.MOST_LOST
    assert (left, twice) == ([(0,)], [(0,)])
