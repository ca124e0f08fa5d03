"""What happens to jobs, told to the processes that watch them; said only while there are some (ADR 0021)."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from time import monotonic

from encoder.model.ids import JobId, TenantId
from encoder.store.hints import Hints

WATCHED = "watched"  # the hint that somebody watches; whoever does repeats it
WATCHED_S = 60.0  # for which it is believed


class News:
    """Where nobody watches, nothing is sent: a NOTIFY costs all who commit, also where nobody listens."""

    def __init__(self, hints: Hints, *, clock: Callable[[], float] = monotonic) -> None:
        self._hints = hints
        self._clock = clock
        self._until = -inf

    def wanted(self) -> None:
        """Somebody watches."""
        self._until = self._clock() + WATCHED_S

    def of(self, tenant_id: TenantId, job_id: JobId) -> None:
        """Something of a job was committed. Never waits, never raises: what is lost is seen by the next look."""
        if self._clock() < self._until:
            self._hints.send(f"job:{tenant_id}:{job_id}")

    async def close(self) -> None:
        await self._hints.close()
