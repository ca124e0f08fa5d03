"""Of the queue, as a process uses it: verbs, waits, ends; the heart and the ear of a worker."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter

from encoder.metrics.family import counter, gauge, histogram

_QUEUES = 10  # an operator's own may be many: those beyond are `other`

verbs = counter(
    "queue_verb_total",
    "What was asked of the database: `enqueue`, `claim`, `beat`, `mark`, `settle`, `cancel`, `rescue`, `due`; and what "
    "came of it: `ok`, `empty`, `stale` (the lease is gone), `retried` (it is asked again), `error`.",
    "verb",
    "result",
    most=34,
)
verb_seconds = histogram(
    "queue_verb_duration_seconds",
    "Time that a verb took, whatever came of it.",
    "verb",
    most=9,
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 2.5, 10),
)
waited = histogram(
    "task_wait_seconds",
    "From when a task might run to its claim.",
    "queue",
    "kind",
    most=_QUEUES + 2,
    buckets=(0.01, 0.1, 1, 5, 15, 60, 120, 300, 900, 3600, 14400, 86400),
)
settled = counter(
    "tasks_settled_total",
    "Attempts that ended: `done`, `retried`, `failed`, `released`, `lost`, `cancelled`, `timed_out`; and the class of "
    "what went wrong, or `none`.",
    "queue",
    "kind",
    "outcome",
    "class",
    most=120,
)
lateness = histogram(
    "beat_lateness_seconds",
    "How much later than it was due a heartbeat was answered.",
    buckets=(0.01, 0.1, 0.5, 1, 2.5, 5, 10, 20, 40, 80),
)
lease = gauge("lease_seconds", "How long a lease lasts after its last beat (`ENCODER_LEASE_SECONDS`).")
self_stops = counter("self_stops_total", "Attempts that stopped themselves, for their lease could not be renewed.")
rescues = counter(
    "rescues_total", "Tasks taken from others: `expired` leases, tasks beyond their `deadline`.", "reason", most=3
)
listener_up = gauge(
    "listener_up",
    "1 while a worker hears of new work; else it only looks for it, now and then.",
)
round_trip = histogram(
    "notify_round_trip_seconds",
    "From a hint that an ear says to itself until it hears it. PostgreSQL alone.",
    buckets=(0.001, 0.005, 0.025, 0.1, 0.5, 2.5),
)


class Verb:
    """One verb while it is asked. `result`: what came of it, unless it raises."""

    __slots__ = ("result",)

    def __init__(self) -> None:
        self.result = "ok"


@contextmanager
def verb(name: str) -> Iterator[Verb]:
    """Count one verb and its time; `error` where it raises and nothing else was said."""
    asked, began = Verb(), perf_counter()
    try:
        yield asked
    except BaseException:
        if asked.result == "ok":
            asked.result = "error"
        raise
    finally:
        verb_seconds.of(name).observe(perf_counter() - began)
        verbs.of(name, asked.result).inc()
