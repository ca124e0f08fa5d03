"""What every store tells of a job whose pictures are made in chunks, and how many slots are free for more of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

import pytest

from encoder.model.base import Json
from encoder.model.ids import DEFAULT_TENANT, OutputId, TaskId, TenantId
from encoder.model.queue import ENCODE
from encoder.model.state import OutputState, TaskState
from encoder.store.fleet import Quota
from encoder.store.protocol import Store
from encoder.store.rows import Accepted, Beat, ChunkCount, Claim, FanOut, JobFilter, JobRow, Live, NewTask
from tests.contracts.store_endpoints import new_endpoint
from tests.contracts.store_jobs import OTHER_TENANT, read
from tests.contracts.store_watching import glance
from tests.lab import work

FRAMES = 100  # of a chunk


def split(chunks: int, *, outputs: Sequence[int] = (0,), earlier: int = 0) -> FanOut:
    """So many chunks to be made, and those of earlier runs."""
    args: dict[str, Json] = {"outputs": list(outputs), "frames": FRAMES}
    names = [f"t1/c{number:04}" for number in range(chunks)]
    return FanOut(
        parts=tuple(NewTask(name=name, kind="chunk", queue=ENCODE, args=args) for name in names),
        then=NewTask(name="t1/join", kind="assemble", queue=ENCODE, args={"chunks": chunks + earlier}),
    )


async def in_chunks(store: Store, fan_out: FanOut, *, outputs: int = 1) -> Accepted:
    job, root = await work.working(store, outputs=outputs)
    await store.mark(root, [work.change(0, OutputState.ENCODING)])
    await store.settle(root, replace(work.DONE, fan_out=fan_out))
    return job


async def beats(store: Store, claim: Claim, host: str, live: Live, *outputs: int) -> None:
    worker = work.new_worker(host)
    heart = store.heart()
    told = {OutputId(number): live for number in outputs or (0,)}
    await heart.beat(worker.id, [Beat(task_id=claim.task_id, epoch=claim.epoch, live=told)], lease=work.LEASE)
    await heart.close()


async def taken(store: Store, host: str) -> Claim:
    """A chunk in the hands of a worker of its own."""
    worker = work.new_worker(host)
    await store.hello(worker)
    (claim,) = await work.claim(store, worker=worker.id)
    return claim


def shown(job: JobRow) -> Live:
    live = job.outputs[0].live
    assert live is not None
    return live


class ChunksSuite:
    async def test_a_job_in_chunks_is_as_far_as_all_of_them(self, store: Store) -> None:
        """Seen to fail where the root of the run is read in place of what waits for the chunks."""
        job = await in_chunks(store, split(3, earlier=1))
        found = await read(store, job)
        assert (found.task_state, found.holder) == (TaskState.BLOCKED, None)
        assert found.chunks == ChunkCount(chunks=4, made=1, running=0)
        assert shown(found) == Live(stage="waiting", progress=pytest.approx(0.1 + 0.8 / 4))  # type: ignore[arg-type]
        assert found.holdup is not None  # all of them wait

        first, second = [await taken(store, host) for host in ("w1", "w2")]
        await beats(store, first, "w1", Live(stage="encoding", progress=0.5, fps=30.0, speed=1.0))
        await beats(store, second, "w2", Live(stage="fetching"))
        found = await read(store, job)
        assert found.chunks == ChunkCount(chunks=4, made=1, running=2)
        live = shown(found)
        assert live.progress == pytest.approx(0.1 + 0.8 * (FRAMES + 50) / (4 * FRAMES))
        assert (live.stage, live.fps, live.speed) == ("encoding", 30.0, 1.0)
        assert live.eta_seconds == pytest.approx(250 / 30.0)
        assert found.holder is not None
        assert (found.holder.host, found.holder.silent) == ("w1, w2", False)

        await beats(store, second, "w2", Live(stage="encoding", progress=0.1, fps=20.0, speed=0.5))
        await store.settle(first, work.DONE)
        found = await read(store, job)
        assert found.chunks == ChunkCount(chunks=4, made=2, running=1)
        assert shown(found).progress == pytest.approx(0.1 + 0.8 * (2 * FRAMES + 10) / (4 * FRAMES))
        (listed,) = await store.jobs(JobFilter(tenant_id=DEFAULT_TENANT))
        assert (listed.chunks, shown(listed), listed.holder) == (found.chunks, shown(found), found.holder)
        (sight,) = await store.sights({job.id: 0})
        assert (sight.job.chunks, shown(sight.job)) == (found.chunks, shown(found))

    async def test_outputs_of_other_chunks_are_told_by_theirs(self, store: Store) -> None:
        fan_out = split(2)
        others = tuple(
            replace(part, name=f"{part.name}-1", args={**part.args, "outputs": [1, 2]}) for part in split(1).parts
        )
        job = await in_chunks(store, replace(fan_out, parts=(*fan_out.parts, *others)), outputs=4)
        claims = list(await work.claim(store, limit=3))
        of_others = next(claim for claim in claims if claim.name.endswith("-1"))
        await beats(store, of_others, "w1", Live(stage="encoding", progress=0.5, fps=10.0), 1, 2)
        outputs = (await read(store, job)).outputs
        assert [output.live and output.live.progress for output in outputs] == [
            pytest.approx(0.1), pytest.approx(0.5), pytest.approx(0.5), None
        ]  # fmt: skip
        assert [output.live and output.live.fps for output in outputs] == [None, 10.0, 10.0, None]

    async def test_a_beat_and_an_end_of_a_chunk_change_how_its_job_looks(self, store: Store) -> None:
        """Seen to fail where the task that waits is looked at alone."""
        job = await in_chunks(store, split(2))
        seen = [await glance(store, job.id)]
        claim = await work.claim_one(store)
        seen.append(await glance(store, job.id))
        await beats(store, claim, "w1", Live(stage="encoding", progress=0.5))
        seen.append(await glance(store, job.id))
        await store.settle(claim, work.DONE)
        seen.append(await glance(store, job.id))
        assert len({repr(each) for each in seen}) == len(seen)

    async def test_once_its_chunks_are_made_a_job_is_as_far_as_who_joins_them(self, store: Store) -> None:
        job = await in_chunks(store, split(1))
        await store.settle(await work.claim_one(store), work.DONE)
        join = await taken(store, "w9")
        await beats(store, join, "w9", Live(stage="verifying", progress=0.91))
        found = await read(store, job)
        assert (found.task_id, found.task_state, found.chunks) == (TaskId(join.task_id), TaskState.RUNNING, None)
        assert found.holder is not None
        assert (found.holder.host, shown(found).stage) == ("w9", "verifying")

    async def test_receivers_are_told_how_far_all_chunks_are_by_one_worker(self, store: Store) -> None:
        """Seen to fail where each tells how far its own chunk is."""
        await store.put_endpoint(new_endpoint(events=("job.progress",)))
        job = await in_chunks(store, split(2))
        first, second = await work.claim(store, limit=2)
        for claim, share in ((first, 0.5), (second, 0.25)):
            live = Live(stage="encoding", progress=share)
            await beats(store, claim, "w1", live)
            assert await store.tell_progress(claim, "encoding", {OutputId(0): live})
            assert await store.tell_progress(claim, "encoding", {OutputId(0): live})
        told = [
            json.loads(row.body)["data"]["progress"] for row in await work.deliveries(store, job.id) if row.receiver
        ]
        assert told == [pytest.approx(0.1 + 0.8 * 0.25)] * 2

    async def test_free_slots_are_those_that_nobody_has_or_waits_for(self, store: Store) -> None:
        assert await store.free_slots(ENCODE, DEFAULT_TENANT) == 0  # nobody works
        for host in ("w1", "w2", "w3"):
            await store.hello(work.new_worker(host))
        await store.hello(gone := work.new_worker("w4"))
        await store.draining(gone.id)
        await store.hello(work.new_worker("w5", queues=("gpu",)))
        assert await store.free_slots(ENCODE, DEFAULT_TENANT) == 6
        await work.working(store)
        await work.enqueue(store, tenant=OTHER_TENANT)
        assert await store.free_slots(ENCODE, DEFAULT_TENANT) == 4
        await store.set_quota(Quota(tenant_id=DEFAULT_TENANT, queue=ENCODE, cap=3))
        assert await store.free_slots(ENCODE, DEFAULT_TENANT) == 2
        assert await store.free_slots(ENCODE, TenantId(9)) == 4
        assert await store.free_slots("gpu", DEFAULT_TENANT) == 2
        assert await store.free_slots("unknown", DEFAULT_TENANT) == 0
        await store.pause(ENCODE, "no")
        assert await store.free_slots(ENCODE, TenantId(9)) == 0
