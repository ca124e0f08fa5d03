"""Our own program of the side-by-side bench still fits the store and the worker that it measures."""

from __future__ import annotations

import sys
from datetime import timedelta

from tests.bench.beside.bout import bout
from tests.bench.beside.contenders import ENCODER

COMMAND = (sys.executable, "-m", "tests.bench.peer.encoder")


async def test_our_worker_drains_what_the_bench_lays_out_and_leaves_what_is_not_due() -> None:
    async with bout(ENCODER, COMMAND) as at:  # with one task, stored as callers do
        await at.fill(5, due=timedelta(hours=1))
        await at.fill(40)
        await at.vacuum()
        async with at.working(2) as workers:
            begun = await workers.worked(count=41, within_s=60)
        assert len(begun) == 41
        assert workers.twice == 0
        assert await at.left() == 5
        assert len(await at.tell(2, 0)) == 2
        assert await at.enqueue(0.1) > 0
        assert await at.left() > 7
