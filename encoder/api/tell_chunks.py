"""The attempts at chunks as one: there may be thousands, all alike. What came to nothing is told by itself."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from encoder.api.answers_timeline import AttemptAnswer, ChunksAnswer
from encoder.store.rows import Outcome

MOST_WORKERS = 20
_CHUNK = re.compile(r"t[0-9]+/c([0-9]+)")
_QUIET = (None, Outcome.DONE, Outcome.RELEASED, Outcome.CANCELLED)


def is_chunk(task: str) -> bool:
    return _CHUNK.fullmatch(task) is not None


def is_part(task: str) -> bool:
    """Whether it is there because the root of a run split: a chunk, or what joins them."""
    return "/" in task


def number_of(task: str) -> int:
    """Of a chunk, from 1 as people count."""
    found = _CHUNK.fullmatch(task)
    return int(found[1]) + 1 if found else 0


def part_of(task: str) -> str:
    """Of which part of a run a task is, in words; empty: of the whole."""
    return f"chunk {number_of(task)}" if is_chunk(task) else "the joining" if is_part(task) else ""


def folded(attempts: Sequence[AttemptAnswer]) -> tuple[tuple[AttemptAnswer, ...], ChunksAnswer | None]:
    """Those that are told by themselves, and all the others as one."""
    quiet = [each for each in attempts if is_chunk(each.task) and each.outcome in _QUIET]
    if not quiet:
        return tuple(attempts), None
    loud = tuple(each for each in attempts if not (is_chunk(each.task) and each.outcome in _QUIET))
    numbers = [number_of(each.task) for each in quiet]
    outcomes = Counter(each.outcome for each in quiet)
    tries = Counter(each.task for each in attempts if is_chunk(each.task))
    lasted = [
        (each.ended_at - each.started_at).total_seconds()
        for each in quiet
        if each.outcome is Outcome.DONE and each.started_at is not None and each.ended_at is not None
    ]
    ends = [each.ended_at for each in quiet if each.ended_at is not None]
    chunks = ChunksAnswer(
        first=min(numbers),
        last=max(numbers),
        made=outcomes[Outcome.DONE],
        running=outcomes[None],
        retried=sum(count > 1 for count in tries.values()),
        given_back=outcomes[Outcome.RELEASED],
        cancelled=outcomes[Outcome.CANCELLED],
        slowest_seconds=max(lasted, default=None),
        mean_seconds=round(sum(lasted) / len(lasted), 3) if lasted else None,
        workers=tuple(dict.fromkeys(each.worker for each in quiet if each.worker))[:MOST_WORKERS],
        queued_at=min(each.queued_at for each in quiet),
        started_at=min(each.started_at or each.queued_at for each in quiet),
        ended_at=None if outcomes[None] else max(ends, default=None),
    )
    return loud, chunks
