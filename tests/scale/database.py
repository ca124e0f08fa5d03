"""What a simulated fleet asks of the database, from the verbs that it needed and from how long its slots were busy."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from tests.scale import trace
from tests.scale.tally import Tally
from tests.scale.verbs import BEGIN, END

# what a worker asks again and again: by the names of its statements
_BEATS = ("beat",)
_POLLS = ("claim",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """Statements a second: by verb on average, and in the busiest second. `cores`: of the database, on average."""

    by_verb: Mapping[str, float]
    peak: float
    cores: float

    @property
    def mean(self) -> float:
        return sum(self.by_verb.values())


def load(told: Tally) -> Load:
    """Of a simulation. The peak has the polls and beats of a fleet that is busy as a whole."""
    statements = trace.kept()["statements"]
    by_verb: defaultdict[str, float] = defaultdict(float)
    in_second: Counter[int] = Counter()
    for (second, deed), times in told.asked_in.items():
        for verb, each in _verbs(deed, whole=not told.chunked).items():
            asked = each * times * statements["verbs"].get(verb, 1)
            by_verb[verb.partition(",")[0]] += asked / told.ended_at_s
            in_second[second] += round(asked)
    busy, idle = (_rates(statements[state]) for state in ("busy", "idle"))
    for what in busy.keys() | idle.keys():
        share = told.busy * busy.get(what, 0.0) + (1 - told.busy) * idle.get(what, 0.0)
        by_verb[what] += told.workers * share
    peak = max(in_second.values(), default=0) + told.workers * sum(busy.values())
    mean = sum(by_verb.values())
    return Load(by_verb=dict(by_verb), peak=peak, cores=mean * statements["cpu_ms"] / 1000)


def _verbs(deed: str, *, whole: bool) -> Mapping[str, float]:
    """The verbs of what a simulation counts."""
    what, _, kind = deed.partition(" ")
    if what == "begin":
        return BEGIN[kind]
    if what == "end":
        return END[f"transcode, {'whole' if whole else 'split'}" if kind == "transcode" else kind]
    return _OTHERS[deed]


_OTHERS: Mapping[str, Mapping[str, float]] = {
    "enqueue": {"enqueue": 1},
    "claim in vain": {"claim, in vain": 1},
    "part": {},  # all of them are one statement of the settle that makes them
    "release": {"release": 1},
    "rescue": {"expired": 1, "rescue": 1},
}


def _rates(asked: Mapping[str, float]) -> dict[str, float]:
    """Statements a second of one worker: its beats, its polls, and the rest."""
    found: defaultdict[str, float] = defaultdict(float)
    for name, rate in asked.items():
        found["beat" if name in _BEATS else "poll" if name in _POLLS else "sweep"] += rate
    return dict(found)
