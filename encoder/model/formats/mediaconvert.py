"""An event as AWS Elemental MediaConvert tells EventBridge: envelope, statuses, names of members.

Source: https://docs.aws.amazon.com/mediaconvert/latest/ug/ (events and statuses of jobs). Numbers of errors are theirs
where one fits; our code stands at the head of `errorMessage`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from uuid import uuid5

import msgspec

from encoder.model.base import Json
from encoder.model.event import Event, EventType
from encoder.model.job import OutputSpec
from encoder.model.result import Delivered, Problem
from encoder.model.telling import MOST_OF_A_MESSAGE, ToldJob, shortest_needed

STATUS = {
    EventType.JOB_SUBMITTED: "SUBMITTED",
    EventType.JOB_PROCESSING: "PROGRESSING",
    EventType.JOB_PROGRESS: "STATUS_UPDATE",
    EventType.JOB_COMPLETED: "COMPLETE",
    EventType.JOB_FAILED: "ERROR",
    EventType.JOB_CANCELLED: "CANCELED",
}

_FILES = "FILE_GROUP"
_GROUPS = {"hls": "HLS_GROUP", "dash": "DASH_ISO_GROUP", "cmaf": "CMAF_GROUP"}
_PLAYLISTS = (".m3u8", ".mpd")

_SOURCE_ABSENT, _SOURCE_DENIED, _SOURCE_FAULT, _OTHER = 1404, 1401, 1010, 1999
_NUMBERS = {"source_not_found": _SOURCE_ABSENT, "source_auth_failed": _SOURCE_DENIED}
_OF_THE_SOURCE = frozenset({"no_video_stream", "no_audio_stream", "resolution_too_large", "unsupported_format"})

_PHASES = ("PROBING", "TRANSCODING", "UPLOADING")
_PHASE_OF = {"waiting": 0, "fetching": 0, "probing": 0, "uploading": 2}  # all else belongs to the encode


def body(event: Event, job: ToldJob, settings: Mapping[str, Json]) -> str:
    """The text of an event in `STATUS`."""
    return shortest_needed(_forms(event, job, settings))


def _forms(event: Event, job: ToldJob, settings: Mapping[str, Json]) -> Iterator[Json]:
    """Whole; without what each output is; with its status alone."""
    named = {name: value if isinstance(value, str) else "" for name, value in job.spec.metadata.items()}
    metadata: dict[str, Json] = {
        name: text or msgspec.json.encode(job.spec.metadata[name]).decode() for name, text in named.items()
    }
    more = _more(event, job)
    yield _form(event, job, settings, metadata, more)
    yield _form(event, job, settings, metadata, {**more, **({"outputGroupDetails": []} if _OUTPUTS in more else {})})
    yield _form(event, job, settings, {}, {**more, **({"outputGroupDetails": []} if _OUTPUTS in more else {})})


_OUTPUTS = "outputGroupDetails"


def _form(
    event: Event, job: ToldJob, settings: Mapping[str, Json], metadata: dict[str, Json], more: dict[str, Json]
) -> Json:
    account, region = settings["account"], settings["region"]
    arn = f"arn:aws:mediaconvert:{region}:{account}"
    return {
        "version": "0",
        "id": str(uuid5(job.uuid, str(event.seq))),
        "detail-type": "MediaConvert Job State Change",
        "source": "aws.mediaconvert",
        "account": account,
        "time": _seconds(event.at),
        "region": region,
        "resources": [f"{arn}:jobs/{job.uuid}"],
        "detail": {
            "timestamp": int(event.at.timestamp() * 1000),
            "accountId": account,
            "queue": f"{arn}:queues/{settings['queue']}",
            "jobId": str(job.uuid),
            "status": STATUS.get(event.type, STATUS[EventType.JOB_COMPLETED]),
            "userMetadata": metadata,
            **more,
        },
    }


def _seconds(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _more(event: Event, job: ToldJob) -> dict[str, Json]:
    """What belongs to this status alone."""
    match event.type:
        case EventType.JOB_COMPLETED | EventType.ENDPOINT_TEST:
            return {_OUTPUTS: list(_groups(job)), "paddingInserted": 0, "blackVideoDetected": 0}
        case EventType.JOB_FAILED:
            return _error(job.problem)
        case EventType.JOB_PROGRESS:
            return _progress(event.data)
        case _:
            return {}


def _error(problem: Problem | None) -> dict[str, Json]:
    if problem is None:
        return {"errorCode": _OTHER, "errorMessage": ""}
    number = _NUMBERS.get(problem.code, _SOURCE_FAULT if _is_of_the_source(problem.code) else _OTHER)
    return {"errorCode": number, "errorMessage": f"{problem.code}: {problem.message[:MOST_OF_A_MESSAGE]}"}


def _is_of_the_source(code: str) -> bool:
    return code.startswith("source_") or code in _OF_THE_SOURCE


def _groups(job: ToldJob) -> Iterator[Json]:
    """All files together; each package by itself."""
    made = [(job.spec.outputs[output.id], output.delivered) for output in job.outputs if output.delivered is not None]
    files = [_file(delivered) for spec, delivered in made if spec.container not in _GROUPS]
    if files:
        yield {"type": _FILES, "outputDetails": files}
    for spec, delivered in made:
        if spec.container in _GROUPS:
            yield _package(spec, delivered)


def _file(delivered: Delivered) -> Json:
    """One output: its file, or of a folder of pictures all that lie in it."""
    files = [f"{delivered.uri}{name}" for name in delivered.files] if delivered.uri.endswith("/") else []
    return {"outputFilePaths": [*(files or [delivered.uri])], **_facts(delivered)}


def _package(spec: OutputSpec, delivered: Delivered) -> Json:
    playlists = [name for name in delivered.files if "/" not in name and name.endswith(_PLAYLISTS)]
    return {
        "type": _GROUPS[spec.container],
        "playlistFilePaths": [f"{delivered.uri}{name}" for name in playlists],
        "outputDetails": [{"outputFilePaths": [delivered.uri], **_facts(delivered)}],
    }


def _facts(delivered: Delivered) -> dict[str, Json]:
    facts: dict[str, Json] = {}
    if delivered.duration_seconds is not None:
        facts["durationInMs"] = round(delivered.duration_seconds * 1000)
    if delivered.width is not None:
        details: dict[str, Json] = {"widthInPx": delivered.width, "heightInPx": delivered.height}
        if delivered.bitrate is not None:
            details["averageBitrate"] = delivered.bitrate
        facts["videoDetails"] = details
    return facts


def _progress(data: Mapping[str, Json]) -> dict[str, Json]:
    """A job is in the phase of the output that is furthest behind; what comes before it is complete."""
    share = data.get("progress")
    percent = round(100 * share) if isinstance(share, int | float) else 0
    current = _PHASE_OF.get(str(data.get("stage")), 1)
    phases: dict[str, Json] = {}
    for place, name in enumerate(_PHASES):
        if place == current:
            phases[name] = {"status": "PROGRESSING", "percentComplete": percent}
        else:
            over = place < current
            phases[name] = {"status": "COMPLETE" if over else "PENDING", "percentComplete": 100 if over else 0}
    told: dict[str, Json] = {
        "phaseProgress": phases,
        "jobPercentComplete": percent,
        "currentPhase": _PHASES[current],
        "retryCount": 0,
    }
    return {"jobProgress": told}
