"""How work stands in line: the names of queues and kinds, and the sizes that every store shares."""

from __future__ import annotations

from encoder.model.ids import DeliveryId

ENCODE = "encode"  # the queue of `transcode` tasks
IO = "io"  # the queue of `notify` tasks
NOTIFY = "notify"

NOTIFY_ATTEMPTS = 10  # then the delivery is `exhausted`
FLOOR = -(1 << 63)  # where a claim begins to look: the least bigint


def root(run: int) -> str:
    """The name of the task that a run begins with."""
    return f"t{run}"


def telling(delivery: DeliveryId) -> str:
    """The name of the task that tells a delivery; a replay appends its number."""
    return f"n/{delivery}"
