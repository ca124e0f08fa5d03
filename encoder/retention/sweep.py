"""One sweep over all that has had its time. Two at once do no harm; one that is killed is taken up by the next."""

from __future__ import annotations

import socket
import time as clocks
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta

from encoder import __version__, errors
from encoder.log import get_logger
from encoder.model.ids import SweepId
from encoder.model.policy import Policy
from encoder.retention import chunks, jobs, rows, strays, uploads
from encoder.retention.tally import Tally, Time
from encoder.storage.upkeep import Upkeep
from encoder.store.protocol import Store
from encoder.store.rows import Ended
from encoder.store.sweeps import SweepEnd

log = get_logger(__name__)

LATE_HOURS = 2.0  # two periods after its time a job is overdue
MOST_OVERDUE = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a sweep did. `removed`: by what; `blocked`: what the storage keeps; `overdue`: what should be gone."""

    outcome: SweepEnd
    removed: Mapping[str, int] = field(default_factory=dict)
    blocked: int = 0
    overdue: int = 0
    problem: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """`clock`: seconds, never back."""

    store: Store
    upkeep: Upkeep
    policy: Policy
    uniform: Callable[[float, float], float]
    clock: Callable[[], float] = clocks.monotonic

    async def run(self, *, most_s: float | None = None) -> Report:
        """Sweep, for `most_s` seconds at most.

        Raises:
            errors.StoreUnavailable: the database is away; what was removed until then is.
        """
        sweep = await self.store.begin_sweep(host=socket.gethostname(), version=__version__, policy=self.policy)
        tally, time = Tally(self.store, sweep), Time(most_s, clock=self.clock)
        try:
            done = await self._all(tally, time)
            report = await self._reported(tally, SweepEnd.DONE if done else SweepEnd.MORE)
        except errors.Failure as failure:
            log.warning("retention.failed", code=failure.code, reason=failure.message)
            tally.problem = f"{failure.code}: {failure.message}"
            report = await self._reported(tally, SweepEnd.FAILED)
        except Exception as error:
            await self._ended(sweep, error)
            raise
        await self.store.end_sweep(sweep, report.outcome, overdue=report.overdue, problem=report.problem)
        log.info(
            "retention.swept",
            outcome=report.outcome,
            blocked=report.blocked,
            overdue=report.overdue,
            **report.removed,
        )
        return report

    async def _all(self, tally: Tally, time: Time) -> bool:
        """What was promised first; True when nothing is left."""
        return (
            await rows.sweep(self.store, tally, time, uniform=self.uniform)
            and await jobs.sweep(self.store, self.upkeep, self.policy, tally, time)
            and await chunks.sweep(self.store, self.upkeep, tally, time)
            and await uploads.sweep(self.store, self.upkeep, self.policy, tally, time)
            and await strays.sweep(self.store, self.upkeep, tally, time)
        )

    async def _reported(self, tally: Tally, outcome: SweepEnd) -> Report:
        return Report(
            outcome=outcome,
            removed=tally.removed,
            blocked=tally.blocked,
            overdue=await self._overdue(),
            problem=tally.problem,
        )

    async def _overdue(self) -> int:
        """How many jobs should have gone two hours ago, counted to 10,000."""
        late, count = self.policy.later(LATE_HOURS), 0
        place: Ended | None = None
        while count < MOST_OVERDUE:
            found = await self.store.due_jobs(late, look=jobs.LOOK, after=place)
            count, place = count + len(found.jobs), found.last
            if place is None:
                break
        stuck = await self.store.marked_jobs(limit=MOST_OVERDUE, marked_for=timedelta(hours=LATE_HOURS))
        return min(count + len(stuck), MOST_OVERDUE)

    async def _ended(self, sweep: SweepId, error: Exception) -> None:
        with suppress(errors.StoreUnavailable):
            await self.store.end_sweep(sweep, SweepEnd.FAILED, overdue=0, problem=type(error).__name__)
