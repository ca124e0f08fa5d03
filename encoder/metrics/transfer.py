"""Of what comes in and goes out: sources, results, webhooks; and of addresses that nobody may reach."""

from __future__ import annotations

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
