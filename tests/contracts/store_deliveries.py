"""What every store keeps of what receivers are told (G16)."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest

from encoder import errors
from encoder.model.event import TOLD
from encoder.model.ids import DEFAULT_TENANT, DeliveryId, TenantId
from encoder.model.state import TaskState
from encoder.queue import settle as decide
from encoder.store.protocol import Store
from encoder.store.rows import Accepted, Claim, DeliveryRow, DeliveryTry, Outcome, Settlement
from tests.contracts.store_jobs import event_types
from tests.lab import work

ACCEPTED = DeliveryTry(state="delivered", status=204, error=None, answer="")
BUSY = DeliveryTry(state="pending", status=503, error="503 from the receiver", answer="busy")
GIVEN_UP = DeliveryTry(state="exhausted", status=500, error="500 from the receiver", answer=None)
NO_MORE = DeliveryTry(state="gone", status=410, error=None, answer=None)
DONE = Settlement(outcome=Outcome.DONE, state=TaskState.DONE)


async def deliveries(store: Store, job: Accepted) -> Sequence[DeliveryRow]:
    return await work.deliveries(store, job.id)


async def told(store: Store) -> tuple[Accepted, Claim]:
    """A job with a receiver, and the claim that tells it was submitted."""
    job = await work.enqueue(store, hook=work.HOOK)
    return job, await work.claim_one(store, queue="io")


class DeliverySuite:
    async def test_each_told_event_has_one_delivery_with_the_job_as_it_stood(self, store: Store) -> None:
        job, claim = await work.working(store, hook=work.HOOK, outputs=2)
        await store.mark(claim, work.uploaded(0))
        await store.settle(claim, work.failing())

        rows = sorted(await deliveries(store, job), key=lambda row: row.id)
        assert [row.event_type for row in rows] == [kind for kind in await event_types(store, job.id) if kind in TOLD]
        bodies = [json.loads(row.body) for row in rows]
        assert [body["type"] for body in bodies] == [row.event_type for row in rows]
        assert [body["data"]["job"]["status"] for body in bodies] == [
            "queued",
            "processing",
            "processing",
            "failed",
            "failed",
        ]
        assert {body["data"]["job"]["id"] for body in bodies} == {job.id}
        assert bodies[0]["data"]["job"]["metadata"] == {"z": 1, "a": [1.5, None, "ü"]}
        assert bodies[-1]["data"]["job"]["outputs"][0]["uri"] == "https://out.example/0.mp4"
        assert len({row.webhook_id for row in rows}) == len(rows)
        assert len(await work.claim(store, queue="io", limit=50)) == len(rows)

    async def test_a_job_without_a_receiver_tells_nobody(self, store: Store) -> None:
        job, claim = await work.working(store)
        await store.settle(claim, work.done(0))
        assert await deliveries(store, job) == []
        assert await work.claim(store, queue="io") == []

    async def test_a_delivery_is_read_with_the_secrets_of_its_job(self, store: Store) -> None:
        job = await work.enqueue(store, hook=work.HOOK, sealed=b"secret")
        row = await store.delivery(await work.claim_one(store, queue="io"))
        assert row is not None
        assert (row.job_id, row.job_uuid, row.url, row.sealed) == (job.id, job.uuid, work.HOOK, b"secret")
        (listed,) = await deliveries(store, job)
        assert listed.sealed is None

    async def test_an_accepted_delivery_is_over(self, store: Store) -> None:
        job, claim = await told(store)
        await store.settle_delivery(claim, ACCEPTED, DONE)
        await store.settle_delivery(claim, ACCEPTED, DONE)  # the first answer was lost
        (row,) = await deliveries(store, job)
        assert (row.state, row.tries, row.status, row.answer) == ("delivered", 1, 204, "")
        assert row.delivered_at is not None
        assert await work.claim(store, queue="io") == []

    async def test_a_refused_delivery_is_tried_again_with_the_same_bytes(self, store: Store) -> None:
        job, claim = await told(store)
        first = await store.delivery(claim)
        await store.settle_delivery(claim, BUSY, work.retrying(work.PAST))
        assert await store.due() == ["io"]
        again = await work.claim_one(store, queue="io")
        second = await store.delivery(again)

        assert first is not None
        assert second is not None
        assert (first.body, first.webhook_id) == (second.body, second.webhook_id)
        assert (second.state, second.tries, second.status, second.answer) == ("pending", 1, 503, "busy")
        assert (again.attempt, again.task_id) == (2, claim.task_id)
        assert len(await deliveries(store, job)) == 1

    async def test_a_settle_of_a_lost_claim_changes_no_delivery(self, store: Store) -> None:
        await work.enqueue(store, hook=work.HOOK)
        claim = await work.claim_one(store, queue="io", lease=work.PAST)
        assert await store.rescue(claim, work.LOST) is not None
        with pytest.raises(errors.LeaseLost):
            await store.settle_delivery(claim, ACCEPTED, DONE)
        row = await store.delivery(await work.claim_one(store, queue="io"))
        assert row is not None
        assert (row.state, row.tries) == ("pending", 1)  # who knows whether the lost one was heard

    async def test_a_task_that_tells_nothing_more_leaves_its_delivery_exhausted(self, store: Store) -> None:
        job = await work.enqueue(store, hook=work.HOOK)
        for _ in range(3):
            claim = await work.claim_one(store, queue="io", lease=work.PAST)
            await store.rescue(claim, decide.lost(claim))
        (row,) = await deliveries(store, job)
        assert (row.state, row.tries) == ("exhausted", 3)

    async def test_giving_a_telling_back_is_no_try(self, store: Store) -> None:
        job, claim = await told(store)
        await store.settle(claim, work.RELEASED)
        (row,) = await deliveries(store, job)
        assert (row.state, row.tries) == ("pending", 0)
        assert (await work.claim_one(store, queue="io")).attempt == 1

    async def test_a_telling_touches_nothing_else_of_its_job(self, store: Store) -> None:
        job, claim = await told(store)
        await store.settle_delivery(claim, GIVEN_UP, work.failing())
        (row,) = await deliveries(store, job)
        assert row.state == "exhausted"
        assert len(await event_types(store, job.id)) == 1
        assert (await store.settle(await work.claim_one(store), work.done(0))).job_state == "completed"

    async def test_a_receiver_that_wants_no_more_ends_the_jobs_other_deliveries(self, store: Store) -> None:
        job, claim = await told(store)
        await store.cancel(job.id)
        other = await work.enqueue(store, hook=work.HOOK)
        await store.settle_delivery(claim, NO_MORE, DONE)

        assert {row.state for row in await deliveries(store, job)} == {"gone"}
        assert {row.state for row in await deliveries(store, other)} == {"pending"}
        rest = await work.claim(store, queue="io", limit=9)
        assert [await store.delivery(each) is None for each in rest if each.job_id == job.id] == [True]

    async def test_what_came_of_a_try_is_kept_though_another_met_a_receiver_that_wants_no_more(
        self, store: Store
    ) -> None:
        job, claim = await work.working(store, hook=work.HOOK)
        await store.settle(claim, work.failing())
        first, second, third, *_ = await work.claim(store, queue="io", limit=9)
        await store.settle_delivery(first, NO_MORE, DONE)
        await store.settle_delivery(second, ACCEPTED, DONE)
        await store.settle_delivery(third, BUSY, work.retrying())

        rows = sorted(await deliveries(store, job), key=lambda row: row.id)
        assert [(row.state, row.tries, row.status) for row in rows[:3]] == [
            ("gone", 1, 410),
            ("delivered", 1, 204),
            ("gone", 1, 503),
        ]

    async def test_what_a_deleted_job_had_to_tell_is_not_told(self, store: Store) -> None:
        job, claim = await told(store)
        await store.delete(job.id)
        assert await store.delivery(claim) is None

    async def test_a_replay_tells_again_under_the_same_id(self, store: Store) -> None:
        job, claim = await told(store)
        await store.settle_delivery(claim, GIVEN_UP, work.failing())
        (before,) = await deliveries(store, job)

        assert await store.replay(DEFAULT_TENANT, before.id)
        again = await work.claim_one(store, queue="io")
        row = await store.delivery(again)
        assert row is not None
        assert (row.id, row.webhook_id, row.body, row.state) == (before.id, before.webhook_id, before.body, "pending")
        assert (again.task_id != claim.task_id, again.attempt) == (True, 1)
        await store.settle_delivery(again, ACCEPTED, DONE)
        assert await store.replay(DEFAULT_TENANT, before.id)  # even one that was delivered
        assert len(await work.claim(store, queue="io", limit=9)) == 1

    async def test_a_replay_of_what_waits_for_its_next_try_hurries_it(self, store: Store) -> None:
        job, claim = await told(store)
        await store.settle_delivery(claim, BUSY, work.retrying())
        (row,) = await deliveries(store, job)
        for _ in range(2):  # a second one finds it in line already
            assert await store.replay(DEFAULT_TENANT, row.id)
        (hurried,) = await work.claim(store, queue="io", limit=9)
        assert hurried.task_id == claim.task_id

    async def test_nobody_replays_what_is_not_theirs(self, store: Store) -> None:
        job, _ = await told(store)
        (row,) = await deliveries(store, job)
        assert not await store.replay(TenantId(2), row.id)
        assert not await store.replay(DEFAULT_TENANT, DeliveryId(404))
        assert await work.deliveries(store, job.id, tenant=TenantId(2)) == []

    async def test_deliveries_are_listed_newest_first(self, store: Store) -> None:
        jobs = [await work.enqueue(store, hook=work.HOOK) for _ in range(3)]
        rows = await work.deliveries(store, limit=2)
        assert [row.job_id for row in rows] == [jobs[2].id, jobs[1].id]
