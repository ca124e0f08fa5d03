"""Of what comes in and goes out: sources, results, webhooks; and of addresses that nobody may reach."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

from encoder import errors
from encoder.metrics import worker
from encoder.metrics.family import counter, gauge

moved = counter(
    "transfer_bytes_total",
    "Bytes of sources that came `in`, of results that went `out`; those of failed tries too.",
    "direction",
    "scheme",
    most=24,
)
seconds = counter(
    "transfer_seconds_total",
    "Time that transfers took, waits between tries and for room on the disk too; with the bytes it is the mean rate.",
    "direction",
    "scheme",
    most=24,
)
in_flight = gauge("transfers_in_flight", "Transfers under way.", "direction", most=3)
addresses_refused = counter(
    "addresses_refused_total",
    "Addresses that may not be dialled, by what they are: `private`, `loopback`, `link-local` …, `own` (us).",
    "reason",
    most=20,
)
webhook_attempts = counter(
    "webhook_attempts_total",
    "Tries to tell a receiver: `delivered`, `pending` (it is tried again), `exhausted`, `gone`.",
    "result",
    most=5,
)
webhook_exhausted = counter("webhook_exhausted_total", "Events that no receiver took, after all tries.")

_STAGE = {"in": "fetch", "out": "deliver"}


class Transfers:
    """Sources that come in, results that go out. `scheme` is a kind of ours, or `other` (`Registry.label`)."""

    def __init__(self, *, clock: Callable[[], float]) -> None:
        self._clock = clock

    @contextmanager
    def transfer(self, direction: Literal["in", "out"], scheme: str) -> Iterator[Tally]:
        """Count one transfer: its time, and what the tally is told."""
        begun = self._clock()
        with in_flight.of(direction).track_inprogress():
            try:
                yield Tally(direction, scheme)
            finally:
                seconds.of(direction, scheme).inc(self._clock() - begun)


class Tally:
    """The counts of one transfer while it runs."""

    def __init__(self, direction: str, scheme: str) -> None:
        self._stage = _STAGE[direction]
        self._moved = moved.of(direction, scheme)

    def moved(self, count: int) -> None:
        self._moved.inc(count)

    def failed(self, failure: errors.Failure, *, again: bool) -> None:
        """A try failed; `again`: another follows."""
        if again:
            worker.stage_retries.of(self._stage, worker.code_of(failure)).inc()
