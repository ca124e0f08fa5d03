"""A run drawn over time: a table of rows, each with bars on one axis. Only geometry, in thousandths of the whole."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from encoder.api import tell_chunks
from encoder.api.answers_timeline import AttemptAnswer, ChunksAnswer, RunAnswer, SpanAnswer
from encoder.api.answers_webhooks import DeliveryAnswer
from encoder.dashboard.job_words import OUTCOMES
from encoder.dashboard.look import span
from encoder.model.ids import OutputId
from encoder.model.state import OutputState
from encoder.store.rows import Outcome

WIDTH = 1000
LATER = 1.15  # of how long a run lasted: until then its messages are drawn
LEAST = 4.0  # of a bar: about two pixels
TICKS = 5  # at most
_STEPS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400, 43200, 86400)
_FAULTY = (Outcome.LOST, Outcome.RETRIED, Outcome.FAILED, Outcome.TIMED_OUT)
_VERBS = {
    "fetching": "fetch", "probing": "probe", "waiting": "wait", "lifting": "lift", "sampling": "sample",
    "encoding": "encode", "joining": "join", "verifying": "verify", "uploading": "upload", "paused": "pause",
    "queued": "queued",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """`kind`: the stage, as a class. `seconds`: None where it goes on."""

    x: float
    width: float
    kind: str
    seconds: float
    going_on: bool = False

    @property
    def words(self) -> str:
        return f"{_VERBS.get(self.kind, self.kind)} {span(self.seconds)}{' so far' if self.going_on else ''}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """`output`: of which it is; None: of all. `faulty`: what was made in it came to nothing. `end`: of the output."""

    label: str
    bars: tuple[Bar, ...]
    output: OutputId | None = None
    note: str = ""
    faulty: bool = False
    end: OutputState | None = None

    @property
    def words(self) -> str:
        return ", ".join(bar.words for bar in self.bars)

    @property
    def seconds(self) -> float:
        return sum(bar.seconds for bar in self.bars)


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """One attempt, or all that went well at `chunks`. `state`, `word`: how it ended, as a pill shows it."""

    number: int
    attempt: AttemptAnswer | None
    rows: tuple[Row, ...]
    state: str
    word: str
    chunks: ChunksAnswer | None = None

    @property
    def part(self) -> str:
        """Of which part of the run it is; empty: of the whole."""
        return tell_chunks.part_of(self.attempt.task) if self.attempt else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waterfall:
    run: int
    started_at: datetime
    seconds: float
    groups: tuple[Group, ...]
    ticks: tuple[tuple[float, str], ...]

    @property
    def rows(self) -> int:
        return sum(len(group.rows) for group in self.groups)


@dataclass(frozen=True, slots=True)
class _Axis:
    begin: datetime
    seconds: float

    def bar(self, kind: str, start: datetime, end: datetime, *, going_on: bool = False) -> Bar:
        x = self._at(start)
        width = max(LEAST, self._at(end) - x)
        lasted = max(0.0, (end - start).total_seconds())
        return Bar(
            x=round(min(x, WIDTH - LEAST), 1), width=round(width, 1), kind=kind, seconds=lasted, going_on=going_on
        )

    def _at(self, moment: datetime) -> float:
        return min(max((moment - self.begin).total_seconds() / self.seconds, 0.0), 1.0) * WIDTH


def drawn(
    run: RunAnswer, names: Mapping[OutputId, str], at: datetime, told: Sequence[DeliveryAnswer] = ()
) -> Waterfall:
    """`names`: of the outputs; `at`: now, where the run has not ended; `told`: what receivers were told of it.

    Messages that went soon after the end are drawn too; what went later stands at the edge.
    """
    end = run.ended_at or at
    lasted = max((end - run.started_at).total_seconds(), 0.001)
    last = max((_told_at(each, at) for each in told), default=end)
    seconds = max(lasted, min((last - run.started_at).total_seconds(), lasted * LATER))
    axis = _Axis(run.started_at, seconds)
    groups = [_group(number, each, axis, names, end) for number, each in enumerate(run.attempts, 1)]
    if run.chunks is not None:
        place = next((place for place, each in enumerate(groups) if each.part), len(groups))
        groups.insert(place, _chunks(run.chunks, axis, end))
    if run.waiting_since is not None or not groups:
        since = run.waiting_since or run.started_at
        waits = Row(label="queued", bars=(axis.bar("queued", since, end, going_on=run.ended_at is None),))
        word = "cancelled" if run.ended_at is not None else "waits"
        state = "cancelled" if run.ended_at is not None else "queued"
        groups.append(Group(number=len(groups) + 1, attempt=None, rows=(waits,), state=state, word=word))
    if told:
        groups.append(_webhooks(told, axis, at))
    return Waterfall(
        run=run.run, started_at=run.started_at, seconds=seconds, groups=tuple(groups), ticks=tuple(_ticks(seconds))
    )


def _group(number: int, attempt: AttemptAnswer, axis: _Axis, names: Mapping[OutputId, str], end: datetime) -> Group:
    state, word = ("processing", "runs") if attempt.outcome is None else OUTCOMES[attempt.outcome]
    if tell_chunks.is_part(attempt.task):
        number = attempt.attempt  # at this part
    rows = (*_before(attempt, axis), *_stages(attempt, axis, names, attempt.ended_at or end))
    if attempt.outcome is Outcome.DONE and any(row.end is OutputState.FAILED for row in rows):
        state, word = "queued", "ended"  # it did what it could: no word of success beside what failed
    return Group(number=number, attempt=attempt, rows=rows, state=state, word=word)


def _chunks(chunks: ChunksAnswer, axis: _Axis, end: datetime) -> Group:
    """As one row: from when they could be made, over when the first one was begun, to when the last one ended."""
    bars = []
    if chunks.started_at > chunks.queued_at:
        bars.append(axis.bar("queued", chunks.queued_at, chunks.started_at))
    going_on = chunks.ended_at is None
    bars.append(axis.bar("encoding", chunks.started_at, chunks.ended_at or end, going_on=going_on))
    row = Row(label="encode", bars=tuple(bars), note=chunk_words(chunks))
    if going_on:
        state, word = "processing", "run"
    else:
        state, word = ("cancelled", "cancelled") if chunks.cancelled else ("completed", "done")
    return Group(number=0, attempt=None, rows=(row,), state=state, word=word, chunks=chunks)


def chunk_words(chunks: ChunksAnswer) -> str:
    """What there is to say of so many at once."""
    told = [f"{chunks.made:,} made" if chunks.made else "", f"{chunks.running:,} being made" if chunks.running else ""]
    if chunks.slowest_seconds is not None:
        told.append(f"slowest {span(chunks.slowest_seconds)}")
    told += [
        f"{count:,} {word}"
        for count, word in (
            (chunks.retried, "retried"), (chunks.given_back, "given back"), (chunks.cancelled, "cancelled")
        )
        if count
    ]  # fmt: skip
    return ", ".join(filter(None, told))


def _before(attempt: AttemptAnswer, axis: _Axis) -> Iterator[Row]:
    """What it waited for its worker; first the pause that a failure brings."""
    begun = attempt.started_at or attempt.ended_at
    if begun is None:
        return
    bars = []
    if attempt.runnable_at > attempt.queued_at:
        bars.append(axis.bar("paused", attempt.queued_at, min(attempt.runnable_at, begun)))
    if begun > attempt.runnable_at and attempt.started_at is not None:
        bars.append(axis.bar("queued", attempt.runnable_at, begun))
    if bars:
        yield Row(label="queued", bars=tuple(bars))


def _stages(attempt: AttemptAnswer, axis: _Axis, names: Mapping[OutputId, str], end: datetime) -> Iterator[Row]:
    faulty = attempt.outcome in _FAULTY
    if not attempt.spans:
        start = attempt.started_at or attempt.queued_at
        yield Row(label="work", bars=(axis.bar("unknown", start, end),), note="its stages are not known", faulty=faulty)
        return
    shared = [each for each in attempt.spans if each.output is None]
    if shared:
        yield Row(label="fetch", bars=tuple(_bars(shared, axis, end)), faulty=faulty)
    for output in sorted({each.output for each in attempt.spans if each.output is not None}):
        own = [each for each in attempt.spans if each.output == output]
        fate = own[-1].outcome
        yield Row(
            label=names.get(output, str(output)),
            output=output,
            bars=tuple(_bars(own, axis, end)),
            faulty=fate is OutputState.FAILED or (faulty and fate is None),
            end=fate,
        )


def _bars(spans: Sequence[SpanAnswer], axis: _Axis, end: datetime) -> Iterator[Bar]:
    for each in spans:
        yield axis.bar(each.stage, each.started_at, each.ended_at or end, going_on=each.ended_at is None)


def _webhooks(told: Sequence[DeliveryAnswer], axis: _Axis, at: datetime) -> Group:
    bars = (axis.bar("telling", each.created_at, _told_at(each, at)) for each in told)
    took = sum(each.status == "delivered" for each in told)
    row = Row(label="webhooks", bars=tuple(bars), note=f"{took} of {len(told)} taken", faulty=False)
    return Group(number=0, attempt=None, rows=(row,), state="delivered", word="")


def _told_at(each: DeliveryAnswer, at: datetime) -> datetime:
    return each.delivered_at or each.tried_at or at


def _ticks(seconds: float) -> Iterator[tuple[float, str]]:
    step = next((each for each in _STEPS if seconds / each <= TICKS), seconds / TICKS)
    for number in range(int(seconds / step) + 1):
        yield round(number * step / seconds * WIDTH, 1), span(number * step) if number else "0"
