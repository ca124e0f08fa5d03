"""How work stands in line: names of kinds and tasks, and the sizes that every store shares."""

from __future__ import annotations

from datetime import timedelta
from math import inf

from encoder.model.ids import DeliveryId

NOTIFY = "notify"

SEEN = timedelta(seconds=90)  # a worker that was not seen for so long is not alive
NOTIFY_ATTEMPTS = 10  # then the delivery is `exhausted`
START = -(1 << 63)  # before the first place in line: the least bigint


class Floor:
    """Where claims begin to look at a line, whose places only rise: behind those that were seen a second ago.

    So the rows of the dead, which an old open transaction keeps, are not walked past again and again. Once a second a
    claim looks from the start, for what a claim that was rolled back has left behind. The second in between is for
    places that were committed out of their order.
    """

    EVERY_S = 1.0

    def __init__(self) -> None:
        self._floor = self._before = self._seen = START
        self._whole_at = -inf

    def at(self, now_s: float) -> int:
        """The place from which a claim looks now, by a clock that never goes back."""
        if now_s < self._whole_at:
            return self._floor
        self._whole_at = now_s + self.EVERY_S
        self._floor, self._before, self._seen = self._before, self._seen, START
        return START

    def saw(self, place: int) -> None:
        """A claim has taken what stood here."""
        self._seen = max(self._seen, place)


class Front:
    """Where an enqueue on PostgreSQL begins to look at a line: at the first place that stood there a moment ago.

    What lay before that is dead. The moment in between is for places that were committed out of their order.
    """

    LAG_S = 0.1

    def __init__(self) -> None:
        self._floor = self._before = self._seen = START
        self._moved_at = -inf

    def at(self, now_s: float) -> int:
        """The place from which an enqueue looks now, by a clock that never goes back."""
        if now_s >= self._moved_at + self.LAG_S:
            self._floor, self._before, self._moved_at = self._before, self._seen, now_s
        return self._floor

    def saw(self, place: int) -> None:
        """Nothing stood before this place."""
        self._seen = max(self._seen, place)


def root(run: int) -> str:
    """The name of the task that a run begins with."""
    return f"t{run}"


def telling(delivery: DeliveryId) -> str:
    """The name of the task that tells a delivery; a replay appends its number."""
    return f"n/{delivery}"
