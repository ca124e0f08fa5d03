"""Counters that are told before anything is counted: to Prometheus, what begins with 1 has not risen.

Those of which the words are known, and which alerts or boards read.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from prometheus_client import Counter

from encoder.errors import FailureClass
from encoder.ffmpeg.exits import Reason
from encoder.metrics import encode, queue, transfer, worker
from encoder.metrics.family import OTHER, Family
from encoder.model.queue import IO
from encoder.model.state import JOB_ENDED
from encoder.store.line import NOTIFY
from encoder.store.rows import Outcome

_FAILED = FailureClass.PERMANENT
_TOLD: Mapping[Family[Counter], Sequence[tuple[str, ...]]] = {
    encode.exits: [(reason,) for reason in (*Reason, "cancelled")],
    worker.outputs: [(codec, result) for codec in (*encode.FAMILIES, OTHER) for result in ("uploaded", "failed")],
    worker.output_errors: [("output_invalid", _FAILED), ("encoder_not_available", _FAILED)],
    worker.finished: [(state,) for state in JOB_ENDED],
    queue.verbs: [(verb, "error") for verb in ("claim", "beat", "mark", "settle", "rescue", "due")],
    queue.self_stops: [()],
    queue.rescues: [("expired",), ("deadline",)],
}
_TOLD_OF_WEBHOOKS: Mapping[Family[Counter], Sequence[tuple[str, ...]]] = {
    transfer.webhook_exhausted: [()],
    transfer.webhook_attempts: [("delivered",), ("pending",), ("exhausted",), ("gone",)],
}
_ENDS = (  # of tasks, with what alerts look for
    (Outcome.DONE, "none"),
    (Outcome.FAILED, FailureClass.CRASH),
    (Outcome.LOST, FailureClass.CRASH),
)


def tell(queues: Collection[str], kinds: Collection[str]) -> None:
    """Those of a worker that takes tasks of these kinds from these queues."""
    for family, words in {**_TOLD, **(_TOLD_OF_WEBHOOKS if IO in queues else {})}.items():
        for each in words:
            family.of(*each)
    for name, kind in _pairs(queues, kinds):
        queue.waited.of(name, kind)
        for outcome, failure in _ENDS:
            queue.settled.of(name, kind, outcome, failure)


def _pairs(queues: Collection[str], kinds: Collection[str]) -> Iterator[tuple[str, str]]:
    """What may come from where: the queue of messages has nothing else, and no other has them."""
    return ((name, kind) for name in queues for kind in kinds if (kind == NOTIFY) is (name == IO))
