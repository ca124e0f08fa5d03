"""What every store tells of what jobs have used, whatever became of them since."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

from encoder.model.ids import DEFAULT_TENANT, TenantId
from encoder.model.result import Delivered, Timings
from encoder.model.state import OutputState
from encoder.store.fleet import Usage, Used
from encoder.store.protocol import Store
from encoder.store.rows import Accepted, Settlement
from tests.contracts.store_jobs import OTHER_TENANT, read
from tests.lab import work

DAY = timedelta(days=1)


async def delivered(
    store: Store,
    *,
    tenant: TenantId = DEFAULT_TENANT,
    seconds: float | None,
    cpu: float | None = None,
    size_bytes: int = 0,
    end: Settlement = work.DONE,
    presets: tuple[str, ...] = (),
) -> Accepted:
    """A job of two outputs: one is delivered, the other fails."""
    job, claim = await work.working(store, outputs=2, tenant=tenant, presets=presets)
    made = Delivered(uri="https://out.example/", size_bytes=size_bytes, sha256="ab", duration_seconds=seconds)
    timings = Timings(encode=1000.0, encode_cpu=cpu)
    await store.mark(claim, [work.change(0, OutputState.UPLOADED, delivered=made, timings=timings)])
    lost = work.change(1, OutputState.FAILED, problem=work.problem(), timings=Timings(encode_cpu=99.0))
    await store.settle(claim, replace(end, changes=(lost,)))
    return job


async def midnight(store: Store, job: Accepted) -> datetime:
    """At which the day of a job began."""
    return datetime.combine((await read(store, job)).created_at, time.min, UTC)


def used(preset: str | None, outputs: int, seconds: float, cpu: float = 0.0, size_bytes: int = 0) -> Used:
    return Used(preset=preset, outputs=outputs, output_seconds=seconds, cpu_seconds=cpu, delivered_bytes=size_bytes)


class UsageSuite:
    async def test_what_a_tenants_jobs_have_delivered_is_added_up(self, store: Store) -> None:
        """Deleted ones too. Seen to fail where outputs that failed later or other tenants' are counted in."""
        first = await delivered(store, seconds=60.5, cpu=12.25, size_bytes=3 << 40)
        ended = (await read(store, first)).created_at
        await delivered(store, seconds=None, cpu=None, size_bytes=1)
        await delivered(store, seconds=10.0, cpu=0.5, size_bytes=7, end=work.failing())
        await store.delete((await delivered(store, seconds=500.0, cpu=500.0, size_bytes=500)).id)
        await delivered(store, tenant=OTHER_TENANT, seconds=0.5, cpu=0.125, size_bytes=2)
        await work.enqueue(store)

        async def told(tenant: TenantId = DEFAULT_TENANT, **asked: object) -> Usage | None:
            whole = {"since": ended - timedelta(hours=1), "until": ended + timedelta(hours=1), "most": 5}
            return await store.usage(tenant, **{**whole, **asked})  # type: ignore[arg-type]  # as they are named

        assert await told() == Usage(jobs=5, by_preset=(used(None, 4, 570.5, 512.75, (3 << 40) + 508),))
        one = Usage(jobs=1, by_preset=(used(None, 1, 60.5, 12.25, 3 << 40),))
        assert await told(since=ended, until=ended + timedelta(microseconds=1)) == one
        assert await told(until=ended) == Usage(jobs=0, by_preset=())
        theirs = Usage(jobs=1, by_preset=(used(None, 1, 0.5, 0.125, 2),))
        assert await told(OTHER_TENANT, most=1) == theirs
        assert await told(most=4) is None

    async def test_what_was_used_is_told_by_preset(self, store: Store) -> None:
        """A preset may be called `null`, and each job counts once, whatever its outputs are made of."""
        for presets, seconds in ((("web",), 1.0), (("null", "web"), 2.0), (("web", "h264"), 4.0), ((), 8.0)):
            last = await delivered(store, seconds=seconds, presets=presets)
        since = await midnight(store, last)
        told = await store.usage(DEFAULT_TENANT, since=since, until=since + DAY, most=9)
        assert told == Usage(jobs=4, by_preset=(used(None, 1, 8.0), used("null", 1, 2.0), used("web", 2, 5.0)))

    async def test_what_a_job_has_used_is_told_when_its_rows_are_gone_and_never_twice(self, store: Store) -> None:
        """By whole days: those that begin in the time. Seen to fail where removed jobs are forgotten."""
        jobs = [
            await delivered(store, seconds=60.5, cpu=12.25, size_bytes=3 << 40, presets=("web", "h264")),
            await delivered(store, seconds=0.5, cpu=0.25, size_bytes=5, presets=("h264", "web"), end=work.failing()),
            await delivered(store, seconds=None),
        ]
        await delivered(store, tenant=OTHER_TENANT, seconds=1.0)
        await store.delete(jobs[2].id)
        since = await midnight(store, jobs[0])

        async def told() -> Usage | None:
            return await store.usage(DEFAULT_TENANT, since=since, until=since + DAY, most=3)

        before = await told()
        assert before == Usage(
            jobs=3, by_preset=(used(None, 1, 0), used("h264", 1, 0.5, 0.25, 5), used("web", 1, 60.5, 12.25, 3 << 40))
        )
        for job in jobs:
            removed = await asyncio.gather(*(store.remove_jobs([job.id]) for _ in range(2)))
            assert sorted(map(len, removed)) == [0, 1]
            assert await told() == before
        theirs = await store.usage(OTHER_TENANT, since=since, until=since + DAY, most=3)
        assert theirs == Usage(jobs=1, by_preset=(used(None, 1, 1.0),))
        later = since + timedelta(microseconds=1)
        assert await store.usage(DEFAULT_TENANT, since=later, until=since + DAY, most=3) == Usage(jobs=0, by_preset=())
        assert await store.usage(DEFAULT_TENANT, since=since, until=later, most=0) == before
        assert await store.usage(DEFAULT_TENANT, since=since - DAY, until=since, most=3) == Usage(jobs=0, by_preset=())
