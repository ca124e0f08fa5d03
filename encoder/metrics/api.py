"""Of the API: calls, what is handed in, who is turned away, who listens."""

from __future__ import annotations

from encoder.metrics.family import counter, gauge, histogram

requests = counter("http_requests_total", "Requests answered, by status.", "method", "route", "code", most=450)
request_seconds = histogram(
    "http_request_duration_seconds",
    "Time to the answer; streams and transfers are not in it.",
    "route",
    most=45,
    buckets=(0.005, 0.025, 0.1, 0.5, 1, 2.5, 10, 30),
)
in_flight = gauge("http_in_flight", "Requests being answered.")

submitted = counter(
    "jobs_submitted_total", "Jobs handed in: `accepted`, `replayed` under their key, `rejected`.", "result", most=4
)
refused_callers = counter(
    "auth_failures_total", "Calls that were not let in, by the code that they were told.", "reason", most=6
)
rate_limited = counter(
    "rate_limited_total",
    "Calls that came too often: `reads`, `writes`, `bad_keys`, or `jobs` beyond what a tenant may have open.",
    "scope",
    most=6,
)
ingested = counter(
    "ingest_events_total",
    "What was told of objects, by whom: a `job`, by each rule that took it, what it was "
    "[skipped](ingest.md#what-becomes-of-an-event) for, or `incomplete`.",
    "origin",
    "result",
    most=64,
)
streams = gauge("event_streams", "Live streams that are open, of a `job` or of all of a `tenant`'s.", "of", most=3)
stream_hints = gauge(
    "event_stream_hints",
    "1 while changes are pushed to them: on PostgreSQL, while there are any; else they are looked for more often.",
)
