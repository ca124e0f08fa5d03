"""A `CreateJob` of Elastic Transcoder as a job of ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from encoder.compat.elastictranscoder import playlists, system, times
from encoder.compat.elastictranscoder.output import Wanted, merged, read_output
from encoder.compat.elastictranscoder.pipeline import Pipeline
from encoder.compat.elastictranscoder.playlists import Playlist, read_playlist
from encoder.compat.elastictranscoder.preset import Preset
from encoder.compat.foreign import Foreign, Found
from encoder.compat.translated import Draft, Translated, notes
from encoder.errors import Fault
from encoder.model.base import Json
from encoder.model.job import Notification, Origin

API = "elastictranscoder"
MOST_OUTPUTS = 30
MOST_PLAYLISTS = 30
MOST_METADATA = 10
_REPLACES = "An object that stands at an output's key is replaced; Elastic Transcoder refused to."
_KEPT = ("PipelineId", "Input", "Inputs", "Output", "Outputs", "OutputKeyPrefix", "Playlists")


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """What a body names that must be looked up before it can be read; "" for nothing."""

    pipeline: str
    presets: frozenset[str]


def named(body: Json) -> Named:
    """As far as the body is well formed; what is not, `translate` tells."""
    members = body if isinstance(body, dict) else {}
    outputs = [members.get("Output"), *_listed(members.get("Outputs"))[:MOST_OUTPUTS]]
    presets = [output.get("PresetId") for output in outputs if isinstance(output, dict)]
    pipeline = members.get("PipelineId")
    return Named(
        pipeline=pipeline if isinstance(pipeline, str) else "",
        presets=frozenset(name for name in presets if isinstance(name, str)),
    )


def translate(body: Json, *, pipeline: Pipeline | None, own: Mapping[str, Preset]) -> Translated | list[Fault]:
    """The job that `body` asks for, or all that is wrong with it. `own`: presets by their names, before the system's.

    `pipeline`: the one that it names; None: there is none of that name.
    """
    if not isinstance(body, dict):
        return [Fault(path="", code="invalid_type", message="must be an object")]
    found = Found()
    job = Foreign(body, "", found)
    if job.text("PipelineId", required=True) and pipeline is None:
        job.fault("PipelineId", "not_found", "The specified pipeline was not found.")
    pipeline = pipeline or Pipeline(input={}, output={})
    source, clip = _input(job)
    prefix = job.text("OutputKeyPrefix") or ""
    known = {**system.presets(), **own}
    wanted = [read_output(output, prefix=prefix, known=known) for output in _outputs(job)]
    lists = [read_playlist(playlist, wanted) for playlist in job.many("Playlists", most=MOST_PLAYLISTS)]
    metadata = _metadata(job)
    job.close()
    draft = Draft()
    made, packed = _drafted(draft, wanted, lists, pipeline=pipeline, prefix=prefix, clip=clip, found=found)
    if found.faults:
        return _in_order(found.faults)
    found.warn("replaces", _REPLACES)
    ours: dict[str, Json] = {"source": pipeline.at(source or ""), "outputs": draft.outputs}
    ours |= {"metadata": metadata} if metadata else {}
    ours |= {"notificationUrl": pipeline.notification_url} if pipeline.notification_url else {}
    kept = {name: body[name] for name in _KEPT if name in body}
    origin = Origin(api=API, request=kept, outputs=made, playlists=packed, warnings=notes(found))
    told = Notification(format=API) if pipeline.notification_url else None
    return Translated(job=ours, origin=origin, trail={**draft.trail, **_trail(body)}, notification=told)


def _input(job: Foreign) -> tuple[str | None, dict[str, Json] | None]:
    """The key to read, and the part that all outputs are of."""
    several = job.many("Inputs", most=200)
    single = job.one("Input", required=not several)
    if several and single is not None:
        job.fault("Inputs", "unsupported_combination", "must not stand beside Input")
    if len(several) > 1:
        job.found.unsupported(job.at("Inputs"), "one file is one job's source; several are not joined")
    read = single or (several[0] if several else None)
    if read is None:
        return None, None
    key = read.text("Key", required=True)
    for name in ("FrameRate", "Resolution", "AspectRatio", "Interlaced"):
        if (read.text(name) or "auto") != "auto":
            job.found.unsupported(read.at(name), "the source is measured; only auto is taken")
    if (read.text("Container") or "auto") != "auto":
        job.found.warn("hint_ignored", "Input Container: the file itself tells what it is.")
    read.refuse("Encryption", "sources come as they are")
    read.refuse("InputCaptions", "subtitles of the job language are not the same")
    read.raw("DetectedProperties")
    clip = times.clip(read.one("TimeSpan"))
    read.close()
    return key, clip


def _outputs(job: Foreign) -> Sequence[Foreign]:
    several, single = job.many("Outputs", most=MOST_OUTPUTS), job.one("Output")
    if several and single is not None:
        job.fault("Outputs", "unsupported_combination", "must not stand beside Output")
    if single is not None:
        return [single]
    if not several:
        job.fault("Outputs", "missing_field", "must hold at least one")
    return several


def _drafted(  # all parts of one job
    draft: Draft,
    wanted: Sequence[Wanted],
    lists: Sequence[Playlist],
    *,
    pipeline: Pipeline,
    prefix: str,
    clip: dict[str, Json] | None,
    found: Found,
) -> tuple[tuple[tuple[int, ...], ...], tuple[tuple[int, ...], ...]]:
    """For each of their outputs and playlists, those of ours that make it up."""
    made: list[list[int]] = [[] for _ in wanted]
    packed: list[tuple[int, ...]] = []
    for playlist in lists:
        number = playlists.draft(draft, playlist, wanted, pipeline=pipeline, prefix=prefix, clip=clip, found=found)
        packed.append(() if number is None else (number,))
        for position in playlist.outputs:
            made[position].extend(packed[-1])
    for position, output in enumerate(wanted):
        if not any(position in playlist.outputs for playlist in lists):
            number = merged(draft, output, pipeline=pipeline, clip=clip, found=found)
            made[position] += [] if number is None else [number]
        pictures = output.pictures(draft, pipeline=pipeline, clip=clip, found=found)
        made[position] += [] if pictures is None else [pictures]
    return tuple(map(tuple, made)), tuple(packed)


def _metadata(job: Foreign) -> dict[str, Json]:
    said = job.one("UserMetadata")
    if said is None:
        return {}
    raw = job.raw("UserMetadata")
    names = list(raw) if isinstance(raw, dict) else []
    if len(names) > MOST_METADATA:
        job.fault("UserMetadata", "out_of_range", f"must hold at most {MOST_METADATA} pairs")
    return {name: said.text(name) or "" for name in names}


def _trail(body: Mapping[str, Json]) -> dict[str, str]:
    source = "/Input/Key" if "Input" in body else "/Inputs/0/Key"
    return {
        "/source": "/PipelineId",
        "/source/path": source,
        "/metadata": "/UserMetadata",
        "/notificationUrl": "/PipelineId",
        "/outputs": "/Outputs",
    }


def _in_order(faults: Sequence[Fault]) -> list[Fault]:
    """What is absent comes last: where it is all that is wrong, the answer is that of what is not there."""
    return sorted(faults, key=lambda fault: fault.code == "not_found")


def _listed(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []
