"""What of a job changes while one looks: as numbers for the stream, and in the words that page and stream share."""

from __future__ import annotations

import zlib
from datetime import UTC, datetime

from encoder.api import answers, tell
from encoder.dashboard.look import span
from encoder.errors import CATALOGUE
from encoder.model.state import JOB_ENDED, JobState, OutputState
from encoder.store.rows import JobRow

# stages by the pill that stands for them
PILLS = {
    "fetching": "fetching",
    "probing": "fetching",
    "lifting": "encoding",
    "sampling": "encoding",
    "measuring": "encoding",
    "encoding": "encoding",
    "joining": "encoding",
    "verifying": "verifying",
    "comparing": "verifying",
    "uploading": "uploading",
}
_SURE = 0.02  # of its way an output must be, before its end is told
_MINUTE, _STEP = 60, 5  # seconds
_BEGINS = {"slot": "Waits for ", "cap": "Tenant cap: ", "scratch": "Waits for ", "memory": "Waits for "}
_ONE_BY_ONE = 10  # below, a speed has a decimal


def stage(row: JobRow) -> str | None:
    """What is done just now for the output that is furthest behind; None where nothing is."""
    if row.state in JOB_ENDED or row.cancel_requested:
        return None
    live = [output.live for output in row.outputs if output.live and output.live.stage in PILLS]
    return min(live, key=lambda each: each.progress or 0.0).stage if live else None


def facts(row: JobRow, *, by_output: bool = False) -> dict[str, object]:
    """What changes of a job, for the stream (its protocol: `stream`). `by_output`: with numbers, of each output too."""
    told = tell.progress(row)
    made: dict[str, object] = {"pct": _percent(told.progress), "now": now(row, told)}
    if by_output:
        near = _furthest_behind(told)
        made |= _numbers(near) if near else {}
        made["outputs"] = {
            str(output.id): {"state": output.status, "pct": _percent(output.progress), **_numbers(output)}
            for output in told.outputs
        }
    return made


def progress(row: JobRow) -> float | None:
    """How far a job is, 0 … 1, as the API tells it."""
    return tell.progress(row).progress


def shape(row: JobRow) -> str:
    """Another one whenever a row or a page of the job must look otherwise than facts can make it."""
    problem = row.problem or row.task_problem
    outputs = [(output.state, output.problem.code if output.problem else None) for output in row.outputs]
    what = (row.state, row.run, row.cancel_requested, stage(row), outputs, problem.code if problem else None)
    return f"{zlib.crc32(repr(what).encode()):08x}"


def now(row: JobRow, told: answers.JobProgress | None = None) -> str:
    """In a few words what goes on, or why nothing does."""
    told = told or tell.progress(row)
    if row.state in JOB_ENDED:
        return _ended(row)
    if row.cancel_requested:
        return "Cancelling: its workers are told"
    if told.waiting_for is not None and told.waiting_for.reason == "paused" and row.holdup:
        because = f": {row.holdup.paused_because}" if row.holdup.paused_because else ""
        return f"Queue {row.task_queue} is paused{because}"
    near = _furthest_behind(told)
    if told.waiting_for is not None and told.waiting_for.reason == "chunks" and row.chunks:
        made = f"{row.chunks.made} of {row.chunks.chunks} chunks"
        return " · ".join(filter(None, (_pace(near) if near else "", made)))
    if told.waiting_for is not None:
        reason, detail = told.waiting_for.reason, told.waiting_for.detail.partition("; GET")[0].replace("`", "")
        begin = _BEGINS.get(reason, "") if not detail.startswith("no ") else ""
        return begin + detail if begin else detail[:1].upper() + detail[1:]
    return _pace(near) if near else ""


def _ended(row: JobRow) -> str:
    if row.problem is not None:
        return CATALOGUE[row.problem.code].title if row.problem.code in CATALOGUE else row.problem.message
    if row.state is JobState.COMPLETED and row.started_at and row.finished_at:
        return f"took {span((row.finished_at - row.started_at).total_seconds())}"
    return ""


def _furthest_behind(told: answers.JobProgress) -> answers.OutputProgress | None:
    live = [output for output in told.outputs if output.stage and output.status not in _DONE]
    return min(live, key=lambda output: output.progress or 0.0) if live else None


_DONE = {OutputState.UPLOADED, OutputState.FAILED, OutputState.CANCELLED}


def _numbers(output: answers.OutputProgress) -> dict[str, object]:
    silent_s = (datetime.now(UTC) - output.last_beat_at).total_seconds() if output.last_beat_at else None
    return {
        "stage": output.stage,
        "fps": short(output.fps),
        "speed": short(output.speed),
        "eta": None if output.eta_seconds is None else round(output.eta_seconds),
        "sign": None if silent_s is None else max(0, round(silent_s)),
    }


def _pace(output: answers.OutputProgress) -> str:
    words = []
    if output.fps:
        words.append(f"{short(output.fps):g}\u202ffps")
    if output.speed:
        words.append(f"{short(output.speed):g}×")
    if output.bytes_per_second:
        words.append(f"{output.bytes_per_second / 1e6:.3g}\u202fMB/s")
    if output.eta_seconds and (output.progress or 0) >= _SURE:
        words.append(f"~{about(output.eta_seconds)}")
    return " · ".join(words)


def about(seconds: float) -> str:
    """A time that is not known so well: whole minutes, below one steps of five seconds."""
    if seconds < _MINUTE - _STEP / 2:
        return f"{max(_STEP, round(seconds / _STEP) * _STEP)}\u202fs"
    return span(round(seconds / _MINUTE) * _MINUTE)


def short(value: float | None) -> float | None:
    """As many digits as are read."""
    if value is None:
        return None
    return round(value, 1) if value < _ONE_BY_ONE else round(value)


def _percent(share: float | None) -> float | None:
    return None if share is None else round(share * 100, 1)
