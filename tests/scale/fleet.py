"""The machines of a simulated fleet, and how jobs come to it."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from math import inf

from encoder.queue.lease import LeaseTimes

HOUR_S = 3600.0
DAY_S = 24 * HOUR_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """So many workers of one slot.

    `kills_per_hour`: of each worker, at any time alike. `noticed`: share of them that are told before (SIGTERM), and
    give their task back at once; of the rest it is found out when the lease has run out. `replaced_s`: until another
    machine works in its place.
    """

    workers: int
    each_bps: float = 125e6
    all_bps: float = inf
    kills_per_hour: float = 0.0
    noticed: float = 1.0
    replaced_s: float = 120.0
    lease_s: float = 60.0

    def life_s(self, chance: random.Random) -> float:
        """How long the next machine lives."""
        return chance.expovariate(self.kills_per_hour / HOUR_S) if self.kills_per_hour else inf

    def found_out_s(self, chance: random.Random) -> float:
        """From a death without notice until its task can be claimed again: what is left of the lease, and a sweep."""
        times = LeaseTimes(self.lease_s)
        left_s = self.lease_s - chance.uniform(0, times.beat_s)
        return left_s + chance.uniform(0, times.rescue_s)


def steady(per_hour: float, for_s: float, chance: random.Random) -> Iterator[float]:
    """Whoever comes knows nothing of the others."""
    at_s = chance.expovariate(per_hour / HOUR_S)
    while at_s < for_s:
        yield at_s
        at_s += chance.expovariate(per_hour / HOUR_S)


def daily(per_hour: float, for_s: float, chance: random.Random) -> Iterator[float]:
    """So many an hour on average, a tenth of the peak at night (the shape of `tests/unit/test_autoscaler.py`)."""
    peak = per_hour / _MEAN
    for at_s in steady(peak, for_s, chance):
        if chance.random() < _shape(at_s):
            yield at_s


def together(count: int) -> Iterator[float]:
    """All at once."""
    yield from (0.0 for _ in range(count))


_MEAN = 0.55


def _shape(at_s: float) -> float:
    return _MEAN - 0.45 * math.cos(2 * math.pi * at_s / DAY_S)
