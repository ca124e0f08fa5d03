"""How often somebody may call: token buckets in the memory of this process.

Each API process counts for itself: where there are several, a caller may call each of them so often.
"""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass

from aiohttp import web

from encoder import errors
from encoder.metrics.api import rate_limited

BURST_S = 120.0  # as much as two minutes give may come at once
MOST = 10_000  # buckets, of some 200 bytes each; whoever was not heard of for longest gives way, and begins anew
_READS = frozenset({"GET", "HEAD"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Rated:
    """What a caller may still do, as answers tell it: `left` of `most`, all again in `full_s` seconds.

    Of what is told a policy makes a window: `most` in `BURST_S` seconds is as often as the bucket fills.
    """

    kind: str
    most: int
    left: int
    full_s: float

    @property
    def headers(self) -> dict[str, str]:
        """As draft-ietf-httpapi-ratelimit-headers has them since -08."""
        return {
            "RateLimit-Policy": f'"{self.kind}";q={self.most};w={BURST_S:.0f}',
            "RateLimit": f'"{self.kind}";r={self.left};t={math.ceil(self.full_s)}',
        }


RATED = web.RequestKey("rated", Rated)  # of a request that was counted


class Buckets:
    """One bucket for each name. It gives `per_minute`, and holds twice that; 0: no end of it.

    Of a bucket only the time is kept at which it will be full again: that of one that is full need not be.
    """

    def __init__(self, per_minute: int, *, clock: Callable[[], float] = time.monotonic, most: int = MOST) -> None:
        self.per_minute = per_minute
        self._clock = clock
        self._most = most
        self._each_s = 60 / per_minute if per_minute else 0.0
        self._full_at: OrderedDict[Hashable, float] = OrderedDict()

    def wait_s(self, name: Hashable) -> float:
        """Seconds until something is in the bucket; 0 while there is."""
        lacks_s = self._full_at.get(name, 0.0) + self._each_s - self._clock()
        return max(0.0, lacks_s - BURST_S)

    def full_s(self, name: Hashable) -> float:
        """Seconds until the bucket is full."""
        return max(0.0, self._full_at.get(name, 0.0) - self._clock())

    def left(self, name: Hashable) -> int:
        """How many are in the bucket, whole ones."""
        return math.floor((BURST_S - self.full_s(name)) / self._each_s + 1e-6)  # of 60/7 no sum is exact

    def take(self, name: Hashable) -> float:
        """Take one out; where there is none, the seconds until there is."""
        wait_s = self.wait_s(name)
        if self.per_minute and not wait_s:
            self._full_at[name] = max(self._full_at.get(name, 0.0), self._clock()) + self._each_s
            self._full_at.move_to_end(name)
            if len(self._full_at) > self._most:
                self._full_at.popitem(last=False)
        return wait_s

    def give(self, name: Hashable) -> None:
        """Put back what was taken for nothing."""
        if name in self._full_at:
            self._full_at[name] -= self._each_s


class Rates:
    """What each caller may do, by `Buckets`: see, and change."""

    def __init__(self, *, reads: Buckets, writes: Buckets) -> None:
        self._reads = reads
        self._writes = writes

    def count(self, caller: Hashable, method: str) -> None:
        """One more call.

        Raises:
            errors.TooMany: `rate_limited`; it is not counted.
        """
        kind, buckets = self._of(method)
        wait_s = buckets.take(caller)
        if wait_s:
            rate_limited.of(kind).inc()
            told = f"No more than {buckets.per_minute} {kind} a minute."
            raise errors.TooMany("rate_limited", told, retry_after_s=wait_s)

    def rated(self, caller: Hashable, method: str) -> Rated | None:
        """What is left to a caller; None where there is no end of it."""
        kind, buckets = self._of(method)
        if not buckets.per_minute:
            return None
        most = round(buckets.per_minute * BURST_S / 60)
        return Rated(kind=kind, most=most, left=buckets.left(caller), full_s=buckets.full_s(caller))

    def _of(self, method: str) -> tuple[str, Buckets]:
        return ("reads", self._reads) if method in _READS else ("writes", self._writes)
