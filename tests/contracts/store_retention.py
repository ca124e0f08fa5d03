"""What every store takes away."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from encoder import errors
from encoder.model.ids import DEFAULT_TENANT, TenantId
from encoder.model.policy import Policy, Rule
from encoder.model.result import Delivered, Intent, Piece
from encoder.model.state import JobState, OutputState
from encoder.store.protocol import Store
from encoder.store.rows import Accepted, DeliveryTry, Ended
from encoder.store.sweeps import Looked, SweepEnd
from tests.contracts.store_graph import in_parts
from tests.lab import work

AT_ONCE = timedelta(0)
SOON = 1e-9  # hours
ALL = Policy(hours=SOON)
KEPT = Rule(hours=0, tag="retain")
HEARD = DeliveryTry(state="delivered", status=204, error=None, answer="")


async def ended(store: Store, **wanted: object) -> Accepted:
    """A job of one output that was cancelled."""
    job = await work.enqueue(store, **wanted)
    await store.cancel(job.id)
    return job


async def tell_all(store: Store) -> None:
    for claim in await work.claim(store, queue="io", limit=10):
        await store.settle_delivery(claim, HEARD, work.DONE)


async def due(store: Store, policy: Policy = ALL) -> list[Ended]:
    return list((await store.due_jobs(policy, look=10)).jobs)


class RetentionSuite:
    async def test_what_ended_is_found_in_order_behind_a_place_and_what_lives_is_not(self, store: Store) -> None:
        await work.enqueue(store)
        jobs = [await ended(store) for _ in range(3)]
        found = await due(store)
        assert [each.id for each in found] == [job.id for job in jobs]
        assert [each.uuid for each in found] == [job.uuid for job in jobs]
        assert [each.at for each in found] == sorted(each.at for each in found)
        first = await store.due_jobs(ALL, look=2)
        assert (list(first.jobs), first.last) == (found[:2], found[1])
        rest = await store.due_jobs(ALL, look=2, after=first.last)
        assert (list(rest.jobs), rest.last) == (found[2:], found[2])
        assert (await store.due_jobs(ALL, look=2, after=rest.last)).last is None
        assert await due(store, Policy(hours=1)) == []
        assert await due(store, Policy(hours=0)) == []

    async def test_the_first_rule_that_a_job_fits_counts(self, store: Store) -> None:
        other = TenantId(9)
        kept = await ended(store, tags=("a", "retain"))
        jobs = [await ended(store, tags=("a", "b ")), await ended(store, tenant=other), await ended(store)]
        both = Policy(hours=1, rules=(KEPT, Rule(hours=SOON, tag="b "), Rule(hours=SOON, tenant=other)))
        found = await due(store, both)
        assert [(each.id, each.rule) for each in found] == [(jobs[0].id, 1), (jobs[1].id, 2)]
        assert [each.id for each in await due(store, Policy(hours=SOON, rules=(KEPT,)))] == [job.id for job in jobs]
        rules = (Rule(hours=1, tag="b", status=JobState.CANCELLED), Rule(hours=0, status=JobState.CANCELLED))
        assert await due(store, Policy(hours=SOON, rules=rules)) == []
        mixed = Policy(hours=0, rules=(Rule(hours=SOON, tag="a", tenant=other), Rule(hours=2, tag="a")))
        assert await due(store, mixed) == []
        looked = await store.due_jobs(Policy(hours=1, rules=(Rule(hours=SOON, tag="none"),)), look=2)
        assert (looked.jobs, looked.last and looked.last.id) == ([], jobs[0].id)
        assert kept.id < jobs[0].id

    async def test_what_is_marked_is_run_by_nobody_again_and_found_until_it_is_gone(self, store: Store) -> None:
        job, other = await ended(store), await ended(store)
        (running,) = [await work.enqueue(store)]
        assert await store.mark_jobs([job.id, running.id]) == [job.id]
        assert [each.id for each in await due(store)] == [other.id]
        (marked,) = await store.marked_jobs(limit=10)
        assert await store.mark_jobs([job.id]) == [job.id]
        assert await store.marked_jobs(limit=10) == [marked]
        assert await store.marked_jobs(limit=10, after=marked) == []
        assert await store.marked_jobs(limit=10, marked_for=timedelta(hours=1)) == []
        row = await store.job(DEFAULT_TENANT, str(job.id))
        assert row is not None
        assert row.purging
        assert (await store.is_purging(job.uuid), await store.is_purging(other.uuid)) == (True, False)
        with pytest.raises(errors.Rejected) as refused:
            await store.retry(job.id, max_attempts=3)
        assert [fault.code for fault in refused.value.faults] == ["job_expired"]
        (late,) = await due(store)
        assert await store.mark_jobs([other.id], ended_by=late.at - timedelta(seconds=1)) == []
        assert await store.mark_jobs([other.id], ended_by=late.at) == [other.id]
        assert sorted(await store.remove_jobs([job.id, other.id])) == [job.id, other.id]
        assert await store.marked_jobs(limit=10) == []

    async def test_where_outputs_stand_or_were_to_stand_is_told(self, store: Store) -> None:
        job, claim = await work.working(store, outputs=3)
        made = Delivered(uri="storage:jobs/a/0/", size_bytes=7, sha256="a", files=("x.m3u8", "v/1.m4s"))
        meant = Delivered(uri="storage:jobs/a/1.mp4", size_bytes=9, sha256="b", files=("1.mp4",))
        piece, token = Piece(name="", size_bytes=9, sha256="b"), f"{claim.task_id}-{claim.epoch}"
        await store.mark(
            claim,
            [
                work.change(0, OutputState.UPLOADED, delivered=made),
                work.change(1, OutputState.ENCODING, intent=Intent(token=token, promised=meant, pieces=(piece,))),
            ],
        )
        first, second, third = await store.places_of([job.id])
        assert (set(first.uris), set(first.files), first.size_bytes) == ({made.uri}, {*made.files}, 7)
        assert (second.job_id, second.output, set(second.uris), second.size_bytes) == (job.id, 1, {meant.uri}, 0)
        assert (third.uris, third.files) == (frozenset(), frozenset())

    async def test_which_jobs_there_are_is_told_and_what_lives_of_them(self, store: Store) -> None:
        over, lives, gone = await ended(store), await work.enqueue(store), work.new_job().uuid
        told = await ended(store, hook=work.HOOK)
        there = await store.jobs_there([over.uuid, lives.uuid, gone, told.uuid])
        assert there == {over.uuid: False, lives.uuid: True, told.uuid: True}

    async def test_jobs_that_need_their_chunks_no_more_are_found_until_those_are_gone(self, store: Store) -> None:
        jobs = []
        for _ in range(4):
            job, claim = await work.working(store)
            await store.note_chunks(claim)
            await store.note_chunks(claim)  # a second attempt
            jobs.append((job, claim))
        (done, first), (cancelled, second), (failed, third), (deleted, fourth) = jobs
        assert await store.chunked_jobs(limit=9) == []
        await store.settle(first, work.done(0))
        await store.cancel(cancelled.id)
        assert [each.id for each in await store.chunked_jobs(limit=9)] == [done.id]  # the other one is about to stop
        await store.settle(second, work.CANCELLED)
        await store.settle(third, work.failing())
        await store.settle(fourth, work.failing())
        await store.delete(deleted.id)
        found = await store.chunked_jobs(limit=9)
        assert [(each.id, each.uuid) for each in found] == [(job.id, job.uuid) for job in (done, cancelled, deleted)]
        assert list(await store.chunked_jobs(limit=1, after=found[0])) == [found[1]]
        other = await ended(store)
        assert await store.have_chunks([done.id, failed.id, other.id]) == {done.id, failed.id}
        with pytest.raises(errors.LeaseLost):
            await store.note_chunks(first)

        await store.forget_chunks([done.id, cancelled.id], ended_by=found[0].at)  # the second ended later
        assert [each.id for each in await store.chunked_jobs(limit=9)] == [cancelled.id, deleted.id]
        await store.retry(cancelled.id, max_attempts=3)
        assert [each.id for each in await store.chunked_jobs(limit=9)] == [deleted.id]
        await store.forget_chunks([cancelled.id], ended_by=max(each.at for each in found))
        assert await store.have_chunks([done.id, cancelled.id]) == {cancelled.id}
        assert await store.remove_jobs([failed.id]) == [failed.id]
        assert await store.have_chunks([failed.id]) == frozenset()

    async def test_a_job_that_had_parts_may_have_chunks_though_they_were_cleared(self, store: Store) -> None:
        job, (first,) = await in_parts(store, 1)
        await store.settle(first, work.failing())
        assert await store.have_chunks([job.id]) == {job.id}

    async def test_keys_are_freed_in_order_behind_a_place(self, store: Store) -> None:
        keyed = await work.enqueue(store, key="one", body=b"a")
        await work.enqueue(store)
        last = await work.enqueue(store, key="two", body=b"a")
        assert await store.free_keys(used_for=timedelta(hours=1), look=10) is None
        first = await store.free_keys(used_for=AT_ONCE, look=2)
        assert first is not None
        assert first.count == 1
        assert await store.enqueued(DEFAULT_TENANT, "one", b"a") is None
        rest = await store.free_keys(used_for=AT_ONCE, look=2, after=first.last)
        assert rest is not None
        assert (rest.count, rest.last.id) == (1, last.id)
        assert await store.free_keys(used_for=AT_ONCE, look=2, after=rest.last) is None
        again = await store.free_keys(used_for=AT_ONCE, look=9, after=Looked(at=first.last.at, id=keyed.id))
        assert again is not None
        assert again.count == 0

    async def test_workers_that_hold_something_are_not_forgotten(self, store: Store) -> None:
        idle, busy = work.new_worker("idle"), work.new_worker("busy")
        for worker in (idle, busy):
            await store.hello(worker)
        await work.enqueue(store)
        await work.claim(store, worker=busy.id)
        assert await store.forget_workers(unseen_for=timedelta(hours=1)) == 0
        assert await store.forget_workers(unseen_for=AT_ONCE) == 1
        assert [row.info.id for row in await store.workers(seen_within=timedelta(hours=1))] == [busy.id]

    async def test_sweeps_are_kept_and_what_they_removed_never_falls(self, store: Store) -> None:
        policy = Policy(hours=2, rules=(KEPT,))
        assert await store.swept() == {}
        one = await store.begin_sweep(host="h", version="1", policy=policy)
        await store.note_sweep(one, {"jobs": 3}, more={"jobs": 3, "keys": 0}, blocked=0)
        await store.note_sweep(one, {"jobs": 5, "keys": 1}, more={"jobs": 2, "keys": 1}, blocked=4)
        (row,) = await store.sweeps(limit=9)
        assert (row.id, row.policy, row.removed, row.blocked) == (one, policy, {"jobs": 5, "keys": 1}, 4)
        assert (row.outcome, row.ended_at) == (None, None)
        await store.end_sweep(one, SweepEnd.MORE, overdue=6, problem="it \0 said so")
        two = await store.begin_sweep(host="h", version="1", policy=policy)
        await store.end_sweep(two, SweepEnd.DONE, overdue=0, problem=None)
        newest, before = await store.sweeps(limit=9)
        assert (newest.id, newest.outcome) == (two, SweepEnd.DONE)
        assert (before.outcome, before.overdue, before.problem) == (SweepEnd.MORE, 6, "it \ufffd said so")
        assert newest.started_at <= (newest.ended_at or newest.started_at) <= newest.read_at
        assert await store.forget_sweeps(begun_for=timedelta(hours=1)) == 0
        assert await store.forget_sweeps(begun_for=AT_ONCE) == 2
        assert await store.swept() == {"jobs": 5, "keys": 1}

    async def test_how_far_sweeps_came_is_kept(self, store: Store) -> None:
        assert await store.sweep_place("jobs") is None
        for place in ("a", "b"):
            await store.put_sweep_place("jobs", place)
        assert await store.sweep_place("jobs") == "b"

    async def test_two_who_tell_a_name_first_hold_to_the_same(self, store: Store) -> None:
        told = await asyncio.gather(*(store.keep_sweep_place("storage", name) for name in "abcd"))
        assert set(told) == {await store.sweep_place("storage")}
        assert await store.keep_sweep_place("storage", "e") == told[0]

    async def test_all_rows_of_a_job_are_removed_and_none_of_another(self, store: Store) -> None:
        job, kept = await ended(store, outputs=2, tags=("one",)), await ended(store, tags=("one",))
        assert await store.remove_jobs([job.id]) == [job.id]
        assert await store.job(DEFAULT_TENANT, str(job.id)) is None
        assert await store.events(job.id, after=0, limit=10) == []
        assert [each.id for each in await due(store)] == [kept.id]
        assert sum((await store.stats(DEFAULT_TENANT)).jobs.values()) == 1
        assert await work.claim(store) == []  # the places of both were tombstones
        assert await store.remove_jobs([job.id]) == []
        assert await store.remove_jobs([]) == []

    async def test_a_job_that_runs_again_stays(self, store: Store) -> None:
        job = await ended(store)
        (found,) = await due(store)
        await store.retry(job.id, max_attempts=3)
        assert await store.remove_jobs([found.id]) == []
        assert (await work.claim_one(store)).job_id == job.id

    async def test_a_job_whose_receiver_was_not_told_yet_stays(self, store: Store) -> None:
        job = await ended(store, hook=work.HOOK)
        assert await due(store) == []
        assert await store.remove_jobs([job.id]) == []
        await tell_all(store)
        assert await store.remove_jobs([job.id]) == [job.id]
        assert await work.deliveries(store, job.id) == []

    async def test_what_its_caller_deleted_is_found_whenever_it_ended(self, store: Store) -> None:
        await ended(store)
        running, deleted = await work.working(store), await work.enqueue(store)
        await store.delete(deleted.id)
        await store.delete(running[0].id)
        (found,) = await store.deleted_jobs(limit=10)
        assert (found.id, found.uuid) == (deleted.id, deleted.uuid)
        assert await store.deleted_jobs(limit=10, after=found) == []
        assert await store.mark_jobs([found.id], ended_by=found.at - timedelta(hours=1)) == [found.id]
        assert await store.deleted_jobs(limit=10) == []
        await store.settle(running[1], work.CANCELLED)
        assert [each.uuid for each in await store.deleted_jobs(limit=10)] == [running[0].uuid]

    async def test_a_job_that_is_told_again_at_that_moment_is_there_whole_or_not_at_all(self, store: Store) -> None:
        """Replay against removal: no task is left without its job."""
        for _ in range(10):
            job = await ended(store, hook=work.HOOK)
            await tell_all(store)
            (delivery,) = await work.deliveries(store, job.id, limit=1)
            told, removed = await asyncio.gather(store.replay(DEFAULT_TENANT, delivery.id), store.remove_jobs([job.id]))
            assert told is not bool(removed)
            assert len(await work.claim(store, queue="io")) == told
