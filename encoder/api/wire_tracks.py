"""Tracks of a source in the job language: which of its sounds, which of its subtitles."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, WithJsonSchema

from encoder.api.wire_types import as_whole, fault
from encoder.ffmpeg import tracks
from encoder.ffmpeg.formats import MOST_STREAMS


def _checked(value: object) -> object:
    if value in (tracks.DEFAULT, tracks.ALL) and isinstance(value, str):
        return value
    if not isinstance(value, list):
        raise fault("invalid_value", 'must be "default", "all", or a list of stream indices and languages')
    if not 1 <= len(value) <= tracks.MOST:
        raise fault("out_of_range", f"must have 1 to {tracks.MOST} items")
    items = tuple(as_whole(item) for item in value)
    for item in items:
        if not (_is_index(item) or (isinstance(item, str) and tracks.LANGUAGE.fullmatch(item))):
            raise fault("invalid_value", 'must have indices of streams, and languages such as "eng", as items')
    if len(set(items)) < len(items):
        raise fault("invalid_value", "must name each track once")
    return items


def _is_index(item: object) -> bool:
    return isinstance(item, int) and not isinstance(item, bool) and 0 <= item < MOST_STREAMS


_INDEX = {"type": "integer", "minimum": 0, "maximum": MOST_STREAMS - 1}
_LANGUAGE = {"type": "string", "pattern": f"^{tracks.LANGUAGE.pattern}$", "description": "ISO 639-2"}
_LIST = {"type": "array", "items": {"anyOf": [_INDEX, _LANGUAGE]}, "minItems": 1, "maxItems": tracks.MOST}

_EITHER = [{"enum": [tracks.DEFAULT, tracks.ALL]}, {**_LIST, "uniqueItems": True}]
Tracks = Annotated[str | tuple[int | str, ...], BeforeValidator(_checked), WithJsonSchema({"anyOf": _EITHER})]
