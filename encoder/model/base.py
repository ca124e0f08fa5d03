"""The one base of every record, and the JSON that records are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, dataclass_transform

import msgspec

from encoder import errors

if TYPE_CHECKING:
    Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]
    _Struct = object
else:  # msgspec resolves annotations at run time and knows no recursive alias
    Json = Any
    _Struct = msgspec.Struct


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(msgspec.field,))
class _RecordMeta(msgspec.StructMeta):
    """Gives every record the same options: msgspec inherits only some, and type checkers none of Struct's."""

    def __new__(  # noqa: PYI034  # mypy allows no Self in a metaclass
        cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any]
    ) -> _RecordMeta:
        return super().__new__(cls, name, bases, namespace, frozen=True, kw_only=True, rename="camel")


class Record(_Struct, metaclass=_RecordMeta):
    """An immutable value; in JSON (database, API, webhooks) its members are camelCase.

    ADR 0002 says why these are not dataclasses.
    """


R = TypeVar("R", bound=Record)


def replace(record: R, **changes: object) -> R:
    """A copy of `record` with some members changed."""
    return msgspec.structs.replace(record, **changes)  # type: ignore[type-var]  # a Struct, but only at run time


def to_json(value: object) -> Any:  # noqa: ANN401  # JSON has no narrower type that callers could use without casts
    """`value` as plain dicts, lists and scalars, ready for any JSON writer."""
    return msgspec.to_builtins(value)


def from_json(kind: type[R], value: object) -> R:
    """The record that `value` (plain JSON data) describes.

    Raises:
        errors.Defect: the data does not fit; what we stored ourselves always does.
    """
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise errors.Defect(f"stored {kind.__name__} does not fit: {error}") from error
