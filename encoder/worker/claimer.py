"""Where a worker's tasks come from: the line of a queue, or one job."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

from encoder.model.ids import JobId, WorkerId
from encoder.store.protocol import Store
from encoder.store.rows import Claim

DEADLINE = timedelta(hours=24)  # of a task, however well it beats


class Claimer(Protocol):
    async def claim(
        self, queue: str, worker_id: WorkerId, *, free: int, ahead: int, lease: timedelta
    ) -> Sequence[Claim]:
        """Take up to `free` tasks under leases. `ahead`: how many more will be wanted soon.

        Raises:
            errors.StoreUnavailable: the database is away.
        """

    def ended(self, *, goes_on: bool) -> None:
        """One of them is done with, whatever came of it. `goes_on`: other tasks of its job follow on it."""


@dataclass(frozen=True, slots=True)
class Line:
    """As they stand in line, for as long as the worker runs."""

    store: Store

    async def claim(
        self, queue: str, worker_id: WorkerId, *, free: int, ahead: int, lease: timedelta
    ) -> Sequence[Claim]:
        return await self.store.claim(queue, worker_id, limit=free, ahead=ahead, lease=lease, deadline=DEADLINE)

    def ended(self, *, goes_on: bool) -> None:
        pass


@dataclass(frozen=True, slots=True)
class OneJob:
    """A task of one job, and those that follow on it: for a worker of one slot. `over` is set when it is done with."""

    store: Store
    job_id: JobId
    over: asyncio.Event = field(default_factory=asyncio.Event)

    async def claim(
        self, _queue: str, worker_id: WorkerId, *, free: int, ahead: int, lease: timedelta
    ) -> Sequence[Claim]:
        del free, ahead
        if self.over.is_set():
            return []
        claim = await self.store.claim_job(self.job_id, worker_id, lease=lease, deadline=DEADLINE)
        return [] if claim is None else [claim]

    def ended(self, *, goes_on: bool) -> None:
        if not goes_on:
            self.over.set()
