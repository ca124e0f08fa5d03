"""From rows to how far a job is whose pictures are made in chunks: sums, by frames, over all of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import msgspec

from encoder.model.ids import OutputId, TaskId, WorkerId
from encoder.model.state import OUTPUT_ENDED, TaskState
from encoder.model.way import overall
from encoder.store.engine import Row
from encoder.store.rows import ChunkCount, Holder, JobRow, Live
from encoder.store.verbs.read import live_of

MOST_NAMED = 3  # hosts


@dataclass(frozen=True, slots=True, kw_only=True)
class _Frames:
    """Of the pictures that share their chunks: how many there are, and how many of them are made."""

    all: float
    made: float


def with_chunks(job: JobRow, rows: Iterable[Row]) -> JobRow:
    """`job`, whose task waits for its chunks, as far as these are. `rows`: of `chunks`."""
    mine = [row for row in rows if row["then_id"] == job.task_id]
    sums = [row for row in mine if row["parts"]]
    if not sums or job.task_state is not TaskState.BLOCKED:
        return job
    parts = sum(int(row["parts"]) for row in sums)
    chunks = max(parts, *(int(row["chunks"]) for row in mine))
    done = chunks - parts + sum(int(row["parts"]) for row in sums if row["state"] == TaskState.DONE)
    running = sorted((row for row in sums if row["worker_id"] is not None), key=lambda row: int(row["task_id"]))
    live = {
        OutputId(number): _live(OutputId(number), frames, [row for row in running if row["outputs"] == outputs])
        for outputs, frames in _frames(sums, earlier=(chunks - parts) / parts)
        for number in _numbers(outputs, job)
    }
    return replace(
        job,
        outputs=tuple(
            replace(output, live=live[output.id]) if output.id in live and output.state not in OUTPUT_ENDED else output
            for output in job.outputs
        ),
        holder=_holder(running),
        chunks=ChunkCount(
            chunks=chunks,
            made=done,
            running=len(running),
            first=TaskId(running[0]["task_id"]) if running else None,
        ),
    )


def _numbers(outputs: str | None, job: JobRow) -> Sequence[int]:
    """A part that names none is of all."""
    if outputs is None:
        return [output.id for output in job.outputs]
    return msgspec.json.decode(outputs, type=tuple[int, ...])


def _frames(sums: Sequence[Row], *, earlier: float) -> Iterator[tuple[str, _Frames]]:
    """By the outputs that they are of. `earlier`: for each chunk of this run, so many of runs before it."""
    for outputs in dict.fromkeys(row["outputs"] for row in sums):
        theirs = [row for row in sums if row["outputs"] == outputs]
        ours = sum(int(row["frames"]) for row in theirs)
        made = sum(int(row["frames"]) for row in theirs if row["state"] == TaskState.DONE)
        yield outputs, _Frames(all=ours * (1 + earlier), made=made + ours * earlier)


def _live(output: OutputId, frames: _Frames, running: Sequence[Row]) -> Live:
    told = [(int(row["frames"]), live) for row in running if (live := live_of(row["live"]).get(output)) is not None]
    made = frames.made + sum(count * (live.progress or 0.0) for count, live in told)
    fps = _sum(live.fps for _, live in told)
    lacks = [live.lack for _, live in told if live.lack is not None]
    asides = (live.aside for row in running for live in live_of(row["live"]).values() if live.aside)
    return Live(
        stage="encoding" if told and len(lacks) < len(told) else "waiting",
        progress=overall("encoding", made / frames.all if frames.all else None),
        fps=fps,
        speed=_sum(live.speed for _, live in told),
        eta_seconds=max(frames.all - made, 0.0) / fps if fps else None,
        lack=lacks[0] if lacks and len(lacks) == len(told) else None,
        aside=next((aside for aside in asides if aside.log and output in aside.log.outputs), None),
    )


def _sum(rates: Iterable[float | None]) -> float | None:
    known = [rate for rate in rates if rate is not None]
    return sum(known) if known else None


def _holder(running: Sequence[Row]) -> Holder | None:
    """All who make chunks, as one."""
    if not running:
        return None
    hosts = list(dict.fromkeys(row["host"] or "" for row in running))
    more = f" and {len(hosts) - MOST_NAMED} more" if len(hosts) > MOST_NAMED else ""
    return Holder(
        worker_id=WorkerId(running[0]["worker_id"]),
        host=", ".join(hosts[:MOST_NAMED]) + more,
        beat_at=max(row["beat_at"] for row in running),
        silent=all(row["silent"] for row in running),
    )
