"""An event as Amazon Elastic Transcoder tells it, and the words for states and ids that its callers know.

Source: the notifications of API 2012-09-25. There they came inside of SNS messages; here they are the body itself.
"""

from __future__ import annotations

import math
import re
import string
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from encoder.model.base import Json
from encoder.model.event import Event, EventType
from encoder.model.ids import JobId
from encoder.model.job import Origin
from encoder.model.state import JobState, OutputState
from encoder.model.telling import MOST_OF_A_MESSAGE, ToldJob, ToldOutput, shortest_needed

NAME = "elastictranscoder"

STATES = {
    EventType.JOB_PROCESSING: "PROGRESSING",
    EventType.JOB_COMPLETED: "COMPLETED",
    EventType.JOB_FAILED: "ERROR",
}
STATUS = {
    JobState.QUEUED: "Submitted",
    JobState.PROCESSING: "Progressing",
    JobState.COMPLETED: "Complete",
    JobState.FAILED: "Error",
    JobState.CANCELLED: "Canceled",
}
_VERSION = "2012-09-25"
_DIGITS = string.digits + string.ascii_lowercase
_LENGTH = 6
_FORM = re.compile(r"([0-9]{13})-([0-9a-z]{6,12})")
_OF_AN_OUTPUT = ("presetId", "key", "thumbnailPattern", "rotate", "segmentDuration")
_OF_A_PLAYLIST = ("name", "format", "outputKeys")


def body(event: Event, job: ToldJob, _settings: Mapping[str, Json]) -> str:
    """The text of an event in `STATES`."""
    return shortest_needed(_forms(event, job))


def written(job_id: JobId, stamp: int) -> str:
    """A job's id as theirs read: when it came, in milliseconds, and its number in base 36."""
    digits, left = "", int(job_id)
    while left:
        left, digit = divmod(left, len(_DIGITS))
        digits = _DIGITS[digit] + digits
    return f"{stamp:013d}-{digits.rjust(_LENGTH, '0')}"


def read(text: str) -> JobId | None:
    """The job's number. Whether the time before it is that job's too, who has the job knows."""
    form = _FORM.fullmatch(text)
    return JobId(int(form[2], len(_DIGITS))) if form else None


def status_of(states: Collection[OutputState]) -> str:
    """Of one of their outputs, which several of ours may make up: the worst of them speaks for all."""
    if OutputState.FAILED in states:
        return "Error"
    if OutputState.CANCELLED in states:
        return "Canceled"
    if states and all(state is OutputState.UPLOADED for state in states):
        return "Complete"
    return "Submitted" if all(state is OutputState.QUEUED for state in states) else "Progressing"


def _forms(event: Event, job: ToldJob) -> Iterator[Json]:
    """Whole; without what each output is; with its state alone."""
    origin = job.spec.came_from(NAME) or _as_if(job)
    asked: dict[str, Any] = origin.request
    inputs = asked.get("Inputs") or [asked.get("Input") or {}]
    bare: dict[str, Json] = {
        "state": STATES.get(event.type, "COMPLETED"),
        "version": _VERSION,
        "jobId": written(job.id, origin.stamp),
        "pipelineId": asked.get("PipelineId", ""),
        **_error(job),
    }
    whole = {
        **bare,
        "input": _lower(inputs[0]),
        "inputCount": len(inputs),
        "outputKeyPrefix": asked.get("OutputKeyPrefix"),
        "outputs": list(_outputs(job, origin)),
        "playlists": list(_playlists(job, origin)),
        "userMetadata": job.spec.metadata,
    }
    yield whole
    yield {**whole, "outputs": [], "playlists": []}
    yield bare


def _outputs(job: ToldJob, origin: Origin) -> Iterator[Json]:
    asked: dict[str, Any] = origin.request
    for number, sent in enumerate(asked.get("Outputs") or [asked.get("Output") or {}]):
        ours = [job.outputs[position] for position in origin.outputs[number]]
        said = _lower(sent)
        kept = {name: said[name] for name in _OF_AN_OUTPUT if name in said}
        yield {"id": str(number + 1), **kept, **_standing(ours), **_facts(ours)}


def _playlists(job: ToldJob, origin: Origin) -> Iterator[Json]:
    asked: dict[str, Any] = origin.request
    for sent, positions in zip(asked.get("Playlists") or [], origin.playlists, strict=False):
        said = _lower(sent)
        kept = {name: said[name] for name in _OF_A_PLAYLIST if name in said}
        yield {**kept, **_standing([job.outputs[position] for position in positions])}


def _standing(ours: Collection[ToldOutput]) -> dict[str, Json]:
    problem = next((output.problem for output in ours if output.problem is not None), None)
    detail: dict[str, Json] = {}
    if problem is not None:
        detail["statusDetail"] = f"{problem.code}: {problem.message[:MOST_OF_A_MESSAGE]}"
    return {"status": status_of([output.state for output in ours]), **detail}


def _facts(ours: Collection[ToldOutput]) -> dict[str, Json]:
    made = next((output.delivered for output in ours if output.delivered is not None), None)
    if made is None:
        return {}
    length = made.duration_seconds
    told: dict[str, Json] = {
        "duration": None if length is None else math.ceil(length),
        "fileSize": made.size_bytes,
        "width": made.width,
        "height": made.height,
    }
    return {name: value for name, value in told.items() if value is not None}


def _error(job: ToldJob) -> dict[str, Json]:
    """Theirs are numbers of four digits; ours is told as it is."""
    if job.problem is None:
        return {}
    return {"errorCode": job.problem.code, "messageDetails": job.problem.message[:MOST_OF_A_MESSAGE]}


def _lower(members: Mapping[str, Any]) -> dict[str, Any]:
    """Members as notifications spell them: `OutputKeys` as `outputKeys`."""
    return {name[:1].lower() + name[1:]: value for name, value in members.items()}


def _as_if(job: ToldJob) -> Origin:
    """Of a job that came in our own words."""
    outputs: list[Json] = [{"Key": (output.delivered.uri if output.delivered else "")} for output in job.outputs]
    key = str(job.spec.source.get("path") or job.spec.source.get("url") or "")
    request: dict[str, Json] = {"Input": {"Key": key}, "Outputs": outputs}
    stamp = int(job.created_at.timestamp() * 1000)
    return Origin(api="", stamp=stamp, request=request, outputs=tuple((number,) for number in range(len(outputs))))
