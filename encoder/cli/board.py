"""Many jobs as they stand, kept true by what a live stream tells of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from encoder.cli.refused import Object
from encoder.cli.views import Change, Job, Live, Output
from encoder.model.base import from_json, replace


class Board:
    """Jobs by id, in the order in which they were listed."""

    def __init__(self) -> None:
        self._jobs: dict[int, Job] = {}
        self.answers: dict[int, Object] = {}  # what `fill` was told last, by id

    def __iter__(self) -> Iterator[Job]:
        return iter(self._jobs.values())

    def __len__(self) -> int:
        return len(self._jobs)

    def fill(self, answers: Iterable[Object]) -> None:
        """What the API lists now, in place of what was there."""
        found = [(from_json(Job, answer), answer) for answer in answers]
        self._jobs = {job.id: job for job, _ in found}
        self.answers = {job.id: answer for job, answer in found}

    def change(self, change: Change) -> bool:
        """A job as the stream tells it. False: it must be asked for, for more of it changed than the stream says."""
        known = self._jobs.get(change.id)
        if known is None or known.run != change.run or len(known.outputs) != len(change.outputs):
            return False
        self._jobs[change.id] = _changed(known, change)
        return known.status == change.status

    def drop(self, job_id: int) -> None:
        self._jobs.pop(job_id, None)
        self.answers.pop(job_id, None)


def _changed(job: Job, change: Change) -> Job:
    now = {output.id: output for output in change.outputs}
    return replace(
        job,
        status=change.status,
        progress=change.progress,
        cancel_requested=change.cancel_requested,
        waiting_for=change.waiting_for,
        error=change.error,
        started_at=change.started_at,
        finished_at=change.finished_at,
        outputs=tuple(_moved(output, now[output.id]) if output.id in now else output for output in job.outputs),
    )


def _moved(output: Output, now: Live) -> Output:
    return replace(
        output,
        status=now.status,
        stage=now.stage,
        progress=now.progress,
        fps=now.fps,
        speed=now.speed,
        eta_seconds=now.eta_seconds,
        bytes_per_second=now.bytes_per_second,
        worker=now.worker,
        last_beat_at=now.last_beat_at,
    )
