"""How many jobs a tenant may have that have not ended: counted now and then, so that no job pays for it."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from encoder.model.ids import TenantId
from encoder.store.protocol import Jobs

COUNT_AGAIN_S = 1.0


@dataclass(slots=True)
class _Tenant:
    jobs: int = 0  # as counted, and those that came since
    entering: int = 0  # of which nobody knows yet whether a count has them
    counted_at: float = float("-inf")
    counting: asyncio.Lock = field(default_factory=asyncio.Lock)


class Ceiling:
    """`most`: jobs of a tenant that have not ended; 0: no end of them.

    Within a second of a count, what this process lets in is added to it, and what has ended is not yet seen. So it lets
    in `most` and no more by itself; beside others like it, `most` and what those let in within that second.
    """

    def __init__(self, store: Jobs, *, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.most = most
        self._store = store
        self._clock = clock
        self._tenants: defaultdict[TenantId, _Tenant] = defaultdict(_Tenant)

    @asynccontextmanager
    async def place(self, tenant_id: TenantId) -> AsyncIterator[bool]:
        """Whether there is room for one more. It is kept for what is stored within; if that fails, it is free again."""
        if not self.most:
            yield True
            return
        there = self._tenants[tenant_id]
        async with there.counting:
            if self._clock() - there.counted_at >= COUNT_AGAIN_S:
                there.jobs = there.entering + await self._store.open_jobs(tenant_id, most=self.most)
                there.counted_at = self._clock()
        if there.jobs >= self.most:
            yield False
            return
        there.jobs += 1
        there.entering += 1
        try:
            yield True
        except BaseException:
            there.jobs -= 1
            raise
        finally:
            there.entering -= 1
