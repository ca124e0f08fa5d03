"""pydantic's errors as faults of ours: one per JSON Pointer, in our own words, without what was sent.

pydantic's own texts repeat the input, secrets too, and its places hold names of union members beside those of
members: neither may leave this module.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from typing import Annotated, Any, Generic, TypeVar, get_args, get_origin

from pydantic import Tag, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from encoder.api.body import MAX_FAULTS
from encoder.api.wire_place import TAGS, kinds
from encoder.api.wire_types import Wire, WirePlace
from encoder.errors import CATALOGUE, Fault
from encoder.model.base import Json
from encoder.model.place import pointer
from encoder.model.secrets import unsaid

_LONGEST_NAME = 256  # of an unknown member that is told back
_Tokens = tuple[str | int, ...]
T = TypeVar("T")

_WORDS = {
    "missing": ("missing_field", "must be there"),
    "string_type": ("invalid_type", "must be text"),
    "int_type": ("invalid_type", "must be a whole number"),
    "int_from_float": ("invalid_type", "must be a whole number"),
    "float_type": ("invalid_type", "must be a number"),
    "bool_type": ("invalid_type", "must be true or false"),
    "list_type": ("invalid_type", "must be a list"),
    "dict_type": ("invalid_type", "must be an object"),
    "model_type": ("invalid_type", "must be an object"),
    "literal_error": ("invalid_value", "must be {expected}"),
    "greater_than": ("out_of_range", "must be more than {gt:g}"),
    "greater_than_equal": ("out_of_range", "must be at least {ge:g}"),
    "less_than_equal": ("out_of_range", "must be at most {le:.10g}"),
    "too_short": ("out_of_range", "must hold at least {min_length}"),
    "too_long": ("out_of_range", "must hold at most {max_length}"),
    "string_too_short": ("out_of_range", "must be at least {min_length} characters long"),
    "string_too_long": ("out_of_range", "must be at most {max_length} characters long"),
}


class Reader(Generic[T]):
    """Reads JSON data as one part of the job language."""

    def __init__(self, part: Any) -> None:  # noqa: ANN401  # a class, or an annotated union of some
        self._part = part
        self._adapter: TypeAdapter[T] = TypeAdapter(part)

    def read(self, value: Json, *, known: object = None) -> tuple[T | None, list[Fault]]:
        """The part, or all that is wrong with it; one of the two is empty. `known`: what its checks may ask of it."""
        try:
            return self._adapter.validate_python(value, context=known), []
        except ValidationError as error:
            details = error.errors(include_input=False, include_url=False)
            return None, distinct(self._fault(detail, value) for detail in details[:MAX_FAULTS])

    def _fault(self, detail: ErrorDetails, value: Json) -> Fault:
        kind, loc, context = detail["type"], detail["loc"], detail.get("ctx", {})
        tokens, found = _walk(loc, value, named=kind in {"missing", "extra_forbidden"})
        if kind in {"union_tag_not_found", "union_tag_invalid"}:
            return _kindless(tokens, found, self._at(loc))
        if kind == "extra_forbidden":
            return _unknown(tokens, self._at(loc[:-1]))
        if kind in CATALOGUE:
            own = (context["member"],) if context["member"] else ()
            return _fault(tokens + own, kind, context["message"])
        code, words = _WORDS.get(kind, ("invalid_value", "is not allowed here"))
        return _fault(tokens, code, words.format_map(context))

    def _at(self, loc: _Tokens) -> Any:  # noqa: ANN401  # as above
        """The class or union that stands at a place."""
        part = self._part
        for token in loc:
            part = _member(_bare(part), token)
        return _bare(part)


def distinct(faults: Iterable[Fault]) -> list[Fault]:
    """One fault per place, the first one; no more than a caller would read."""
    first: dict[str, Fault] = {}
    for fault in faults:
        first.setdefault(fault.path, fault)
    return list(first.values())[:MAX_FAULTS]


def below(path: str, faults: Iterable[Fault]) -> Iterator[Fault]:
    """The faults of a part, as faults of the whole."""
    return (Fault(path=path + fault.path, code=fault.code, message=fault.message) for fault in faults)


def put_back(value: dict[str, Json]) -> list[Fault]:
    """A fault for each secret in whose place stands what is shown for it: kept so, the secret would be lost."""
    message = "must be said again: what is secret of it is not shown"
    return [Fault(path=at, code="invalid_value", message=message) for at in unsaid(value)]


def _fault(tokens: _Tokens, code: str, message: str) -> Fault:
    return Fault(path=pointer(*tokens), code=code, message=message)


def _walk(loc: _Tokens, value: Json, *, named: bool) -> tuple[_Tokens, Json]:
    """What of `loc` is there in `value`, and what stands at its end. `named`: the last token is a member for sure."""
    tokens: list[str | int] = []
    for position, token in enumerate(loc):
        last = position == len(loc) - 1
        if isinstance(value, dict) and token in value and (last or token not in TAGS):
            value = value[str(token)]
        elif isinstance(value, list) and isinstance(token, int) and token < len(value):
            value = value[token]
        elif not (named and last):
            continue
        tokens.append(token)
    return tuple(tokens), value


def _kindless(tokens: _Tokens, value: Json, union: Any) -> Fault:  # noqa: ANN401  # as above
    """A source or destination of which nobody can say what it is."""
    if not isinstance(value, dict):
        return _fault(tokens, "invalid_type", "must be an object")
    known = f"must be one of {', '.join(_kinds(union))}"
    if "kind" not in value and "url" not in value:
        return _fault((*tokens, "kind"), "missing_field", known)
    member = "kind" if "kind" in value else "url"
    said = value[member]
    if not isinstance(said, str):
        return _fault((*tokens, member), "invalid_type", "must be text")
    if member == "url" and "://" not in said:
        return _fault((*tokens, member), "invalid_url", "must be an absolute address")
    if member == "url":
        schemes = (f"{kind}://" for kind in _kinds(union, having="url"))
        return _fault((*tokens, member), "unsupported_kind", f"must begin with one of {', '.join(schemes)}")
    return _fault((*tokens, member), "unsupported_kind", known)


def _unknown(tokens: _Tokens, part: Any) -> Fault:  # noqa: ANN401  # as above
    """A member that does not belong to `part`: said twice, or not known, with the one that was probably meant."""
    name = str(tokens[-1])
    if len(name) > _LONGEST_NAME:
        return _fault(tokens[:-1], "unknown_field", "has a member that is not known here")
    if isinstance(part, type) and issubclass(part, WirePlace) and name in part.said_by_url:
        return _fault(tokens, "unsupported_combination", "must not stand beside `url`, which says it")
    near = difflib.get_close_matches(name, _names(part), n=1)
    return _fault(
        tokens, "unknown_field", f"is not known here; did you mean `{near[0]}`?" if near else "is not known here"
    )


def _bare(part: Any) -> Any:  # noqa: ANN401  # annotations have no type of their own
    return _bare(get_args(part)[0]) if get_origin(part) is Annotated else part


def _member(part: Any, token: str | int) -> Any:  # noqa: ANN401  # as above
    """The part that `token` leads to: a member of an object, an item of a list, or one branch of a union."""
    if isinstance(part, type) and issubclass(part, Wire):
        return next((field.annotation for field in part.model_fields.values() if field.alias == token), None)
    if get_origin(part) is list:
        return get_args(part)[0]
    return next((branch for branch in get_args(part) if Tag(str(token)) in getattr(branch, "__metadata__", ())), None)


def _names(part: Any) -> list[str]:  # noqa: ANN401  # as above
    """The members of the object that stands here."""
    if not (isinstance(part, type) and issubclass(part, Wire)):
        return []
    return [field.alias for field in part.model_fields.values() if field.alias]


def _kinds(union: Any, *, having: str = "kind") -> list[str]:  # noqa: ANN401  # as above
    """Every `kind` that a union of places knows, of the places that have a certain member."""
    places = (place for place in map(_bare, get_args(union)) if having in place.model_fields)
    return list(dict.fromkeys(kind for place in places for kind in kinds(place)))
