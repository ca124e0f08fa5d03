"""Names of queues. All but these two are an operator's own: known once a worker or an operator has spoken of them."""

from __future__ import annotations

ENCODE = "encode"  # of jobs that name none
IO = "io"  # of `notify` tasks, and of no job
QUEUE_NAME = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}"
