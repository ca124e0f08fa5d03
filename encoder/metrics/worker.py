"""Of a worker: its slots and its machine, the stages of its work and how jobs end."""

from __future__ import annotations

from encoder import errors
from encoder.metrics.family import OTHER, counter, gauge, histogram

slots = gauge("slots", "Tasks that run at a time, at most.", "queue", most=12)
busy = gauge("slots_busy", "Tasks that run.", "queue", most=12)
paused = gauge(
    "claims_paused",
    "1 while nothing is claimed for that reason: `disk`, `memory`, `database`, `sick` (something is lacking here), "
    "`drain`, `age`.",
    "reason",
    most=8,
)
draining = gauge("draining", "1 from the signal to stop on.")
scratch = gauge("scratch_bytes", "Disk for work in progress: `limit`, `used`, `reserved` by promise.", "kind", most=4)
memory = gauge(
    "memory_bytes",
    "Memory for encoders: `limit`, `reserved` by promise; `used` just now, by this process and all ffmpeg of it.",
    "kind",
    most=4,
)

finished = counter("jobs_finished_total", "Jobs that this worker brought to their end.", "status", most=4)
job_seconds = histogram(
    "job_duration_seconds",
    "From the submission to the end of a job.",
    "status",
    most=4,
    buckets=(1, 5, 15, 60, 300, 900, 3600, 14400, 86400),
)
outputs = counter(
    "outputs_total", "Outputs that ended, `uploaded` or `failed`, by their codec.", "codec", "result", most=24
)
output_errors = counter(
    "output_errors_total",
    "Outputs that could not be made or delivered, those that are tried again too, by [code](errors.md).",
    "code",
    "class",
    most=60,
)
stage_seconds = histogram(
    "stage_duration_seconds",
    "Time of each stage: `fetch`, `probe`, `plan`, `encode`, `verify`, `deliver`, `settle`; `ok`, `failed`, `cut`.",
    "stage",
    "outcome",
    most=22,
    buckets=(0.1, 0.5, 2.5, 10, 30, 120, 600, 1800, 7200),
)
chunks = counter(
    "chunks_total",
    "Chunks of pictures: `made` by their task, `found` from an earlier run of their job, made `again` by who puts them "
    "together, as they were not in the storage as they were made.",
    "how",
    most=4,
)
stage_retries = counter(
    "stage_retries_total",
    "Tries that failed and were followed by another within the same attempt, by [code](errors.md).",
    "stage",
    "code",
    most=40,
)
checks_failed = counter(
    "proof_checks_failed_total", "Checks that a result did not pass, by the check.", "check", most=60
)


def code_of(failure: errors.Failure) -> str:
    """The label of what went wrong: a plug-in may have words of its own."""
    return failure.code if failure.code in errors.CATALOGUE else OTHER
