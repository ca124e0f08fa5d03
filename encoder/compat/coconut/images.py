"""Images of Coconut: one picture, several, sheets of them, or one that moves."""

from __future__ import annotations

import re

from encoder.compat.coconut.format import Format
from encoder.compat.coconut.places import Storage
from encoder.compat.foreign import Foreign
from encoder.compat.translated import Draft
from encoder.model.base import Json

_COUNTER = re.compile(r"%\.?[0-9]*d|#num#")
_MOST = 100


def draft(outputs: Draft, entry: Foreign, form: Format, storage: Storage) -> int:
    """The number of the output of ours that makes them."""
    path = entry.text("path", required=True) or ""
    entry.refuse("square", "give a size, and `fit`, in our own words")
    entry.refuse("scene", "a preview shows the first seconds, or a `clip` in our own words")
    thumbnails = _thumbnails(entry)
    members: dict[str, Json] = dict(form.members)
    if thumbnails:
        members["thumbnails"] = thumbnails
        path = _folder(path)
        entry.found.warn(
            "pictures_named", f"{path}: pictures are named 00001 and so on, in a folder; `urls` tells them."
        )
    destination = storage.to(path)
    members |= {"destination": destination} if destination else {}
    at = {f"thumbnails/{ours}": entry.at(theirs) for ours, theirs in _NAMES.items()}
    return outputs.add(members, entry.path, destination=entry.at("path"), **at)


_NAMES = {"count": "number", "every": "interval", "at": "offsets", "sprite": "sprite", "vtt": "vtt"}


def _thumbnails(entry: Foreign) -> dict[str, Json]:
    """Of several moments; empty for one picture."""
    number = entry.number("number", low=1, high=_MOST)
    seconds = entry.number("interval", low=0, high=12 * 3600)
    moments = entry.raw("offsets")
    made: dict[str, Json] = {}
    if number is not None and number > 1:
        made["count"] = number
    if seconds is not None:
        made["every"] = seconds or 10  # 0: theirs to choose
    if moments is not None:
        made["at"] = moments
    sprite, vtt = entry.flag("sprite"), entry.flag("vtt")
    if (sprite or vtt) and not made:
        made["count"] = number or 1
    return {**made, **({"sprite": True} if sprite else {}), **({"vtt": True} if vtt else {})} if made else {}


def _folder(path: str) -> str:
    """Theirs are many files of one pattern; ours lie in a folder of the pattern's name."""
    folder, slash, name = path.rpartition("/")
    stem = _COUNTER.sub("", name.rpartition(".")[0] or name).strip("_-. ")
    return f"{folder}{slash}{stem}/" if stem else f"{folder}/"
