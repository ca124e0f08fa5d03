"""Forms whose fields are members of what the API takes: read, and shown again with what is wrong at each field."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from multidict import MultiDict

from encoder.api.body import read_json
from encoder.errors import Fault, Rejected
from encoder.model.base import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """What somebody has written into a form, and what of it was refused. `values`: by field, as they are shown."""

    values: Mapping[str, str] = field(default_factory=dict)
    many: Mapping[str, frozenset[str]] = field(default_factory=dict)  # of fields that may stand more than once
    faults: tuple[Fault, ...] = ()

    def of(self, name: str) -> str:
        return self.values.get(name, "")

    def has(self, name: str, value: str) -> bool:
        """Whether a box is ticked."""
        return value in self.many.get(name, frozenset())

    def wrong(self, *paths: str) -> str:
        """What is wrong at one of these places, or below; "" for nothing."""
        found = [_said(each, path) for each in self.faults for path in paths if _is_at(each.path, path)]
        return "; ".join(dict.fromkeys(found))

    def beside(self, *paths: str) -> tuple[Fault, ...]:
        """What is wrong elsewhere: fields have their own."""
        return tuple(each for each in self.faults if not any(_is_at(each.path, path) for path in paths))


def filled(form: MultiDict[str], refusal: Rejected | None = None) -> Filled:
    """The form as it was sent, to be shown again."""
    many = {name: frozenset(form.getall(name)) for name in form}
    return Filled(values=dict(form), many=many, faults=tuple(refusal.faults) if refusal else ())


def object_of(text: str, path: str) -> Json:
    """The JSON that somebody wrote into a field.

    Raises:
        errors.Rejected: as for a request's body, at `path`.
    """
    try:
        return read_json(text.encode(errors="surrogatepass"))
    except Rejected as wrong:
        moved = (Fault(path=f"{path}{each.path}", code=each.code, message=each.message) for each in wrong.faults)
        raise Rejected(*moved) from None


def pretty(value: Json) -> str:
    """JSON as people write it."""
    return json.dumps(value, indent=2, ensure_ascii=False)


def _said(wrong: Fault, path: str) -> str:
    """What is wrong; of a member below the field's own, with its name."""
    below = wrong.path.removeprefix(path).removeprefix("/")
    return f"`{below}` {wrong.message}" if below else wrong.message


def _is_at(place: str, path: str) -> bool:
    return place == path or place.startswith(f"{path}/")
