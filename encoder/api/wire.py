"""The job language (docs/reference/job.md): what `POST /jobs` and `POST /probe` take, checked whole before all else."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Protocol

from pydantic import Field

from encoder.api.wire_faults import Reader, below, distinct, put_back
from encoder.api.wire_identity import identity
from encoder.api.wire_output import Output
from encoder.api.wire_place import Destination, Source
from encoder.api.wire_types import ABSENT, WHOLE, HttpUrl, Metadata, QueueName, Tags, Wire
from encoder.errors import Fault, Rejected
from encoder.ffmpeg import folders, ladder, presets, rules
from encoder.ffmpeg.presets import Presets
from encoder.model.base import Json
from encoder.model.job import JobSpec, OutputSpec, Place
from encoder.model.queue import ENCODE

MAX_OUTPUTS = 100
MAX_PIXELS_PER_SECOND = 5 * rules.MAX_PIXELS_PER_SECOND  # of all outputs together
PRESUMED_FPS = 30
HOLD_PLACES = ("source", "outputs", "notificationUrl")  # what of a job may hold secrets
_PER_OUTPUT = re.compile(r"\{(width|height|preset)\}")  # may make two names of one template


class Places(Protocol):
    """What may be read from and written to, by the operator's rules. Faults name members of the place itself."""

    def source(self, place: Place) -> Sequence[Fault]: ...

    def destination(self, place: Place, *, folder: bool) -> Sequence[Fault]: ...

    def receiver(self, url: str) -> Sequence[Fault]: ...


class JobOptions(Wire):
    """What is said of a job beside its source and outputs."""

    notification_url: HttpUrl = Field(ABSENT, description="is told what becomes of the job, signed")
    priority: Annotated[int, Field(ge=-100, le=100), WHOLE] = 0
    queue: QueueName = Field(ENCODE, description="workers that take from it make the job")
    metadata: Metadata = Field(ABSENT, description="comes back as it was sent")
    tags: Tags = ABSENT


class Job(JobOptions):
    """What the platform is asked for: one source, and the files to be made of it."""

    source: Source
    outputs: Annotated[list[Output], Field(min_length=1, max_length=MAX_OUTPUTS)]


class Probe(Wire):
    """A source whose facts are asked for."""

    source: Source


_JOB: Reader[Job] = Reader(Job)
_PROBE: Reader[Probe] = Reader(Probe)
_SOURCE: Reader[Source] = Reader(Source)
_OUTPUT: Reader[Output] = Reader(Output)
_DESTINATION: Reader[Destination] = Reader(Destination)
_URL: Reader[str] = Reader(HttpUrl)


def read_job(body: Json, places: Places, known: Presets = presets.BUILT_IN) -> JobSpec:
    """The job that `body` asks for. `known`: the presets that it may name.

    Raises:
        errors.Rejected: every fault of it, of shape and of meaning, one per place.
    """
    job, faults = _JOB.read(body, known=known)
    faults = distinct([*_unsaid(body), *faults, *_meaning(body, job, places, known)])
    if job is None or faults:
        raise Rejected(*faults)
    return JobSpec(
        source=job.source.place(),
        outputs=tuple(output.spec(known) for output in job.outputs),
        notification_url=job.notification_url,
        priority=job.priority,
        queue=job.queue,
        metadata=dict(job.metadata or {}),
        tags=tuple(job.tags or ()),
    )


def _unsaid(body: Json) -> list[Fault]:
    """A fault for each secret in whose place stands what is shown for it: the job was read back, and not completed."""
    if not isinstance(body, dict):
        return []
    return put_back({name: body[name] for name in HOLD_PLACES if name in body})


def read_probe(body: Json, places: Places) -> Place:
    """The source that `body` names.

    Raises:
        errors.Rejected: as `read_job`.
    """
    probe, faults = _PROBE.read(body)
    if probe is None:
        raise Rejected(*faults)
    place = probe.source.place()
    wrong = list(below("/source", probe.source.told(places.source(place))))
    if wrong:
        raise Rejected(*wrong)
    return place


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parts:
    """Those parts of a job that are well formed; None for one that is not, or is not there."""

    source: Source | None
    receiver: str | None
    outputs: Sequence[Output | None]
    destinations: Sequence[Destination | None]

    @classmethod
    def of(cls, job: Job) -> _Parts:
        """All are: they need not be read once more, one by one."""
        return cls(
            source=job.source,
            receiver=job.notification_url,
            outputs=job.outputs,
            destinations=[output.destination for output in job.outputs],
        )

    @classmethod
    def within(cls, body: Mapping[str, Json], outputs: Sequence[Json], known: Presets) -> _Parts:
        """Whatever is wrong with the others."""
        return cls(
            source=_SOURCE.read(body.get("source"))[0],
            receiver=_URL.read(body.get("notificationUrl"))[0],
            outputs=[_OUTPUT.read(raw, known=known)[0] for raw in outputs],
            destinations=[
                _DESTINATION.read(raw.get("destination") if isinstance(raw, dict) else None)[0] for raw in outputs
            ],
        )


