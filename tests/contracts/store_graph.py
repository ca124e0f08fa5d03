"""What every store does with work in parts: it splits once, opens what is behind once, and leaves nothing half."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from encoder import errors
from encoder.model.base import Json
from encoder.model.state import JobState, OutputState, TaskState
from encoder.store.protocol import Store
from encoder.store.rows import Accepted, Claim, FanOut, NewTask, Outcome, Settlement
from tests.contracts.store_jobs import read
from tests.contracts.store_tasks import beat, lose
from tests.lab import work


def split(parts: int, *, outputs: int | None = None) -> Settlement:
    """The end of a root that makes so many parts; with `outputs`, part n has output n modulo them."""
    whose: list[dict[str, Json]] = [
        {} if outputs is None else {"outputs": [number % outputs]} for number in range(parts)
    ]
    return replace(
        work.DONE,
        fan_out=FanOut(
            parts=tuple(
                NewTask(name=f"t1/{number}", kind="chunk", queue="encode", args={"number": number, **args})
                for number, args in enumerate(whose)
            ),
            then=NewTask(name="t1/join", kind="assemble", queue="encode"),
        ),
    )


def made(number: int) -> Settlement:
    return replace(work.DONE, result={"frames": 100 + number})


async def in_parts(store: Store, parts: int, *, outputs: int = 1, **wanted: int) -> tuple[Accepted, list[Claim]]:
    """A job whose root has split, and the claims on its parts."""
    job, root = await work.working(store, outputs=outputs)
    await store.settle(root, split(parts, **wanted))
    return job, list(await work.claim(store, limit=parts))


class GraphSuite:
    async def test_the_task_behind_opens_once_when_the_last_part_is_done(self, store: Store) -> None:
        """G15: also where the last two are settled at the same time."""
        for _ in range(5):
            job, parts = await in_parts(store, 4)
            assert [part.name for part in parts] == ["t1/0", "t1/1", "t1/2", "t1/3"]
            assert {part.kind for part in parts} == {"chunk"}
            for number in (0, 1):
                await store.settle(parts[number], made(number))
            assert await work.claim(store) == []
            await asyncio.gather(*(store.settle(parts[number], made(number)) for number in (2, 3)))
            join = await work.claim_one(store)
            assert (join.kind, join.job_id) == ("assemble", job.id)
            assert [part.result for part in await store.parts(join)] == [
                {"frames": 100 + number} for number in range(4)
            ]
            assert (await store.settle(join, work.done(0))).job_state is JobState.COMPLETED
            assert await work.claim(store) == []

    async def test_a_job_in_parts_goes_on_until_the_last_has_ended(self, store: Store) -> None:
        job, root = await work.working(store)
        assert (await store.settle(root, split(2))).job_state is None
        first, second = await work.claim(store, limit=2)
        await store.mark(first, [work.change(0, OutputState.ENCODING)])
        assert (await store.settle(first, made(0))).job_state is None
        found = await read(store, job)
        assert (found.state, found.outputs[0].state) == (JobState.PROCESSING, OutputState.ENCODING)
        await store.settle(second, made(1))
        assert [part.name for part in await store.parts(root)] == ["t1/0", "t1/1"]

    async def test_a_root_that_ran_twice_has_split_once(self, store: Store) -> None:
        """G15"""
        _, root = await work.working(store)
        await lose(store, root)
        heir = await work.claim_one(store)
        await store.settle(heir, split(2))
        with pytest.raises(errors.LeaseLost):
            await store.settle(root, split(2))
        assert len(await work.claim(store, limit=9)) == 2

    async def test_a_part_that_is_lost_is_made_again_and_its_outputs_stay(self, store: Store) -> None:
        job, (first, second) = await in_parts(store, 2)
        await store.mark(first, [work.change(0, OutputState.ENCODING)])
        await lose(store, first)
        assert (await read(store, job)).outputs[0].state is OutputState.ENCODING
        again = await work.claim_one(store)
        assert (again.name, again.epoch) == (first.name, 2)
        await store.settle(second, made(1))
        await store.settle(again, made(0))
        assert (await work.claim_one(store)).kind == "assemble"

    async def test_a_part_that_fails_for_good_fails_its_outputs_and_ends_what_serves_no_other(
        self, store: Store
    ) -> None:
        job, root = await work.working(store, outputs=3)
        await store.settle(root, split(6, outputs=2))  # output 2 is made by the task behind
        first, second, third = await work.claim(store, limit=3)
        settled = await store.settle(first, work.failing())
        assert (settled.task_state, settled.job_state, settled.failed_outputs) == (TaskState.FAILED, None, 1)
        assert [output.state for output in (await read(store, job)).outputs] == [
            OutputState.FAILED,
            OutputState.QUEUED,
            OutputState.QUEUED,
        ]
        assert [pulse.cancel for pulse in await beat(store, second, third)] == [False, True]
        fourth, sixth = await work.claim(store, limit=9)  # the fifth is of the first output
        assert [fourth.name, sixth.name] == ["t1/3", "t1/5"]
        await store.settle(third, work.CANCELLED)
        for number, claim in ((1, second), (3, fourth)):
            await store.settle(claim, made(number))
        assert await work.claim(store, limit=9) == []
        await store.settle(sixth, made(5))
        join = await work.claim_one(store)
        assert join.kind == "assemble"
        assert [part.name for part in await store.parts(join)] == ["t1/1", "t1/3", "t1/5"]
        assert (await store.settle(join, work.done(1, 2))).job_state is JobState.FAILED
        assert (await read(store, job)).problem == work.problem()

    async def test_a_part_that_fails_the_last_open_output_ends_all_of_it(self, store: Store) -> None:
        _, root = await work.working(store)
        await store.settle(root, split(4))
        first, second = await work.claim(store, limit=2)
        assert (await store.settle(first, work.failing())).job_state is None
        assert await work.claim(store, limit=9) == []
        (pulse,) = await beat(store, second)
        assert pulse.cancel
        assert (await store.settle(second, work.CANCELLED)).job_state is JobState.FAILED
        assert await work.claim(store, limit=9) == []

    async def test_a_part_that_is_lost_for_good_fails_its_outputs_alone(self, store: Store) -> None:
        job, root = await work.working(store, outputs=2)
        await store.settle(root, split(2, outputs=2))
        first, second = await work.claim(store, limit=2)
        await lose(store, first, work.failing(outcome=Outcome.LOST))
        assert [output.state for output in (await read(store, job)).outputs] == [OutputState.FAILED, OutputState.QUEUED]
        await store.settle(second, made(1))
        assert (await work.claim_one(store)).kind == "assemble"

    async def test_without_any_part_what_is_behind_waits_at_once(self, store: Store) -> None:
        _, root = await work.working(store)
        assert (await store.settle(root, split(0))).job_state is None
        join = await work.claim_one(store)
        assert join.kind == "assemble"
        assert (await store.settle(join, work.done(0))).job_state is JobState.COMPLETED

    async def test_what_was_begun_goes_before_what_its_tenant_has_waiting(self, store: Store) -> None:
        _, root = await work.working(store)
        urgent, waiting = await work.enqueue(store, priority=2), await work.enqueue(store)
        await store.settle(root, split(2))
        claims = await work.claim(store, limit=4)
        assert [claim.job_id for claim in claims] == [urgent.id, root.job_id, root.job_id, waiting.id]

    async def test_a_part_that_fails_last_of_all_ends_the_job(self, store: Store) -> None:
        _, (first, second) = await in_parts(store, 2)
        await store.settle(first, made(0))
        assert (await store.settle(second, work.failing())).job_state is JobState.FAILED
        assert await work.claim(store, limit=9) == []

    async def test_a_cancel_ends_what_waits_and_what_is_behind_and_stops_what_runs(self, store: Store) -> None:
        job, root = await work.working(store)
        await store.settle(root, split(3))
        first, second = await work.claim(store, limit=2)
        assert await store.cancel(job.id) is not JobState.CANCELLED
        assert [pulse.cancel for pulse in await beat(store, first, second)] == [True, True]
        assert (await store.settle(first, work.CANCELLED)).job_state is None
        assert (await store.settle(second, made(1))).job_state is JobState.CANCELLED  # it was done sooner
        assert await work.claim(store, limit=9) == []

    async def test_a_root_whose_job_is_cancelled_splits_no_more(self, store: Store) -> None:
        job, root = await work.working(store)
        await store.cancel(job.id)
        settled = await store.settle(root, split(3))
        assert (settled.task_state, settled.job_state) == (TaskState.CANCELLED, JobState.CANCELLED)
        assert await work.claim(store, limit=9) == []

    async def test_a_further_run_finds_what_the_parts_of_those_before_have_made(self, store: Store) -> None:
        job, (first, second) = await in_parts(store, 2)
        await store.settle(first, made(0))
        await store.settle(second, work.failing())
        await store.retry(job.id, max_attempts=3)
        root = await work.claim_one(store)
        (found,) = await store.parts(root)
        assert (found.name, found.args["number"], found.result) == ("t1/0", 0, {"frames": 100})

    async def test_a_further_run_has_parts_of_its_own(self, store: Store) -> None:
        job, (first,) = await in_parts(store, 1)
        await store.settle(first, work.failing())
        await store.retry(job.id, max_attempts=3)
        root = await work.claim_one(store)
        assert root.name == "t2"
        assert (await store.settle(root, work.done(0))).job_state is JobState.COMPLETED
