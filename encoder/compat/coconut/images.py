"""Images of Coconut: one picture, several, sheets of them, or one that moves."""

from __future__ import annotations

import re

from encoder.compat.coconut.format import Format
from encoder.compat.coconut.places import Storage
from encoder.compat.foreign import Foreign
from encoder.compat.translated import Draft
from encoder.model.base import Json

_COUNTER = re.compile(r"%\.?[0-9]*d|#num#")
_PLAIN = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,60}|")
_MOST = 100


def draft(outputs: Draft, entry: Foreign, form: Format, storage: Storage) -> int:
    """The number of the output of ours that makes them."""
    path = entry.text("path", required=True) or ""
    entry.refuse("square", "give a size, and `fit`, in our own words")
    entry.refuse("scene", "a preview shows the first seconds, or a `clip` in our own words")
    thumbnails = _thumbnails(entry)
    members: dict[str, Json] = dict(form.members)
    if thumbnails:
        path, names = _named(path)
        members["thumbnails"] = {**thumbnails, **({"names": names} if names else {})}
        told = f"{path}: the numbers of pictures have five digits, from 00001; `urls` tells them."
        entry.found.warn("pictures_named", told)
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


def _named(path: str) -> tuple[str, str | None]:
    """The folder of a pattern of theirs, and what its files are called; without a number, a folder of its name."""
    folder, slash, name = path.rpartition("/")
    stem = name.rpartition(".")[0] or name
    before, counter, after = _COUNTER.sub("\0", stem, count=1).partition("\0")
    if counter and _PLAIN.fullmatch(before + after):
        return f"{folder}{slash}" or "/", f"{before}{{index}}{after}"
    stem = _COUNTER.sub("", stem).strip("_-. ")
    return (f"{folder}{slash}{stem}/" if stem else f"{folder}/"), None
