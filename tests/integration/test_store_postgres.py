"""The store on PostgreSQL keeps the contract, and what it does beyond it."""

from __future__ import annotations

import pytest

from encoder.store.postgres import enqueue
from encoder.store.protocol import Store
from tests.contracts.store_suite import StoreSuite
from tests.lab import databases, work


class TestPostgresStore(StoreSuite):
    pass


async def test_a_job_is_admitted_at_once_where_nobody_stands_before_it_in_its_own_queue(store: Store) -> None:
    await store.hello(work.new_worker(queues=("gpu",)))
    for queue in ("encode", "encode", "gpu", "gpu"):
        await work.enqueue(store, queue=queue)
    encode, gpu, _ = (await store.stats(None)).queues
    assert (encode.ready, encode.waiting) == (gpu.ready, gpu.waiting) == (1, 1)


@pytest.mark.parametrize("since_s", [0.0, 1.0])
async def test_a_job_is_not_admitted_behind_one_that_stands_there_while_other_queues_go_on(
    store: Store, dsn: str, monkeypatch: pytest.MonkeyPatch, since_s: float
) -> None:
    """Places of all queues are drawn from one sequence: 300 later a place is not among the newest."""
    await store.hello(work.new_worker(queues=("gpu",)))
    now_s = 0.0
    monkeypatch.setattr(enqueue, "monotonic", lambda: now_s)
    first = await work.enqueue(store, queue="gpu")
    for _ in range(4):
        now_s += since_s
        await databases.ask(dsn, "SELECT nextval('tasks_id_seq') FROM generate_series(1, 300)")
        await store.cancel((await work.enqueue(store, queue="gpu")).id)
    await databases.ask(dsn, "SELECT nextval('tasks_id_seq') FROM generate_series(1, 300)")
    urgent = await work.enqueue(store, queue="gpu", priority=1)
    (_, gpu, _) = (await store.stats(None)).queues
    assert (gpu.ready, gpu.waiting) == (0, 2)
    assert [claim.job_id for claim in await work.claim(store, queue="gpu", limit=2)] == [urgent.id, first.id]


async def test_a_job_of_a_paused_queue_waits(store: Store) -> None:
    await store.hello(work.new_worker(queues=("gpu",)))
    await store.pause("gpu", "")
    for queue in ("gpu", "encode"):
        await work.enqueue(store, queue=queue)
    encode, gpu, _ = (await store.stats(None)).queues
    assert (encode.ready, gpu.ready, gpu.waiting) == (1, 0, 1)
