"""A job as Coconut tells it (API v2): in its answers, and to receivers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from msgspec import field

from encoder.model.base import Json, Record, replace, to_json
from encoder.model.event import JOB_OVER, Event, EventType
from encoder.model.ids import OutputId
from encoder.model.job import Origin, Place
from encoder.model.result import Delivered
from encoder.model.state import JobState, OutputState
from encoder.model.telling import MOST_OF_A_MESSAGE, ToldJob, ToldOutput, shortest_needed

NAME = "coconut"

EVENTS = {
    EventType.JOB_PROCESSING: "input.transferred",
    EventType.OUTPUT_UPLOADED: "output.completed",
    EventType.OUTPUT_FAILED: "output.failed",
    EventType.JOB_COMPLETED: "job.completed",
    EventType.JOB_FAILED: "job.failed",
}
UNASKED = frozenset({EventType.JOB_COMPLETED, EventType.JOB_FAILED})
_JOB = {
    JobState.QUEUED: "job.starting",
    JobState.PROCESSING: "job.processing",
    JobState.COMPLETED: "job.completed",
    JobState.FAILED: "job.failed",
    JobState.CANCELLED: "job.failed",
}
_INPUT = {JobState.QUEUED: "input.starting", JobState.PROCESSING: "input.transferring"}
_DONE = {"video": "encoded", "audio": "encoded", "image": "created", "httpstream": "packaged"}
_WORK = {"video": "encoding", "audio": "encoding", "image": "processing", "httpstream": "variants.encoding"}
_OF_ONE_FILE = ("video", "audio")
_MANIFESTS = (".m3u8", ".mpd")


class CoconutOutput(Record):
    """`url` of one file, `urls` of several; the other is null. `error`: why there is none."""

    key: str
    type: str
    format: str
    status: str
    url: str | None
    urls: tuple[str, ...] | None
    error: str | None


class CoconutInput(Record):
    status: str


class CoconutJob(Record):
    type: str
    id: str
    created_at: str = field(name="created_at")
    completed_at: str | None = field(name="completed_at")
    status: str
    progress: str
    input: CoconutInput
    outputs: tuple[CoconutOutput, ...]


def body(event: Event, told: ToldJob, _settings: Mapping[str, Json]) -> str:
    """The text of an event in `EVENTS`."""
    return shortest_needed(_forms(event, told))


def _forms(event: Event, told: ToldJob) -> Iterator[Json]:
    """Whole; without the outputs; without what names are long in."""
    whole = job(told, over_at=event.at if event.type in JOB_OVER else None)
    named = EVENTS.get(event.type, "job.completed")
    envelope: dict[str, Json] = {"job_id": whole.id, "event": named, "metadata": False, "progress": whole.progress}
    yield {**envelope, "data": to_json(whole)}
    yield {**envelope, "data": to_json(replace(whole, outputs=()))}


def job(
    told: ToldJob,
    *,
    over_at: datetime | None,
    progress: float | None = None,
    links: Mapping[OutputId, str] | None = None,
) -> CoconutJob:
    """`progress`: 0 to 1; None: what is known of it is how many outputs stand. `links`: to what lies in our storage."""
    origin = told.spec.came_from(NAME) or _as_if(told)
    asked: list[Any] = list(origin.request["outputs"])  # type: ignore[arg-type]  # JSON of our own
    outputs = tuple(
        _output(told, sent, [told.outputs[position] for position in positions], links or {})
        for sent, positions in zip(asked, origin.outputs, strict=True)
    )
    stand = [output.state is OutputState.UPLOADED for output in told.outputs]
    share = sum(stand) / len(stand) if progress is None else progress
    return CoconutJob(
        type="job",
        id=str(told.uuid),
        created_at=_at(datetime.fromtimestamp(origin.stamp / 1000, UTC)),
        completed_at=None if over_at is None else _at(over_at),
        status=_JOB[told.state],
        progress=f"{int(100 * share)}%",
        input=CoconutInput(status=_input(told)),
        outputs=outputs,
    )


def _output(
    told: ToldJob, sent: Mapping[str, Any], ours: Sequence[ToldOutput], links: Mapping[OutputId, str]
) -> CoconutOutput:
    kind = str(sent["type"])
    urls = tuple(url for output in ours for url in _urls(told, output, links))
    stands = all(output.state is OutputState.UPLOADED for output in ours)
    problem = next((output.problem for output in ours if output.problem is not None), None)
    single = kind in _OF_ONE_FILE
    return CoconutOutput(
        key=str(sent["key"]),
        type=kind,
        format=str(sent["format"]),
        status=f"{'video' if single else kind}.{_status([output.state for output in ours], kind)}",
        url=urls[0] if single and stands and urls else None,
        urls=urls if not single and stands else None,
        error=None if problem is None else f"{problem.code}: {problem.message[:MOST_OF_A_MESSAGE]}",
    )


def _status(states: Sequence[OutputState], kind: str) -> str:
    if OutputState.FAILED in states:
        return "failed"
    if OutputState.CANCELLED in states:
        return "aborted"
    if all(state is OutputState.UPLOADED for state in states):
        return _DONE[kind]
    return "waiting" if all(state is OutputState.QUEUED for state in states) else _WORK[kind]


def _input(told: ToldJob) -> str:
    """It has come over where any output is under way."""
    begun = any(output.state not in (OutputState.QUEUED, OutputState.CANCELLED) for output in told.outputs)
    if told.state is JobState.FAILED and told.problem is not None and told.problem.code.startswith("source_"):
        return "input.failed"
    return "input.transferred" if begun else _INPUT.get(told.state, "input.transferred")


def _urls(told: ToldJob, output: ToldOutput, links: Mapping[OutputId, str]) -> Iterator[str]:
    """Of a package what players open; of pictures each."""
    if output.delivered is None:
        return
    if output.id in links:
        yield links[output.id]
        return
    base = _address(told.spec.outputs[output.id].destination or {}, output.delivered)
    files = output.delivered.files if base.endswith("/") else ("",)
    opened = [name for name in files if name.endswith(_MANIFESTS) and "/" not in name]
    yield from (base + name for name in opened or files)


def _address(place: Place, made: Delivered) -> str:
    """Where others fetch it; what lies in a bucket has an address on its server."""
    if not made.uri.startswith("s3://"):
        return made.uri
    bucket, _, key = made.uri.removeprefix("s3://").partition("/")
    if endpoint := place.get("endpointUrl"):
        return f"{str(endpoint).rstrip('/')}/{bucket}/{key}"
    region = f".{place['region']}" if place.get("region") else ""
    return f"https://{bucket}.s3{region}.amazonaws.com/{key}"


def _at(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S +0000")


def _as_if(told: ToldJob) -> Origin:
    """Of a job that came in our own words."""
    outputs: list[Json] = [
        {"key": str(number), "type": "video", "format": spec.container} for number, spec in enumerate(told.spec.outputs)
    ]
    positions = tuple((number,) for number in range(len(told.outputs)))
    stamp = int(told.created_at.timestamp() * 1000)
    return Origin(api="", stamp=stamp, request={"outputs": outputs[: len(positions)]}, outputs=positions)
