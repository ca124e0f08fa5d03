"""Of the connections of a process to its database."""

from __future__ import annotations

from collections.abc import Callable

from encoder.metrics.family import counter, gauge, histogram

connections = gauge("db_pool_connections", "Connections of the pool: `busy`, `free`, and the `limit`.", "state", most=4)
wait_seconds = histogram(
    "db_pool_wait_seconds",
    "Time until a connection was to be had.",
    buckets=(0.0005, 0.005, 0.05, 0.1, 0.25, 0.5, 1, 2),
)
errors = counter(
    "db_errors_total",
    "Statements that failed: `away`, `timeout`, `rival` (a deadlock; tried again), `other`.",
    "class",
    most=6,
)


def begin(limit: int, *, free: Callable[[], float], busy: Callable[[], float]) -> None:
    """Tell of a pool; and of no errors yet, for what begins with 1 has not risen to Prometheus."""
    connections.of("limit").set(limit)
    connections.of("free").set_function(free)
    connections.of("busy").set_function(busy)
    for each in ("away", "timeout", "rival", "other"):
        errors.of(each)
