"""What became of jobs, counted piece by piece: what is over is counted seldom, and a call takes seconds at most."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from encoder.model.ids import TenantId
from encoder.store.fleet import Span
from encoder.store.protocol import Insights

MOST = 50_000  # jobs that are looked at of one piece
ENOUGH_S = 3.0  # after which a call begins with no further piece
_KEPT = 1_000  # pieces
_SETTLED = timedelta(minutes=1)  # after its end, what ended in a piece is committed
_OPEN_S, _OVER_S = 10.0, 900.0  # how long a count is good; afterwards jobs may have run again, or been removed


class Range(StrEnum):
    """How far back it is looked."""

    HOUR = "1h"
    DAY = "24h"
    WEEK = "7d"
    MONTH = "30d"

    @property
    def pieces(self) -> tuple[int, timedelta]:
        """How many, and how long each is."""
        return _PIECES[self]


_PIECES = {
    Range.HOUR: (12, timedelta(minutes=5)),
    Range.DAY: (24, timedelta(hours=1)),
    Range.WEEK: (28, timedelta(hours=6)),
    Range.MONTH: (30, timedelta(days=1)),
}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """From `since` until before `until`; the last one of a range is not over yet. `span`: None: not counted yet."""

    since: datetime
    until: datetime
    span: Span | None = None


def pieces(wanted: Range, now: datetime) -> tuple[Piece, ...]:
    """The oldest first; they begin at full minutes, hours or days, UTC."""
    count, length = wanted.pieces
    last = now - (now - _EPOCH) % length
    begins = (last - number * length for number in reversed(range(count)))
    return tuple(Piece(since=since, until=since + length) for since in begins)


class Spans:
    """Remembers what was counted. One counts at a time, so that no crowd of viewers is a crowd of questions."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic, enough_s: float = ENOUGH_S) -> None:
        self._clock = clock
        self._enough_s = enough_s
        self._known: OrderedDict[tuple[TenantId | None, datetime, datetime], tuple[float, Span]] = OrderedDict()
        self._counting = asyncio.Lock()

    async def counted(
        self, store: Insights, tenant_id: TenantId | None, wanted: Sequence[Piece], now: datetime
    ) -> tuple[Piece, ...]:
        """These pieces; of those not known yet the newest are counted, at least one. `now`: the database's."""
        found: list[Piece] = []
        async with self._counting:
            stop_at = self._clock() + self._enough_s
            has_counted = False
            for piece in reversed(wanted):
                span = self._remembered(tenant_id, piece)
                if span is None and (not has_counted or self._clock() < stop_at):
                    span = await store.span(tenant_id, since=piece.since, until=piece.until, most=MOST)
                    self._remember(tenant_id, piece, span, now)
                    has_counted = True
                found.append(Piece(since=piece.since, until=piece.until, span=span))
        return tuple(reversed(found))

    def _remembered(self, tenant_id: TenantId | None, piece: Piece) -> Span | None:
        good_until, span = self._known.get((tenant_id, piece.since, piece.until), (0.0, None))
        return span if self._clock() < good_until else None

    def _remember(self, tenant_id: TenantId | None, piece: Piece, span: Span, now: datetime) -> None:
        good_s = _OVER_S if piece.until + _SETTLED < now else _OPEN_S
        key = (tenant_id, piece.since, piece.until)
        self._known[key] = (self._clock() + good_s, span)
        self._known.move_to_end(key)
        while len(self._known) > _KEPT:
            self._known.popitem(last=False)
