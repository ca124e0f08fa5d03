"""Numbers about transfers, for Prometheus. Labels are words of our own: no name, id or address."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

from prometheus_client import CollectorRegistry, Counter, disable_created_metrics

from encoder import errors

disable_created_metrics()  # type: ignore[no-untyped-call]  # the library has no annotation here


class Transfers:
    """Sources that come in, results that go out. `kind` is one of ours, or `other` (`Registry.label`)."""

    def __init__(self, registry: CollectorRegistry, *, clock: Callable[[], float]) -> None:
        self._clock = clock
        both = ["direction", "kind"]
        self.bytes = Counter(
            "encoder_transfer_bytes_total", "Bytes moved, those of failed tries too.", both, registry=registry
        )
        self.seconds = Counter(
            "encoder_transfer_seconds_total",
            "Time that transfers took, waits between tries and for room on the disk too.",
            both,
            registry=registry,
        )
        self.failures = Counter(
            "encoder_transfer_failures_total", "Tries that failed.", [*both, "code"], registry=registry
        )
        self.retries = Counter(
            "encoder_transfer_retries_total", "Failed tries that were followed by another.", both, registry=registry
        )

    @contextmanager
    def transfer(self, direction: Literal["in", "out"], kind: str) -> Iterator[Tally]:
        """Count one transfer: its time, and what the tally is told."""
        begun = self._clock()
        try:
            yield Tally(self, direction, kind)
        finally:
            self.seconds.labels(direction, kind).inc(self._clock() - begun)


class Tally:
    """The counts of one transfer while it runs."""

    def __init__(self, transfers: Transfers, direction: str, kind: str) -> None:
        self._transfers = transfers
        self._labels = (direction, kind)

    def moved(self, count: int) -> None:
        self._transfers.bytes.labels(*self._labels).inc(count)

    def failed(self, failure: errors.Failure, *, again: bool) -> None:
        """A try failed; `again`: another follows."""
        code = failure.code if failure.code in errors.CATALOGUE else "other"  # a plug-in may have words of its own
        self._transfers.failures.labels(*self._labels, code).inc()
        if again:
            self._transfers.retries.labels(*self._labels).inc()