def _meaning(body: Json, job: Job | None, places: Places, known: Presets) -> Iterator[Fault]:
    """What is wrong with those parts that are well formed. `job`: what `body` says, where all of it is."""
    if not isinstance(body, dict):
        return
    listed = body.get("outputs")
    outputs = listed[:MAX_OUTPUTS] if isinstance(listed, list) else []
    parts = _Parts.within(body, outputs, known) if job is None else _Parts.of(job)
    source = parts.source
    if source is not None:
        yield from below("/source", source.told(places.source(source.place())))
    if parts.receiver is not None:
        yield from below("/notificationUrl", places.receiver(parts.receiver))
    yield from _meaning_of_outputs(parts.outputs, known)
    yield from _meaning_of_sources(outputs, places)
    yield from _meaning_of_destinations(outputs, parts, places, known)


def _meaning_of_outputs(outputs: Sequence[Output | None], known: Presets) -> Iterator[Fault]:
    pixels_per_second = 0.0
    for position, output in enumerate(outputs):
        if output is not None:
            spec = output.spec(known)
            yield from below(f"/outputs/{position}", rules.check(spec))
            pixels_per_second += _pixels_per_second(spec)
    if pixels_per_second > MAX_PIXELS_PER_SECOND:
        yield Fault(path="/outputs", code="job_too_large", message="must ask for fewer or smaller pictures in all")


def _meaning_of_sources(outputs: Sequence[Json], places: Places) -> Iterator[Fault]:
    """Of what outputs read beside the job's source."""
    for position, raw in enumerate(outputs):
        for where, place in _beside(raw if isinstance(raw, dict) else {}):
            source, _ = _SOURCE.read(place)
            if source is not None:
                yield from below(f"/outputs/{position}{where}", source.told(places.source(source.place())))


def _beside(output: Mapping[str, Json]) -> Iterator[tuple[str, Json]]:
    """What may be such a source, and where it stands: the rest of the output may be anything."""
    watermark, subtitles = output.get("watermark"), output.get("subtitles")
    if isinstance(watermark, dict):
        yield "/watermark/source", watermark.get("source")
    files = subtitles.get("files") if isinstance(subtitles, dict) else None
    for number, file in enumerate(files if isinstance(files, list) else []):
        if isinstance(file, dict):
            yield f"/subtitles/files/{number}/source", file.get("source")


def _pixels_per_second(spec: OutputSpec) -> float:
    pixels = sum(ladder.pixels_of(rendition) for rendition in spec.renditions) or (spec.width or 0) * (spec.height or 0)
    return pixels * (spec.fps or PRESUMED_FPS)


def _meaning_of_destinations(outputs: Sequence[Json], parts: _Parts, places: Places, known: Presets) -> Iterator[Fault]:
    taken: list[_Taken] = []
    read = identity(parts.source.place()) if parts.source is not None else None
    for position, (raw, destination) in enumerate(zip(outputs, parts.destinations, strict=True)):
        if destination is None:
            continue
        path, place = f"/outputs/{position}/destination", destination.place()
        said = raw if isinstance(raw, dict) else {}
        folder = presets.makes_folder(said, known)
        yield from below(path, destination.told(places.destination(place, folder=folder)))
        written = identity(place)
        if written == read:
            yield Fault(path=path, code="source_equals_destination", message="must not be the source itself")
        if _PER_OUTPUT.search(written):
            continue
        mine = _Taken(path, written, folder=folder, pictures=presets.pictures_in(said, known))
        owner = next((other for other in taken if mine.meets(other)), None)
        if owner is not None:
            told = f"must differ from {owner.path}, and neither may lie among the other's own files"
            yield Fault(path=path, code="duplicate_destination", message=told)
        taken.append(mine)


@dataclass(frozen=True, slots=True)
class _Taken:
    """Where an output goes: the pointer of its destination, and what `identity` says of it.

    `pictures`: what they are called, where it is a folder of those.
    """

    path: str
    written: str
    folder: bool
    pictures: str | None

    def meets(self, other: _Taken) -> bool:
        if self.written == other.written:
            return not (self.folder and other.folder and folders.apart(self.pictures, other.pictures))
        return self._holds(other) or other._holds(self)

    def _holds(self, other: _Taken) -> bool:
        inside = f"{self.written.rstrip('/')}/"
        if not (self.folder and other.written.startswith(inside)):
            return False
        return folders.may_write(other.written.removeprefix(inside).partition("/")[0], self.pictures)
