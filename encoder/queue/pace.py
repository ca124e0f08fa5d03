"""How far ahead of its claims a worker may have tasks admitted."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

MOST_AHEAD = 100


class Pace:
    """As many tasks as ended in the last second: they will stand in line no longer than that.

    So where each takes an hour none is admitted ahead, and the most urgent is chosen when there is a slot for it; where
    each takes a millisecond one admission serves many claims.
    """

    def __init__(self, *, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._ended_at: deque[float] = deque(maxlen=MOST_AHEAD)

    def ended(self) -> None:
        """One more has ended."""
        self._ended_at.append(self._clock())

    @property
    def ahead(self) -> int:
        since = self._clock() - 1.0
        while self._ended_at and self._ended_at[0] < since:
            self._ended_at.popleft()
        return len(self._ended_at)
