"""Counts how attempts end, and jobs with them."""

from __future__ import annotations

from encoder.metrics import queue, worker
from encoder.metrics.family import OTHER
from encoder.store.rows import Claim, Settled, Settlement


def count(claim: Claim, settlement: Settlement, settled: Settled) -> None:
    """An attempt was closed, by its worker or by whoever freed its task."""
    problem = settlement.problem
    queue.settled.of(claim.queue, claim.kind, settlement.outcome, problem.kind if problem else "none").inc()
    if settled.job_state is not None:
        worker.finished.of(settled.job_state).inc()
        if settled.job_seconds is not None:
            worker.job_seconds.of(settled.job_state).observe(settled.job_seconds)
    if settled.failed_outputs and problem is not None:
        worker.outputs.of(OTHER, "failed").inc(settled.failed_outputs)
        worker.output_errors.of(problem.code, problem.kind).inc(settled.failed_outputs)
