"""Reads the members of a source or destination into the record of its kind, with a fault for each that is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

import msgspec

from encoder.errors import Fault
from encoder.model.base import Record
from encoder.model.job import Place

M = TypeVar("M", bound=Record)


def kind_of(place: Place) -> str | None:
    """The kind that `place` names, or that the scheme of its `url` implies."""
    kind, url = place.get("kind"), place.get("url")
    if isinstance(kind, str):
        return kind
    if kind is None and isinstance(url, str) and "://" in url:
        return url.partition("://")[0].lower()
    return None


def read(kind: type[M], place: Place) -> M | list[Fault]:
    """The members of `place` as a `kind`, or what is wrong with them (`path` from the place on)."""
    faults = list(_faults(kind, place))
    if faults:
        return faults
    return msgspec.convert({name: value for name, value in place.items() if name != "kind"}, kind)


def _faults(kind: type[M], place: Place) -> Iterator[Fault]:
    fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}  # type: ignore[arg-type]  # a Struct
    for name in place.keys() - fields.keys() - {"kind"}:
        known = ", ".join(sorted(fields))
        yield Fault(path=pointer(name), code="unknown_field", message=f"`{name}` is not known here; known are {known}.")
    for name, field in fields.items():
        if name in place:
            yield from _value_faults(name, place[name], field.type)
        elif field.required:
            yield Fault(path=pointer(name), code="missing_field", message=f"`{name}` is missing.")


def _value_faults(name: str, value: object, wanted: object) -> Iterator[Fault]:
    try:
        msgspec.convert(value, wanted)
    except msgspec.ValidationError as error:
        said = str(error)
        code = "invalid_value" if said.startswith("Invalid ") else "invalid_type"
        yield Fault(path=pointer(name), code=code, message=f"{said.partition(' - at ')[0]}.")


def pointer(*names: str | int) -> str:
    """A JSON Pointer (RFC 6901)."""
    return "".join("/" + str(name).replace("~", "~0").replace("/", "~1") for name in names)
