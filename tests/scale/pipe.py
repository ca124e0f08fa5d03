"""The storage as a fleet sees it: all transfers that are under way share what it gives, each as much as the others."""

from __future__ import annotations

import heapq
import itertools
from dataclasses import dataclass, field
from math import inf


@dataclass(eq=False, slots=True)
class Flow:
    """One transfer. `ends_at`: on the pipe's own scale, the bytes that each transfer has had since the beginning."""

    ends_at: float
    size_bytes: float
    under_way: bool = True


@dataclass(kw_only=True)
class Pipe:
    """`each_bps`: bytes a second that one machine can move; `all_bps`: all of them together.

    Since every transfer runs at the same rate, one number tells how far all are: what a transfer that never ends would
    have moved by now. So a newcomer costs no walk over the others.
    """

    each_bps: float
    all_bps: float = inf
    _moved: float = 0.0
    _at_s: float = 0.0
    _flows: list[tuple[float, int, Flow]] = field(default_factory=list)
    _under_way: int = 0
    _numbers: itertools.count[int] = field(default_factory=itertools.count)

    @property
    def rate_bps(self) -> float:
        """Of each transfer, just now."""
        return min(self.each_bps, self.all_bps / max(1, self._under_way))

    def begin(self, now_s: float, size_bytes: float) -> Flow:
        self._pass(now_s)
        flow = Flow(ends_at=self._moved + size_bytes, size_bytes=size_bytes)
        heapq.heappush(self._flows, (flow.ends_at, next(self._numbers), flow))
        self._under_way += 1
        return flow

    def end(self, now_s: float, flow: Flow) -> float:
        """It is over, or given up: the bytes that it moved."""
        self._pass(now_s)
        flow.under_way = False
        self._under_way -= 1
        return min(flow.size_bytes, flow.size_bytes - (flow.ends_at - self._moved))

    def next_end_s(self, now_s: float) -> tuple[float, Flow] | None:
        """When the next transfer will have ended, if none begins or is given up by then."""
        self._pass(now_s)
        while self._flows and not self._flows[0][2].under_way:
            heapq.heappop(self._flows)
        if not self._flows:
            return None
        ends_at, _, flow = self._flows[0]
        return now_s + max(0.0, ends_at - self._moved) / self.rate_bps, flow

    def _pass(self, now_s: float) -> None:
        self._moved += (now_s - self._at_s) * self.rate_bps if self._under_way else 0.0
        self._at_s = now_s
