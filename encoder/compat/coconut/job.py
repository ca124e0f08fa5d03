"""A job of Coconut as a job of ours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from encoder.compat.coconut import images, places, stream
from encoder.compat.coconut.format import IMAGE, VIDEO, Format, read
from encoder.compat.coconut.places import Storage
from encoder.compat.foreign import Foreign, Found
from encoder.compat.translated import Draft, Translated, notes
from encoder.errors import Fault
from encoder.model.base import Json
from encoder.model.job import Notification, Origin

API = "coconut"
MOST_OUTPUTS = 30
STREAM = "httpstream"
_LONGEST_FORMAT = 256  # characters: it is a member, and all that is wrong with it is told at its name
_EVENTS = ("job.completed", "job.failed")
_MORE_EVENTS = ("job.processing", "output.uploaded", "output.failed")
_NOT_ENCODED = ("copy", "none")
_NEVER = "Encoder never enlarges a picture, which is what conditions mostly prevent; leave it out"


@dataclass(slots=True)
class Outputs:
    """What is put together: ours, and for each of theirs its names and those of ours that make it up.

    `film`: members of each that encodes a picture.
    """

    film: Mapping[str, Json] = field(default_factory=dict)
    draft: Draft = field(default_factory=Draft)
    told: list[Json] = field(default_factory=list)
    made: list[tuple[int, ...]] = field(default_factory=list)


def translate(body: Json) -> Translated | list[Fault]:
    """The job that `body` asks for, or all that is wrong with it."""
    if not isinstance(body, dict):
        return [Fault(path="", code="invalid_type", message="must be an object")]
    found = Found()
    job = Foreign(body, "", found)
    given, kept = job.one("input", required=True), job.one("storage", required=True)
    source = places.source(given) if given else {}
    storage = places.storage(kept) if kept else Storage(place=None)
    outputs = Outputs(film=_settings(job.one("settings")))
    for name, entry in _entries(job):
        _add(outputs, name, entry, storage)
    url, notification = _notification(job.one("notification"))
    job.close()
    if found.faults:
        return found.faults
    ours: dict[str, Json] = {"source": source, "outputs": outputs.draft.outputs}
    ours |= {"notificationUrl": url} if url else {}
    request: dict[str, Json] = {"outputs": outputs.told}
    origin = Origin(api=API, request=request, outputs=tuple(outputs.made), warnings=notes(found))
    trail = {"/source": "/input", "/source/path": "/input/key", "/source/url": "/input/url"}
    trail |= {f"/source/{ours}": f"/input/credentials/{theirs}" for ours, theirs in _KEYS.items()}
    trail |= {"/notificationUrl": "/notification/url", "/outputs": "/outputs", **outputs.draft.trail}
    trail |= {
        f"/outputs/{number}/destination/{ours}": f"/storage/{theirs}"
        for number in range(len(outputs.draft.outputs))
        for ours, theirs in _OF_STORAGE.items()
    }
    return Translated(job=ours, origin=origin, trail=trail, notification=notification)


_KEYS = {"access_key_id": "access_key_id", "access_key_secret": "secret_access_key"}
_OF_STORAGE = {
    "bucket": "bucket",
    "region": "region",
    "endpointUrl": "endpoint",
    "url": "url",
    "acl": "acl",
    "storageClass": "storage_class",
    "cacheControl": "cache_control",
    **{ours: f"credentials/{theirs}" for ours, theirs in _KEYS.items()},
}


def _entries(job: Foreign) -> Iterator[tuple[str, Foreign]]:
    """Each output with the name of its format; one name may have several."""
    listed = job.raw("outputs")
    if not isinstance(listed, dict) or not listed:
        job.fault("outputs", "missing_field", "must be an object with at least one output")
        return
    count = sum(len(entry) if isinstance(entry, list) else 1 for entry in listed.values())
    if count > MOST_OUTPUTS:
        job.fault("outputs", "out_of_range", f"must hold at most {MOST_OUTPUTS}")
        return
    for name, entry in listed.items():
        if len(name) > _LONGEST_FORMAT:
            job.fault("outputs", "invalid_value", f"must not have a format of more than {_LONGEST_FORMAT} characters")
            continue
        several = entry if isinstance(entry, list) else [entry]
        for number, each in enumerate(several):
            at = job.at("outputs", name, *([number] if isinstance(entry, list) else []))
            if isinstance(each, dict):
                yield name, Foreign(each, at, job.found)
            else:
                job.found.fault(at, "invalid_type", "must be an object")


def _add(outputs: Outputs, name: str, entry: Foreign, storage: Storage) -> None:
    """One of their outputs."""
    key = entry.text("key") or name
    entry.refuse("if", _NEVER)
    entry.refuse("format", "its name says the format")
    if name == STREAM:
        outputs.made.append(stream.draft(outputs.draft, entry, storage, outputs.film))
        kind = STREAM
    else:
        form = read(name, entry.path, entry.found)
        if form.kind == VIDEO and form.members.get("videoCodec") not in _NOT_ENCODED:
            form = replace(form, members={**form.members, **outputs.film})
        single = images.draft if form.kind == IMAGE else _file
        outputs.made.append((single(outputs.draft, entry, form, storage),))
        kind = form.kind
    entry.close()
    outputs.told.append({"key": key, "type": kind, "format": name})


def _file(draft: Draft, entry: Foreign, form: Format, storage: Storage) -> int:
    path = entry.text("path", required=True) or ""
    for member in ("watermark", "offset", "duration", "transpose"):
        entry.refuse(member, "docs/reference/job.md has members for this: `watermark`, `clip`, `rotate`")
    destination = storage.to(path)
    members = {**form.members, **({"destination": destination} if destination else {})}
    return draft.add(members, entry.path, destination=entry.at("path"))


def _notification(read_from: Foreign | None) -> tuple[str | None, Notification | None]:
    if read_from is None:
        return None, None
    kind = read_from.text("type") or "http"
    if kind != "http":
        read_from.found.unsupported(read_from.at("type"), "receivers are called by http")
    read_from.refuse("params", "write them into the query of `url`")
    if read_from.flag("metadata"):
        read_from.found.warn("hint_ignored", "notification.metadata: facts of files are in GET /jobs/{id}.")
    events = _EVENTS + (_MORE_EVENTS if read_from.flag("events") else ())
    url = read_from.text("url", required=True)
    read_from.close()
    return url, Notification(format=API, events=events)


def _settings(read_from: Foreign | None) -> Mapping[str, Json]:
    """What it says of every film."""
    if read_from is None:
        return {}
    fast = read_from.flag("ultrafast")
    read_from.close()
    return {"chunked": True} if fast else {}
