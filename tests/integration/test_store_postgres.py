"""The store on PostgreSQL keeps the contract, and what it does beyond it."""

from __future__ import annotations

from encoder.store.protocol import Store
from tests.contracts.store_suite import StoreSuite
from tests.lab import work


class TestPostgresStore(StoreSuite):
    pass


async def test_a_job_is_admitted_at_once_where_nobody_stands_before_it_in_its_own_queue(store: Store) -> None:
    await store.hello(work.new_worker(queues=("gpu",)))
    for queue in ("encode", "encode", "gpu", "gpu"):
        await work.enqueue(store, queue=queue)
    encode, gpu, _ = (await store.stats(None)).queues
    assert (encode.ready, encode.waiting) == (gpu.ready, gpu.waiting) == (1, 1)


async def test_a_job_of_a_paused_queue_waits(store: Store) -> None:
    await store.pause("gpu", "")
    for queue in ("gpu", "encode"):
        await work.enqueue(store, queue=queue)
    encode, gpu, _ = (await store.stats(None)).queues
    assert (encode.ready, gpu.ready, gpu.waiting) == (1, 0, 1)
