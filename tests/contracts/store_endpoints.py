"""What every store keeps of endpoints, who are told of every job of a tenant."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest

from encoder import errors
from encoder.model.event import TOLD, EventType
from encoder.model.ids import DEFAULT_TENANT, OutputId, TenantId
from encoder.model.receiver import Receiver
from encoder.store.protocol import Store
from encoder.store.receivers import DeliveryFilter, EndpointRow, NewEndpoint, TestTelling
from encoder.store.rows import Live
from tests.contracts.store_deliveries import ACCEPTED, DONE, GIVEN_UP, NO_MORE
from tests.contracts.store_jobs import event_types
from tests.lab import work

URL = "https://endpoint.example/hook"


def new_endpoint(
    name: str = "shop",
    *,
    uuid: UUID | None = None,
    tenant: TenantId = DEFAULT_TENANT,
    events: tuple[str, ...] = (),
    enabled: bool = True,
    url: str = URL,
) -> NewEndpoint:
    return NewEndpoint(
        uuid=uuid or uuid4(),
        tenant_id=tenant,
        receiver=Receiver(name=name, url=url, events=events),
        enabled=enabled,
        sealed_url=b"sealed url",
        secret=b"sealed secret",
    )


def testing(endpoint: EndpointRow, number: int, _at: datetime) -> TestTelling:
    return TestTelling(event_type="endpoint.test", webhook_id=f"evt_{endpoint.uuid.hex}_{number}", body="{}")


class EndpointSuite:
    async def test_an_endpoint_is_told_of_every_job_beside_the_jobs_own_receiver(self, store: Store) -> None:
        await store.put_endpoint(new_endpoint())
        job, claim = await work.working(store, hook=work.HOOK)
        plain = await work.enqueue(store)
        await store.settle(claim, work.failing())

        rows = await work.deliveries(store, job.id)
        told = [kind for kind in await event_types(store, job.id) if kind in TOLD]
        for receiver, url in (("", work.HOOK), ("shop", URL)):
            mine = [row for row in reversed(rows) if row.receiver == receiver]
            assert [(row.event_type, row.url) for row in mine] == [(kind, url) for kind in told]
        assert len({row.webhook_id for row in rows}) == len(told)  # one name of an event, whoever is told of it
        assert len({row.body for row in rows}) == len(told)
        assert [row.receiver for row in await work.deliveries(store, plain.id)] == ["shop"]
        assert len(await work.claim(store, queue="io", limit=50)) == len(rows) + 1

    async def test_an_endpoint_is_told_what_it_asked_for(self, store: Store) -> None:
        await store.put_endpoint(new_endpoint("ends", events=("job.failed", "job.completed")))
        await store.put_endpoint(new_endpoint("off", enabled=False))
        await store.put_endpoint(new_endpoint("other", tenant=TenantId(2)))
        job, claim = await work.working(store)
        await store.settle(claim, work.failing())
        assert [(row.receiver, row.event_type) for row in await work.deliveries(store, job.id)] == [
            ("ends", "job.failed")
        ]

    async def test_a_delivery_is_read_with_what_its_endpoint_seals(self, store: Store) -> None:
        first = await store.put_endpoint(new_endpoint())
        assert first is not None
        await work.enqueue(store)
        claim = await work.claim_one(store, queue="io")
        row = await store.delivery(claim)
        assert row is not None
        assert row.endpoint is not None
        assert (row.receiver, row.endpoint.uuid, row.endpoint.enabled) == ("shop", first.uuid, True)
        assert (row.endpoint.sealed_url, row.endpoint.secrets) == (b"sealed url", (b"sealed secret",))

        kept = await store.rotate_endpoint(
            DEFAULT_TENANT, "shop", uuid=first.uuid, secret=b"new", keep=timedelta(hours=24)
        )
        assert kept is not None
        assert kept.old_secret_until is not None
        assert kept.old_secret_until - kept.secret_at >= timedelta(hours=24)
        row = await store.delivery(claim)
        assert row is not None
        assert row.endpoint is not None
        assert row.endpoint.secrets == (b"new", b"sealed secret")

    async def test_an_old_secret_is_over_when_its_time_is(self, store: Store) -> None:
        """I9"""
        first = await store.put_endpoint(new_endpoint())
        assert first is not None
        gone = await store.rotate_endpoint(DEFAULT_TENANT, "shop", uuid=first.uuid, secret=b"new", keep=work.PAST)
        assert gone is not None
        assert gone.old_secret_until is None
        await work.enqueue(store)
        row = await store.delivery(await work.claim_one(store, queue="io"))
        assert row is not None
        assert row.endpoint is not None
        assert row.endpoint.secrets == (b"new",)

    async def test_a_second_put_changes_what_is_told_and_keeps_the_secret(self, store: Store) -> None:
        first = await store.put_endpoint(new_endpoint())
        assert first is not None
        again = new_endpoint(uuid=first.uuid, events=("job.failed",), url="https://elsewhere.example/")
        second = await store.put_endpoint(again)
        assert second is not None
        assert (second.id, second.secret_at, second.created_at) == (first.id, first.secret_at, first.created_at)
        assert second.receiver == again.receiver
        assert await store.endpoint(DEFAULT_TENANT, "shop") == second
        assert await store.put_endpoint(new_endpoint()) is None  # of another uuid: sealed for nobody
        assert await store.endpoint(DEFAULT_TENANT, "shop") == second

    async def test_endpoints_are_listed_by_name_and_removed(self, store: Store) -> None:
        for name in ("b", "a", "C"):
            await store.put_endpoint(new_endpoint(name))
        assert [row.receiver.name for row in await store.endpoints(DEFAULT_TENANT)] == ["C", "a", "b"]
        assert await store.endpoints(TenantId(2)) == []
        assert not await store.remove_endpoint(TenantId(2), "a")
        await work.enqueue(store)
        claims = await work.claim(store, queue="io", limit=9)
        assert await store.remove_endpoint(DEFAULT_TENANT, "a")
        assert not await store.remove_endpoint(DEFAULT_TENANT, "a")
        rows = [await store.delivery(claim) for claim in claims]
        assert {row.receiver: row.endpoint is None for row in rows if row} == {"C": False, "a": True, "b": False}

    async def test_what_waits_for_an_endpoint_waits_for_no_other_that_gets_its_name(self, store: Store) -> None:
        """Another endpoint has another address, secret and form; what somebody asks to be told again, it is told."""
        await store.put_endpoint(new_endpoint())
        await work.enqueue(store)
        await store.remove_endpoint(DEFAULT_TENANT, "shop")
        other = await store.put_endpoint(new_endpoint(url="https://elsewhere.example/"))
        assert other is not None
        claim = await work.claim_one(store, queue="io")
        row = await store.delivery(claim)
        assert row is not None
        assert row.endpoint is None
        await store.settle_delivery(claim, GIVEN_UP, work.failing())
        assert await store.replay(DEFAULT_TENANT, row.id)
        again = await store.delivery(await work.claim_one(store, queue="io"))
        assert again is not None
        assert again.endpoint is not None
        assert again.endpoint.uuid == other.uuid

    async def test_a_receiver_that_wants_no_more_of_a_job_leaves_the_others(self, store: Store) -> None:
        """I4"""
        await store.put_endpoint(new_endpoint())
        job, claim = await work.working(store, hook=work.HOOK)
        tellings = [(each, await store.delivery(each)) for each in await work.claim(store, queue="io", limit=9)]
        (mine,) = [each for each, row in tellings if row is not None and row.receiver == "shop"]
        await store.settle_delivery(mine, NO_MORE, DONE)
        await store.settle(claim, work.failing())

        rows = await work.deliveries(store, job.id)
        assert {row.state for row in rows if row.receiver == "shop"} == {"gone"}  # what comes later, too
        assert {row.state for row in rows if row.receiver == ""} == {"pending"}
        assert len(rows) == 2 * len([kind for kind in await event_types(store, job.id) if kind in TOLD])

    async def test_a_test_goes_the_way_of_all_that_is_told_and_belongs_to_no_job(self, store: Store) -> None:
        endpoint = await store.put_endpoint(new_endpoint())
        assert endpoint is not None
        first = await store.test_endpoint(DEFAULT_TENANT, "shop", testing)
        second = await store.test_endpoint(DEFAULT_TENANT, "shop", testing)
        assert await store.test_endpoint(DEFAULT_TENANT, "nobody", testing) is None
        rows = await work.deliveries(store)
        assert [(row.id, row.job_id, row.job_uuid, row.receiver, row.event_type) for row in rows] == [
            (second, None, None, "shop", "endpoint.test"),
            (first, None, None, "shop", "endpoint.test"),
        ]
        assert {row.webhook_id for row in rows} == {f"evt_{endpoint.uuid.hex}_{number}" for number in (1, 2)}

        claim, other = await work.claim(store, queue="io", limit=9)
        row = await store.delivery(claim)
        assert row is not None
        assert (row.id, row.endpoint is not None) == (first, True)
        await store.settle_delivery(claim, GIVEN_UP, work.failing())
        await store.settle(other, work.RELEASED)
        assert first is not None
        assert await store.replay(DEFAULT_TENANT, first)
        again = await work.claim(store, queue="io", limit=9)
        assert len(again) == 2
        for each in again:
            await store.settle_delivery(each, ACCEPTED, DONE)
        assert [row.state for row in await work.deliveries(store)] == ["delivered", "delivered"]
        third = await store.test_endpoint(DEFAULT_TENANT, "shop", testing)
        assert await store.remove_endpoint(DEFAULT_TENANT, "shop")
        assert [row.id for row in await work.deliveries(store)] == [third]  # what still waits for something

    async def test_deliveries_are_found_by_what_is_asked(self, store: Store) -> None:
        await store.put_endpoint(new_endpoint())
        job, claim = await work.working(store, hook=work.HOOK)
        await store.settle(claim, work.failing())
        other = await work.enqueue(store)
        tellings = await work.claim(store, queue="io", limit=99)
        await store.settle_delivery(tellings[0], GIVEN_UP, work.failing())
        await store.settle_delivery(tellings[-1], ACCEPTED, DONE)
        every = await work.deliveries(store)

        async def found(**wanted: object) -> set[int]:
            page = await store.deliveries(DeliveryFilter(tenant_id=DEFAULT_TENANT, **wanted), limit=99)  # type: ignore[arg-type]  # its own members
            assert page.before is None
            return {row.id for row in page.rows}

        assert await found() == {row.id for row in every}
        assert await found(job_id=other.id) == {every[0].id}
        assert await found(receiver="shop") == {row.id for row in every if row.receiver == "shop"}
        assert await found(state="exhausted") == {row.id for row in every if row.state == "exhausted"} != set()
        assert await found(state="delivered", job_id=job.id) == set()
        assert await found(event_type=EventType.JOB_FAILED) == {
            row.id for row in every if row.event_type == "job.failed"
        }
        middle = every[2].created_at
        assert await found(created_after=middle) == {row.id for row in every if row.created_at >= middle}
        assert await found(created_before=middle) == {row.id for row in every if row.created_at < middle}
        await store.delete(job.id)
        assert await found() == {every[0].id}

    async def test_pages_of_deliveries_lead_to_all_of_them_whatever_lies_between(self, store: Store) -> None:
        await store.put_endpoint(new_endpoint(events=("job.submitted",)))
        for number in range(7):
            await work.enqueue(store, hook=work.HOOK if number % 2 else None)
        wanted = DeliveryFilter(tenant_id=DEFAULT_TENANT, receiver="shop", look=3)
        seen: list[int] = []
        while True:
            page = await store.deliveries(wanted, limit=2)
            assert len(page.rows) <= 2
            seen += [row.id for row in page.rows]
            if page.before is None:
                break
            wanted = DeliveryFilter(tenant_id=DEFAULT_TENANT, receiver="shop", look=3, before=page.before)
        assert seen == sorted(seen, reverse=True)
        assert len(set(seen)) == len(seen) == 7

    async def test_samples_are_told_to_those_who_asked_and_noted_for_no_others(self, store: Store) -> None:
        job, claim = await work.working(store, hook=work.HOOK, outputs=2)
        await store.mark(claim, work.uploaded(0))
        live = {OutputId(1): Live(stage="encoding", progress=0.5)}
        assert not await store.tell_progress(claim, "encoding", live)
        assert EventType.JOB_PROGRESS not in await event_types(store, job.id)

        await store.put_endpoint(new_endpoint(events=("job.progress",)))
        assert await store.tell_progress(claim, "encoding", live)
        assert await store.tell_progress(claim, "fetching", {OutputId(1): Live(stage="fetching")})
        rows = [row for row in await work.deliveries(store, job.id) if row.receiver]
        told = [json.loads(row.body)["data"] for row in reversed(rows)]
        assert [(data["progress"], data["stage"]) for data in told] == [(0.75, "encoding"), (None, "fetching")]
        assert {row.event_type for row in rows} == {"job.progress"}
        await store.settle(claim, work.RELEASED)
        with pytest.raises(errors.LeaseLost):
            await store.tell_progress(claim, None, {})

    async def test_what_was_enqueued_under_a_key_is_told_once(self, store: Store) -> None:
        await store.put_endpoint(new_endpoint())
        first = await work.enqueue(store, key="k", body=b"b")
        again = await work.enqueue(store, key="k", body=b"b")
        assert (again.id, again.replayed) == (first.id, True)
        (row,) = await work.deliveries(store)
        assert (row.job_id, json.loads(row.body)["data"]["job"]["id"]) == (first.id, first.id)
