"""What every store knows of objects that appear in buckets, and of the rules by which they become jobs."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from encoder.model.ids import DEFAULT_TENANT, TenantId
from encoder.store.kept import NewRule, RuleRow, Seen
from encoder.store.protocol import Store
from tests.lab import work

OTHER_TENANT = TenantId(2)
SEEN = Seen(rule="videos", digest=bytes(range(32)))
AT_ONCE = timedelta(0)


def new_rule(name: str = "videos", *, tenant: TenantId = DEFAULT_TENANT, **spec: str) -> NewRule:
    return NewRule(tenant_id=tenant, name=name, uuid=uuid4(), spec={"ü '; --": [1, None], **spec}, sealed=b"\0sealed")


async def put(store: Store, rule: NewRule) -> RuleRow:
    row = await store.put_rule(rule, most=10)
    assert row is not None
    return row


async def count(store: Store, tenant: TenantId = DEFAULT_TENANT) -> int:
    return sum((await store.stats(tenant)).jobs.values())


class IngestSuite:
    async def test_a_rule_is_kept_as_it_was_put_and_each_time_is_a_version(self, store: Store) -> None:
        first, second = new_rule(), new_rule(prefix="in/")
        made = await put(store, first)
        assert (made.name, made.version, made.uuid) == (first.name, 1, first.uuid)
        assert (made.spec, made.sealed) == (first.spec, first.sealed)
        assert await store.rule(DEFAULT_TENANT, first.name) == made
        changed = await put(store, second)
        assert (changed.version, changed.uuid, changed.spec) == (2, second.uuid, second.spec)
        assert (changed.created_at, changed.updated_at > made.updated_at) == (made.created_at, True)
        assert await store.rules(DEFAULT_TENANT) == [changed]

    async def test_rules_are_seen_by_their_tenant_alone_and_in_order(self, store: Store) -> None:
        """B5, B10"""
        rules = [await put(store, new_rule(name)) for name in ("b", "a", "A")]
        await put(store, new_rule("theirs", tenant=OTHER_TENANT))
        assert {rule.name for rule in rules} == {rule.name for rule in await store.rules(DEFAULT_TENANT)}
        assert await store.rule(DEFAULT_TENANT, "theirs") is None
        assert not await store.remove_rule(DEFAULT_TENANT, "theirs")
        assert await store.rule(OTHER_TENANT, "theirs") is not None

    async def test_a_rule_that_was_removed_is_gone_and_one_of_its_name_begins_anew(self, store: Store) -> None:
        """Nothing of it stays: who puts and removes rules all day leaves no row that each event would read."""
        await put(store, new_rule())
        assert await store.remove_rule(DEFAULT_TENANT, "videos")
        assert not await store.remove_rule(DEFAULT_TENANT, "videos")
        assert await store.rule(DEFAULT_TENANT, "videos") is None
        assert await store.rules(DEFAULT_TENANT) == []
        again = await put(store, new_rule())
        assert again.version == 1
        assert again.created_at == again.updated_at

    async def test_a_tenant_has_no_more_rules_than_it_may_have(self, store: Store) -> None:
        for name in ("a", "b"):
            assert await store.put_rule(new_rule(name), most=2) is not None
        assert await store.put_rule(new_rule("c"), most=2) is None
        assert await store.put_rule(new_rule("c", tenant=OTHER_TENANT), most=2) is not None
        assert await store.put_rule(new_rule("b"), most=2) is not None
        await store.remove_rule(DEFAULT_TENANT, "a")
        assert await store.put_rule(new_rule("a"), most=2) is not None

    async def test_what_is_told_at_the_same_time_makes_one_job(self, store: Store) -> None:
        """Each of them is told of the same job."""
        made = await asyncio.gather(*(store.ingest(work.new_job(), SEEN) for _ in range(8)))
        assert len({each.job_id for each in made}) == 1
        assert sum(each.is_new for each in made) == 1
        assert await count(store) == 1
        assert await store.ingested(DEFAULT_TENANT, SEEN.digest) == made[0].job_id
        assert [claim.job_id for claim in await work.claim(store, limit=9)] == [made[0].job_id]

    async def test_what_differs_in_tenant_or_digest_is_another_object(self, store: Store) -> None:
        first = await store.ingest(work.new_job(), SEEN)
        others = [
            await store.ingest(work.new_job(), replace(SEEN, digest=bytes(32))),
            await store.ingest(work.new_job(tenant=OTHER_TENANT), SEEN),
        ]
        assert all(other.is_new and other.job_id != first.job_id for other in others)
        assert await store.ingested(DEFAULT_TENANT, bytes(31)) is None

    async def test_an_object_is_seen_only_if_its_job_stands(self, store: Store) -> None:
        """One transaction: what fails in it leaves neither, and the next telling makes the job."""
        job = work.new_job()
        standing = await store.enqueue(job)
        with pytest.raises(Exception, match="jobs_uuid_once"):
            await store.ingest(replace(work.new_job(), uuid=job.uuid), SEEN)
        assert await store.ingested(DEFAULT_TENANT, SEEN.digest) is None
        made = await store.ingest(work.new_job(), SEEN)
        assert made.is_new
        assert made.job_id != standing.id

    async def test_a_job_that_is_gone_was_made_all_the_same(self, store: Store) -> None:
        made = await store.ingest(work.new_job(), SEEN)
        await store.cancel(made.job_id)
        await store.remove_jobs([made.job_id])
        again = await store.ingest(work.new_job(), SEEN)
        assert (again.job_id, again.is_new) == (made.job_id, False)
        assert await count(store) == 0

    async def test_a_job_of_an_object_is_whole_and_its_receiver_is_told(self, store: Store) -> None:
        made = await store.ingest(work.new_job(hook=work.HOOK, tags=("a",), outputs=2, sealed=b"s"), SEEN)
        job = await store.job(DEFAULT_TENANT, str(made.job_id))
        assert job is not None
        assert (job.spec.tags, len(job.outputs), job.sealed) == (("a",), 2, b"s")
        (told,) = await work.deliveries(store, made.job_id)
        assert told.event_type == "job.submitted"

    async def test_what_was_seen_is_forgotten_after_its_time_in_batches(self, store: Store) -> None:
        for number in range(3):
            await store.ingest(work.new_job(), replace(SEEN, digest=bytes([number]) * 32))
        assert await store.forget_objects(seen_for=timedelta(hours=1), limit=9) == 0
        assert [await store.forget_objects(seen_for=AT_ONCE, limit=2) for _ in range(3)] == [2, 1, 0]
        assert await count(store) == 3
        assert (await store.ingest(work.new_job(), replace(SEEN, digest=bytes(32)))).is_new
