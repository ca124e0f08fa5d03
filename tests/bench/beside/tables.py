"""The report: a table a case, a column a contender, and how our queue stands to each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from tests.bench.beside.cases import Basics, Idle
from tests.bench.beside.contenders import CONTENDERS, ENCODER
from tests.bench.measure import median, percentile

# Figures of contenders by name.
Row = Mapping[str, float]


@dataclass(slots=True)
class Figures:
    """What was measured, by contender. Rounds of the basics are neighbours in time."""

    basics: list[dict[str, Basics]] = field(default_factory=list)
    backlog: dict[str, dict[int, float]] = field(default_factory=dict)
    stale: dict[str, tuple[float, float]] = field(default_factory=dict)
    future: dict[str, tuple[float, float]] = field(default_factory=dict)
    held: dict[str, tuple[float, float]] = field(default_factory=dict)
    idle: dict[str, Idle] = field(default_factory=dict)


def report(figures: Figures) -> str:
    """Markdown."""
    return "\n".join(
        (
            *_table("Pick-up in ms, ten tasks a second on an idle worker", _pickup(figures)),
            *_table("Enqueue and drain in tasks per second, ten at a time", _rates(figures)),
            *_table("Backlog: drain by one worker in tasks per second", _backlog(figures)),
            *_table("What broke others: drain by one worker in tasks per second", _broken(figures)),
            *_table("One idle worker", _idle(figures)),
        )
    )


def _table(title: str, rows: Iterable[tuple[str, list[str]]]) -> list[str]:
    filled = [(name, cells) for name, cells in rows if any(cells)]
    if not filled:
        return []
    head = ["", *(each.name for each in CONTENDERS)]
    lines = [f"### {title}", "", _line(head), _line(["---", *("---:" for _ in CONTENDERS)])]
    return [*lines, *(_line([name, *cells]) for name, cells in filled), ""]


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cells(values: Row, form: str) -> list[str]:
    return [format(values[each.name], form) if each.name in values else "" for each in CONTENDERS]


def _pickup(figures: Figures) -> Iterable[tuple[str, list[str]]]:
    def rows(name: str, of: Callable[[Basics], Sequence[float]]) -> Iterable[tuple[str, list[str]]]:
        for percent in (50, 95, 99):
            share = percent / 100
            pooled = {
                who: percentile([ms for one in figures.basics if who in one for ms in of(one[who])], share)
                for who in _names(figures.basics)
            }
            yield f"from {name}, p{percent}", _cells(pooled, ".2f")
        rounds = [{who: percentile(of(basics), 0.5) for who, basics in one.items()} for one in figures.basics]
        yield "its p50 over ours", _cells(_to_ours(rounds, lambda ours, theirs: theirs / ours), ".2f")

    yield from rows("its commit", lambda basics: basics.committed_ms)
    yield from rows("the answer", lambda basics: basics.answered_ms)


def _rates(figures: Figures) -> Iterable[tuple[str, list[str]]]:
    def rows(name: str, of: Callable[[Basics], float]) -> Iterable[tuple[str, list[str]]]:
        rounds = [{who: of(basics) for who, basics in one.items()} for one in figures.basics]
        yield name, _cells(_medians(rounds), ",.0f")
        yield "ours over it", _cells(_to_ours(rounds, lambda ours, theirs: ours / theirs), ".2f")

    yield from rows("enqueue, one by one", lambda basics: basics.enqueue)
    yield from rows("drain, one worker", lambda basics: basics.drain[1])
    yield from rows("drain, two workers", lambda basics: basics.drain[2])
    worker = [{who: basics.worker_ms for who, basics in one.items()} for one in figures.basics]
    yield "CPU ms a task: the worker", _cells(_medians(worker), ".2f")
    database = [{who: basics.database_ms for who, basics in one.items()} for one in figures.basics]
    yield "CPU ms a task: the database", _cells(_medians(database), ".2f")
    yield "tasks that began twice", _cells(_sums(figures.basics), ".0f")


def _backlog(figures: Figures) -> Iterable[tuple[str, list[str]]]:
    sizes = sorted({waiting for rates in figures.backlog.values() for waiting in rates})
    for waiting in sizes:
        yield f"{waiting:,} waiting", _cells({who: rates[waiting] for who, rates in figures.backlog.items()}, ",.0f")
    if sizes:
        last, first = sizes[-1], sizes[0]
        shares = {who: rates[last] / rates[first] for who, rates in figures.backlog.items() if rates[first]}
        yield f"{last:,} over {first:,}", _cells(shares, ".2f")


def _broken(figures: Figures) -> Iterable[tuple[str, list[str]]]:
    cases = (
        ("right after a burst, statistics stale", "of the rate once they are fresh", figures.stale),
        ("behind the same burst, due in an hour", "of the rate without it", figures.future),
        ("old open snapshot, last fifth", "of the rate of the first fifth", figures.held),
    )
    for name, share, pairs in cases:
        yield name, _cells({who: rate for who, (rate, _) in pairs.items()}, ",.0f")
        yield share, _cells({who: rate / whole for who, (rate, whole) in pairs.items() if whole}, ".2f")


def _idle(figures: Figures) -> Iterable[tuple[str, list[str]]]:
    yield "statements a second", _cells({who: idle.statements for who, idle in figures.idle.items()}, ".2f")
    yield "connections", _cells({who: idle.connections for who, idle in figures.idle.items()}, ".0f")
    yield "CPU, share of a core", _cells({who: idle.cpu for who, idle in figures.idle.items()}, ".1%")


def _names(rounds: Sequence[Mapping[str, object]]) -> set[str]:
    return {who for one in rounds for who in one}


def _medians(rounds: Sequence[Row]) -> Row:
    return {who: median([one[who] for one in rounds if who in one]) for who in _names(rounds)}


def _sums(rounds: Sequence[Mapping[str, Basics]]) -> Row:
    return {who: sum(one[who].twice for one in rounds if who in one) for who in _names(rounds)}


def _to_ours(rounds: Sequence[Row], ratio: Callable[[float, float], float]) -> Row:
    """The median over rounds: of neighbours, for machines drift."""
    told: dict[str, list[float]] = {}
    for one in rounds:
        for who, value in one.items():
            if ENCODER.name in one and who != ENCODER.name and value and one[ENCODER.name]:
                told.setdefault(who, []).append(ratio(one[ENCODER.name], value))
    return {who: median(values) for who, values in told.items()}
