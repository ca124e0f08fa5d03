"""Names of queues. All but these two are an operator's own: known once a worker that takes from them has started."""

from __future__ import annotations

from collections.abc import Sequence

ENCODE = "encode"  # of jobs that name none
IO = "io"  # of `notify` tasks, and of no job
QUEUE_NAME = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}"
_NAMED = 10


def named(names: Sequence[str], *, most: int = _NAMED) -> str:
    """Names in a sentence; of many the first ones."""
    return ", ".join([*names[:most], *["…"] * (len(names) > most)])
