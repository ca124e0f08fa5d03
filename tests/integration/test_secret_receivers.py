"""Receivers whose address holds a secret: told by the whole address while there is one, and by no other after that."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from uuid import uuid4

import asyncpg
import pytest

from encoder.model.base import replace
from encoder.model.ids import DEFAULT_TENANT
from encoder.queue.enqueue import Enqueue
from encoder.store.postgres import PostgresStore
from encoder.store.rows import Accepted, DeliveryRow
from encoder.vault import Vault, new_key
from tests.lab import work
from tests.lab.hook import Hook
from tests.lab.ordeal import repeating
from tests.lab.post import Post


@pytest.fixture
async def hook() -> AsyncIterator[Hook]:
    async with Hook() as hook:
        yield hook


async def test_a_receiver_whose_address_was_erased_is_not_dialled(store: PostgresStore, hook: Hook, dsn: str) -> None:
    """S1, G16: what it had not taken by then ends `exhausted`, and says why."""
    vault, hook.answers = Vault([new_key()]), [500]
    job = await submitted(store, vault, hook.url("/hook?token=1"))
    await tell_all(store, vault)
    await store.settle(await work.claim_one(store), work.done(0))
    erased = await store.erase_secrets(ended_for=timedelta(0), look=10)
    assert erased is not None
    assert erased.count == 1
    db = await asyncpg.connect(dsn)
    try:
        await db.execute("UPDATE tasks SET run_at = now() WHERE state = 'scheduled'")  # the next try is due
        await store.due()
        await tell_all(store, vault)
        ended = await db.fetch("SELECT DISTINCT state FROM tasks WHERE kind = 'notify'")
    finally:
        await db.close()
    assert [request.target for request in hook.seen] == ["/hook?token=1"]
    rows = await deliveries(store, job)
    assert {(row.state, row.error) for row in rows} == {("exhausted", "secrets_erased")}
    assert (len(rows) > 1, [row["state"] for row in ended]) == (True, ["failed"])


@pytest.mark.parametrize("secret", ["{}/hook?token=1", "{}/hook#token", "http://me:pass@{}/hook"])
async def test_an_address_that_no_key_opens_is_not_dialled(secret: str, store: PostgresStore, hook: Hook) -> None:
    receiver = secret.format(hook.url("")) if secret.startswith("{") else secret.format(f"{hook.host}:{hook.port}")
    job = await submitted(store, Vault([new_key()]), receiver)
    await tell_all(store, Vault([new_key()]))
    (row,) = await deliveries(store, job)
    assert (row.state, row.error, hook.seen) == ("exhausted", "secret_unreadable", [])


async def test_a_receiver_without_secrets_is_told_though_no_key_opens_those_of_the_job(
    store: PostgresStore, hook: Hook
) -> None:
    job = await submitted(store, Vault([new_key()]), hook.url("/hook"), source="https://me:pass@source.example/in.mp4")
    await tell_all(store, Vault([new_key()]))
    (row,) = await deliveries(store, job)
    assert (row.state, len(hook.told)) == ("delivered", 1)


async def test_what_a_receiver_says_is_kept_unless_its_address_is_a_secret_that_it_may_repeat(
    store: PostgresStore, hook: Hook
) -> None:
    """P1"""
    vault = Vault([new_key()])
    jobs = [await submitted(store, vault, hook.url(target)) for target in ("/hook", "/hook?token=1")]
    hook.answers = [repeating(500, body=False)] * 2
    await tell_all(store, vault)
    (plain,), (secret,) = [await deliveries(store, job) for job in jobs]
    assert (plain.error, secret.error) == ("answered 500", "answered 500")
    assert (plain.answer or "").startswith("POST /hook ")
    assert secret.answer is None


async def test_stars_that_the_caller_wrote_into_a_path_hide_nothing(store: PostgresStore, hook: Hook) -> None:
    vault = Vault([new_key()])
    job = await submitted(store, vault, hook.url("/***/hook"))
    await tell_all(store, vault)
    (row,) = await deliveries(store, job)
    assert (row.state, [told.request.target for told in hook.told]) == ("delivered", ["/***/hook"])


async def submitted(
    store: PostgresStore, vault: Vault, receiver: str, *, source: str = "https://source.example/in.mp4"
) -> Accepted:
    spec = replace(work.new_job(hook=receiver).spec, source={"kind": "http", "url": source})
    submit = Enqueue(store, vault, max_attempts=3, new_uuid=uuid4)
    return await submit(spec, tenant_id=DEFAULT_TENANT)


async def tell_all(store: PostgresStore, vault: Vault) -> None:
    await Post(store=store, vault=vault).tell_all()


async def deliveries(store: PostgresStore, job: Accepted) -> Sequence[DeliveryRow]:
    return await work.deliveries(store, job.id)
