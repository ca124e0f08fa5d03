"""One metric with all its series, of which there are never more than it was made for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from time import perf_counter
from typing import Generic, TypeVar

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
OTHER = "other"
_REGISTRY = CollectorRegistry()

M = TypeVar("M", Counter, Gauge, Histogram)

disable_created_metrics()  # type: ignore[no-untyped-call]  # the library has no annotation here


def text() -> bytes:
    """All that was counted so far, as Prometheus reads it."""
    return generate_latest(_REGISTRY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a metric is. `most`: so many sets of labels are kept apart; `most_series`: what that makes."""

    kind: str
    name: str
    about: str
    labels: tuple[str, ...]
    most: int
    most_series: int


class Family(Generic[M]):
    """A metric. It is told from its first use on: a role tells nothing of what it never does.

    What comes after as many sets of labels as it has room for is counted as `other`.
    """

    def __init__(self, made: M, facts: Facts) -> None:
        self.facts = facts
        self._made: M = made
        self._others = (OTHER,) * len(facts.labels)
        self._series: dict[tuple[str, ...], M] = {}

    def of(self, *values: str) -> M:
        """The series of these values, in the order of the labels."""
        series = self._series.get(values)
        return self._grown(values) if series is None else series

    def clear(self) -> None:
        """Tell nothing of it, until the next use."""
        if self._series:
            _REGISTRY.unregister(self._made)
            self._series.clear()
            if self.facts.labels:
                self._made.clear()

    def _grown(self, values: tuple[str, ...]) -> M:
        if len(self._series) >= self.facts.most - 1 and self.facts.labels and values != self._others:
            return self.of(*self._others)
        if not self._series:
            _REGISTRY.register(self._made)
        series: M = self._made.labels(*values) if self.facts.labels else self._made
        self._series[values] = series
        return series


def counter(name: str, about: str, *labels: str, most: int = 1) -> Family[Counter]:
    made = Counter(f"encoder_{name}", about, labels, registry=None)
    return Family(made, _facts("counter", name, about, labels, most))


def gauge(name: str, about: str, *labels: str, most: int = 1) -> Family[Gauge]:
    made = Gauge(f"encoder_{name}", about, labels, registry=None)
    return Family(made, _facts("gauge", name, about, labels, most))


def histogram(name: str, about: str, *labels: str, buckets: Sequence[float], most: int = 1) -> Family[Histogram]:
    made = Histogram(f"encoder_{name}", about, labels, buckets=buckets, registry=None)
    # buckets, the one without end, sum, count
    return Family(made, _facts("histogram", name, about, labels, most, each=len(buckets) + 3))


def _facts(kind: str, name: str, about: str, labels: tuple[str, ...], most: int, *, each: int = 1) -> Facts:
    return Facts(kind=kind, name=f"encoder_{name}", about=about, labels=labels, most=most, most_series=most * each)


@contextmanager
def timed(observe: Callable[[float], None]) -> Iterator[None]:
    """Tell the seconds that something took, however it ended."""
    began = perf_counter()
    try:
        yield
    finally:
        observe(perf_counter() - began)
