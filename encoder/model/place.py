"""Reads the members of a source or destination into the record of its kind, with a fault for each that is wrong.

And what people call a place.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from functools import cache
from typing import Any, Protocol, TypeVar, cast

import msgspec

from encoder.errors import Fault
from encoder.model.job import Place

M = TypeVar("M")

_CODES = {"missing": "missing_field", "extra_forbidden": "unknown_field"}  # of pydantic's errors; the others by shape


class _Model(Protocol):
    """What we use of a pydantic model, which only plug-ins bring here: their members are no business of our core's."""

    def model_validate(self, value: object) -> object: ...

    def model_json_schema(self) -> Mapping[str, Any]: ...


def kind_of(place: Place) -> str | None:
    """The kind that `place` names, or that the scheme of its `url` implies."""
    kind, url = place.get("kind"), place.get("url")
    if isinstance(kind, str):
        return kind
    if kind is None and isinstance(url, str) and "://" in url:
        return url.partition("://")[0].lower()
    return None


def named(place: Place) -> str:
    """What people call `place`, whose secrets are hidden: its kind, and where it is as far as its members tell."""
    kind, where = kind_of(place) or "", _where(place)
    return where if where.startswith(f"{kind}://") else f"{kind} {where}".strip()


def _where(place: Place) -> str:
    said = {name: str(value) for name, value in place.items() if isinstance(value, str | int)}
    if "url" in said:
        return said["url"]
    host = f"[{said['host']}]" if ":" in said.get("host", "") else said.get("host", "")
    server = said.get("bucket") or (f"{host}:{said['port']}" if host and "port" in said else host)
    if "path" in said:
        return f"{server}/{said['path']}" if server else said["path"]
    return said.get("fileName") or said.get("fileId") or server


def read(kind: type[M], place: Place) -> M | list[Fault]:
    """The members of `place` as a `kind` (a record or a pydantic model), or what is wrong with them.

    A fault's `path` is a pointer from the place on.
    """
    members: Place = {name: value for name, value in place.items() if name != "kind"}
    if hasattr(kind, "model_validate"):
        return _read_model(kind, members)
    faults = list(_faults(kind, members))
    return faults or msgspec.convert(members, kind)


def _read_model(kind: type[M], members: Place) -> M | list[Fault]:
    model = cast("_Model", kind)
    schema = model.model_json_schema()
    if not schema.get("additionalProperties"):  # pydantic drops in silence what it does not know, unless it is told
        faults = list(_unknown(members, schema.get("properties", {})))
        if faults:
            return faults
    try:
        return cast("M", model.model_validate(members))
    except ValueError as error:
        if not hasattr(error, "errors"):
            raise
        return [_told(detail) for detail in error.errors(include_input=False, include_url=False)]


def _told(detail: Mapping[str, Any]) -> Fault:
    """A pydantic error as a fault of ours. Its place may name a branch of a union too; its text never the input."""
    kind = detail["type"]
    code = _CODES.get(kind) or ("invalid_type" if kind.endswith("_type") else "invalid_value")
    return Fault(path=pointer(*detail["loc"]), code=code, message=f"{detail['msg'].removesuffix('.')}.")


def _unknown(members: Place, names: Collection[str]) -> Iterator[Fault]:
    known = ", ".join(sorted(names))
    for name in members.keys() - names:
        yield Fault(path=pointer(name), code="unknown_field", message=f"`{name}` is not known here; known are {known}.")


@cache
def _fields(kind: type) -> Mapping[str, msgspec.structs.FieldInfo]:
    """By the names that callers write. To read them takes as long as all else about a place: annotations are text."""
    return {field.encode_name: field for field in msgspec.structs.fields(kind)}


def _faults(kind: type, members: Place) -> Iterator[Fault]:
    fields = _fields(kind)
    yield from _unknown(members, fields.keys())
    for name, field in fields.items():
        if name in members:
            yield from _value_faults(name, members[name], field.type)
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
