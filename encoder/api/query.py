"""Query parameters: one table says what a route takes, how it is read, and how OpenAPI shows it."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from multidict import MultiMapping

from encoder.errors import Fault, Rejected
from encoder.model.base import Json
from encoder.model.state import JobState

Value = str | int | bool | datetime | tuple[JobState, ...]
V = TypeVar("V", str, int, bool, datetime, tuple[JobState, ...])
MAX_TEXT = 200
MAX_SHOWN = 40  # letters of a name that is told back
YEARS = range(1970, 9999)  # so that no shift of zones leaves what a datetime holds


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """`read` raises ValueError with what the value must be. `many`: may stand more than once."""

    name: str
    about: str
    read: Callable[[str], Value]
    schema: Mapping[str, Json]
    many: bool = False
    required: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """The parameters that a request has, as values of their types."""

    values: Mapping[str, Value]

    def get(self, name: str, kind: type[V]) -> V | None:
        value = self.values.get(name)
        return value if isinstance(value, kind) else None


def read(query: MultiMapping[str], parameters: tuple[Parameter, ...]) -> Query:
    """The request's parameters.

    Raises:
        errors.Rejected: `invalid_query`, all faults at once.
    """
    known = {parameter.name: parameter for parameter in parameters}
    values: dict[str, Value] = {}
    faults: list[Fault] = []
    faults += (
        Fault(path="", code="invalid_query", message=f"`{name}` is missing.")
        for name, parameter in known.items()
        if parameter.required and name not in query
    )
    for name in dict.fromkeys(query):
        try:
            values[name] = _value(known, name, query.getall(name))
        except ValueError as error:
            faults.append(Fault(path="", code="invalid_query", message=str(error)))
    if faults:
        raise Rejected(*faults)
    return Query(values)


def text(name: str, about: str, *, required: bool = False) -> Parameter:
    def parse(value: str) -> str:
        if not 1 <= len(value) <= MAX_TEXT or not value.isprintable():
            raise ValueError(f"must be 1 to {MAX_TEXT} printable characters")
        return value

    schema: dict[str, Json] = {"type": "string", "minLength": 1, "maxLength": MAX_TEXT}
    return Parameter(name=name, about=about, read=parse, schema=schema, required=required)


def choice(name: str, about: str, values: Iterable[str]) -> Parameter:
    known = tuple(values)

    def parse(value: str) -> str:
        if value not in known:
            raise ValueError(f"must be one of {', '.join(known)}")
        return value

    return Parameter(name=name, about=about, read=parse, schema={"type": "string", "enum": [*known]})


def whole(name: str, about: str, *, low: int, high: int, default: int | None = None) -> Parameter:
    def parse(value: str) -> int:
        if not (value.isascii() and value.isdecimal() and len(value) < 20 and low <= int(value) <= high):  # noqa: PLR2004
            raise ValueError(f"must be a whole number from {low} to {high}")
        return int(value)

    schema: dict[str, Json] = {"type": "integer", "minimum": low, "maximum": high}
    if default is not None:
        schema["default"] = default
    return Parameter(name=name, about=about, read=parse, schema=schema)


def moment(name: str, about: str) -> Parameter:
    def parse(value: str) -> datetime:
        try:
            at = datetime.fromisoformat(value.replace(" ", "+"))  # a plus sign that nobody encoded
        except ValueError:
            at = datetime.min  # noqa: DTZ901  # has no zone, so it is refused below
        if at.tzinfo is None or at.year not in YEARS:
            raise ValueError("must be a time such as 2026-11-20T13:00:00Z")
        return at

    return Parameter(name=name, about=about, read=parse, schema={"type": "string", "format": "date-time"})


def states(name: str, about: str) -> Parameter:
    def parse(value: str) -> tuple[JobState, ...]:
        try:
            return tuple(JobState(part) for part in value.split(","))
        except ValueError:
            raise ValueError(f"must be some of {', '.join(JobState)}, separated by commas") from None

    schema: dict[str, Json] = {"type": "array", "items": {"type": "string", "enum": [*JobState]}}
    return Parameter(name=name, about=about, read=parse, schema=schema, many=True)


def switch(name: str, about: str) -> Parameter:
    def parse(value: str) -> bool:
        if value not in {"true", "false"}:
            raise ValueError("must be true or false")
        return value == "true"

    return Parameter(name=name, about=about, read=parse, schema={"type": "boolean", "default": False})


def _value(known: Mapping[str, Parameter], name: str, given: list[str]) -> Value:
    parameter = known.get(name)
    if parameter is None:
        near = difflib.get_close_matches(name[:MAX_TEXT], known, n=1)
        raise ValueError(f"{_shown(name)} is not known here; {f'did you mean `{near[0]}`?' if near else _list(known)}")
    if len(given) > 1 and not parameter.many:
        raise ValueError(f"`{name}` must stand only once.")
    try:
        return parameter.read(",".join(given))
    except ValueError as error:
        raise ValueError(f"`{name}` {error}.") from None


def _shown(name: str) -> str:
    return f"`{name}`" if name.isprintable() and 1 <= len(name) <= MAX_SHOWN else "A query parameter"


def _list(known: Mapping[str, Parameter]) -> str:
    return f"known are {', '.join(f'`{name}`' for name in known)}." if known else "no query parameter is."
