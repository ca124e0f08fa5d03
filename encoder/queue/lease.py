"""The times of a lease. All are fractions of one number, so that a two-second lease in a test works the same."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

MOST_BEAT_S = 30.0  # twice in the time for which a worker counts as alive (`store.line.SEEN`)


@dataclass(frozen=True, slots=True)
class LeaseTimes:
    """`lease_s`: seconds after its last renewal at which a lease may be taken by others.

    `freeze_s`: from the self-stop to the end of work that could stand still until then.
    """

    lease_s: float
    freeze_s: float = 600.0

    @property
    def lease(self) -> timedelta:
        return timedelta(seconds=self.lease_s)

    @property
    def beat_s(self) -> float:
        """Between two beats: four may fail before the self-stop. By them it is also seen that a worker lives."""
        return min(self.lease_s / 5, MOST_BEAT_S)

    @property
    def self_stop_s(self) -> float:
        """From when the last accepted claim or beat was *sent*, by the monotonic clock, until our work stands still.

        Before the lease's end by the database's clock, however long the answer took.
        """
        return self.lease_s * 0.8

    @property
    def rescue_s(self) -> float:
        """Between two sweeps for expired leases."""
        return self.lease_s / 6


class Contact:
    """How long the database has answered without a break: what an outage guard must know (G8).

    A process that was itself stopped for long counts as cut off: `longest_gap_s` without a word breaks contact.
    """

    def __init__(self, *, now: float, longest_gap_s: float) -> None:
        self._since = now
        self._last = now
        self._longest_gap_s = longest_gap_s

    def kept(self, now: float) -> None:
        """An answer came."""
        if now - self._last > self._longest_gap_s:
            self._since = now
        self._last = now

    def broken(self, now: float) -> None:
        """An answer did not come."""
        self._since = self._last = now

    def unbroken_s(self, now: float) -> float:
        """Seconds of contact without a break, up to the last answer."""
        if now - self._last > self._longest_gap_s:
            return 0.0
        return self._last - self._since
