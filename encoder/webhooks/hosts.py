"""How receivers' hosts fare by this process: who is slow, and when what found no turn comes again; who is silent.

A receiver that hangs holds each of its turns for as long as a try may take. What else is to be told to it must neither
wait in a slot, nor come back before there is a turn for it: other receivers of the same tenant stand behind.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TypeAlias
from weakref import WeakValueDictionary

from encoder.model.ids import TenantId

PER_HOST = 4
MOST_BOOKED_S = 900.0
MOST_SILENT = 2 * PER_HOST  # tries in a row
REST_S, MOST_REST_S = 60.0, 300.0
_MOST_KNOWN = 10_000

Host: TypeAlias = tuple[str, int]


class Line:
    """The turns at one host. What finds them taken is booked for later, one after the other, as fast as it answers."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.turns = asyncio.Semaphore(PER_HOST)
        self._clock = clock
        self._took_s = 1.0
        self._booked_until = clock()

    @property
    def is_full(self) -> bool:
        """No turn is free, and others are to come before whoever would wait for one."""
        return self.turns.locked() and self._booked_until > self._clock()

    def book(self) -> float:
        """In how many seconds to come again."""
        now = self._clock()
        behind = max(self._booked_until, now) + self._took_s / PER_HOST
        self._booked_until = min(behind, now + MOST_BOOKED_S)
        return self._booked_until - now

    def took(self, seconds: float) -> None:
        self._took_s = seconds


class Silence:
    """Tries in a row that a host left unanswered. From `MOST_SILENT` on it is let alone, but for one at a time."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._tries = 0
        self._rest_until = 0.0

    def lets_alone(self, *, a_try_s: float) -> bool:
        """Whether not to dial now. Who is told to dial after a rest is the only one for as long as a try may take."""
        now = self._clock()
        if self._tries < MOST_SILENT:
            return False
        if now < self._rest_until:
            return True
        self._rest_until = now + a_try_s
        return False

    def again(self) -> None:
        """One more try without an answer: a minute's rest, twice as long each time, five minutes at most."""
        self._tries += 1
        if self._tries >= MOST_SILENT:
            rest_s = min(MOST_REST_S, REST_S * 2 ** min(self._tries - MOST_SILENT, 9))
            self._rest_until = self._clock() + rest_s


class Hosts:
    """Turns are a host's, whoever is told there; its silence is each tenant's own: nobody answers for others."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lines: WeakValueDictionary[Host, Line] = WeakValueDictionary()
        self._silent: dict[tuple[TenantId, Host], Silence] = {}

    def line(self, host: Host) -> Line:
        """As long as somebody has a turn: whoever comes when nobody does finds it free."""
        return self._lines.setdefault(host, Line(self._clock))

    def lets_alone(self, tenant_id: TenantId, host: Host, *, a_try_s: float) -> bool:
        silence = self._silent.get((tenant_id, host))
        return silence is not None and silence.lets_alone(a_try_s=a_try_s)

    def heard(self, tenant_id: TenantId, host: Host) -> None:
        self._silent.pop((tenant_id, host), None)

    def silent(self, tenant_id: TenantId, host: Host) -> None:
        if len(self._silent) >= _MOST_KNOWN:
            del self._silent[next(iter(self._silent))]
        self._silent.setdefault((tenant_id, host), Silence(self._clock)).again()
