"""What was done over time: pieces that are counted once, sums over them, and tables to save."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from encoder.api import insights
from encoder.api.spans import MOST, Piece, Range, Spans, pieces
from encoder.model.ids import TenantId
from encoder.model.state import JobState
from encoder.store.fleet import EndedBy, Span, UsedBy

NOW = datetime(2026, 11, 30, 12, 7, 31, tzinfo=UTC)
A, B = TenantId(1), TenantId(2)


def ended(state: JobState, jobs: int, *, code: str | None = None, step: int | None = None) -> EndedBy:
    return EndedBy(state=state, code=code, step=step, jobs=jobs)


def used(tenant: TenantId, preset: str | None, cpu: float) -> UsedBy:
    return UsedBy(
        tenant_id=tenant, preset=preset, outputs=1, output_seconds=60, cpu_seconds=cpu, delivered_bytes=1 << 40
    )


@pytest.mark.parametrize(
    ("wanted", "count", "first", "last"),
    [
        (Range.HOUR, 12, datetime(2026, 11, 30, 11, 10, tzinfo=UTC), datetime(2026, 11, 30, 12, 10, tzinfo=UTC)),
        (Range.DAY, 24, datetime(2026, 11, 29, 13, tzinfo=UTC), datetime(2026, 11, 30, 13, tzinfo=UTC)),
        (Range.WEEK, 28, datetime(2026, 11, 23, 18, tzinfo=UTC), datetime(2026, 11, 30, 18, tzinfo=UTC)),
        (Range.MONTH, 30, datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)),
    ],
)
def test_pieces_join_without_a_gap_and_the_last_one_is_not_over(
    wanted: Range, count: int, first: datetime, last: datetime
) -> None:
    found = pieces(wanted, NOW)
    assert (len(found), found[0].since, found[-1].until) == (count, first, last)
    assert all(one.until == other.since for one, other in pairwise(found))
    assert found[-1].since <= NOW < found[-1].until


@dataclass
class Counting:
    """A store that says what it was asked, and takes its time."""

    now_s: float = 0.0
    takes_s: float = 0.0
    asked: list[datetime] = field(default_factory=list)

    async def span(self, _tenant: TenantId | None, *, since: datetime, until: datetime, most: int) -> Span:
        assert (until > since, most) == (True, MOST)
        self.asked.append(since)
        self.now_s += self.takes_s
        return Span(ended=(ended(JobState.COMPLETED, 1),), used=(), cut=False)


async def test_what_is_over_is_counted_once_and_what_is_not_again_after_a_while() -> None:
    store = Counting()
    spans = Spans(clock=lambda: store.now_s)
    wanted = pieces(Range.HOUR, NOW)
    for after_s, asked in ((0.0, 12), (0.0, 0), (11.0, 1), (1000.0, 12)):
        store.now_s += after_s
        store.asked.clear()
        told = await spans.counted(store, None, wanted, NOW)  # type: ignore[arg-type]  # the one verb
        assert len(store.asked) == asked
        assert all(piece.span is not None for piece in told)
    store.asked.clear()
    await spans.counted(store, A, wanted, NOW)  # type: ignore[arg-type]  # the one verb
    assert len(store.asked) == 12


async def test_a_call_counts_the_newest_first_and_stops_when_it_took_long_enough() -> None:
    """At least one at each call, so that even the slowest database comes to an end."""
    store = Counting(takes_s=10.0)
    spans = Spans(clock=lambda: store.now_s, enough_s=3.0)
    wanted = pieces(Range.DAY, NOW + timedelta(hours=1))  # so that all but the last are over
    for calls in range(1, 4):
        told = await spans.counted(store, None, wanted, NOW + timedelta(hours=2))  # type: ignore[arg-type]  # the verb
        assert [piece.span is not None for piece in told] == [False] * (24 - calls) + [True] * calls
    assert store.asked == [piece.since for piece in reversed(wanted)][:3]


@pytest.mark.parametrize(("step", "seconds"), [(0, 1.04), (8, 2.09), (24, 8.35), (-80, 0.00102)])
def test_a_step_of_waits_is_told_in_seconds(step: int, seconds: float) -> None:
    assert insights.quantile({step: 3}, 0.5) == seconds
    assert insights.quantile({step: 3}, 0.95) == seconds


def test_a_quantile_is_that_of_the_jobs_and_unknown_of_none() -> None:
    assert insights.quantile({}, 0.5) is None
    waits = {0: 94, 8: 1, 80: 5}
    assert insights.quantile(waits, 0.5) == insights.quantile({0: 1}, 0.5)
    assert insights.quantile(waits, 0.95) == insights.quantile({8: 1}, 0.5)
    assert insights.quantile(waits, 0.96) == insights.quantile({80: 1}, 0.5)


def _found() -> list[Piece]:
    first, second, third = pieces(Range.HOUR, NOW)[-3:]
    return [
        first,
        Piece(
            since=second.since,
            until=second.until,
            span=Span(
                ended=(
                    ended(JobState.COMPLETED, 7, step=0),
                    ended(JobState.FAILED, 2, code="timeout", step=8),
                    ended(JobState.FAILED, 1),
                ),
                used=(used(A, "web", 5.0), used(B, None, 9.0)),
                cut=False,
            ),
        ),
        Piece(
            since=third.since,
            until=third.until,
            span=Span(
                ended=(ended(JobState.FAILED, 1, code="timeout"), ended(JobState.CANCELLED, 4)),
                used=(used(A, "web", 6.0),),
                cut=True,
            ),
        ),
    ]


def test_sums_are_those_of_the_buckets_and_what_is_not_counted_is_unknown() -> None:
    told = insights.summed(Range.HOUR, _found())
    assert not told.complete
    assert told.jobs == {JobState.COMPLETED: 7, JobState.FAILED: 4, JobState.CANCELLED: 4}
    assert [(each.code, each.jobs, each.by_bucket) for each in told.failures] == [
        ("timeout", 3, (0, 2, 1)),
        ("unknown", 1, (0, 1, 0)),
    ]
    assert [(each.tenant, each.preset, each.outputs, each.output_minutes, each.cpu_seconds) for each in told.usage] == [
        (1, "web", 2, 2.0, 11.0),
        (2, None, 1, 1.0, 9.0),
    ]
    unknown, second, third = told.buckets
    assert (unknown.jobs, unknown.outputs, unknown.wait_p50_seconds, unknown.cut) == (None, None, None, False)
    assert (second.jobs, second.outputs, second.cpu_seconds) == (
        {JobState.COMPLETED: 7, JobState.FAILED: 3, JobState.CANCELLED: 0},
        2,
        14.0,
    )
    assert (third.cut, third.wait_p50_seconds) == (True, None)
    assert insights.summed(Range.HOUR, _found()[1:2]).complete


@pytest.mark.parametrize(
    ("table", "rows"),
    [
        (insights.Table.BUCKETS, 1 + 3),
        (insights.Table.FAILURES, 1 + 2),
        (insights.Table.USAGE, 1 + 2),
    ],
)
def test_each_table_is_told_as_csv_with_as_many_columns_in_each_row(table: insights.Table, rows: int) -> None:
    response = insights.as_csv(insights.summed(Range.HOUR, _found()), table)
    lines = (response.text or "").splitlines()
    assert (response.content_type, len(lines)) == ("text/csv", rows)
    assert len({line.count(",") for line in lines}) == 1
    assert f"encoder-{table}-1h-" in response.headers["Content-Disposition"]
