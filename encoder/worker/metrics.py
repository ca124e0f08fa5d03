"""Counts transfers while they run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

from encoder import errors
from encoder.metrics import transfer, worker
from encoder.metrics.family import OTHER

_STAGE = {"in": "fetch", "out": "deliver"}


class Transfers:
    """Sources that come in, results that go out. `scheme` is a kind of ours, or `other` (`Registry.label`)."""

    def __init__(self, *, clock: Callable[[], float]) -> None:
        self._clock = clock

    @contextmanager
    def transfer(self, direction: Literal["in", "out"], scheme: str) -> Iterator[Tally]:
        """Count one transfer: its time, and what the tally is told."""
        begun = self._clock()
        with transfer.in_flight.of(direction).track_inprogress():
            try:
                yield Tally(direction, scheme)
            finally:
                transfer.seconds.of(direction, scheme).inc(self._clock() - begun)


class Tally:
    """The counts of one transfer while it runs."""

    def __init__(self, direction: str, scheme: str) -> None:
        self._stage = _STAGE[direction]
        self._moved = transfer.moved.of(direction, scheme)

    def moved(self, count: int) -> None:
        self._moved.inc(count)

    def failed(self, failure: errors.Failure, *, again: bool) -> None:
        """A try failed; `again`: another follows."""
        if again:
            worker.stage_retries.of(self._stage, code_of(failure)).inc()


def code_of(failure: errors.Failure) -> str:
    """The label of what went wrong: a plug-in may have words of its own."""
    return failure.code if failure.code in errors.CATALOGUE else OTHER
