"""The scalars of the job language, and the base of its objects. Strict: text is no number, `true` is no 1."""

from __future__ import annotations

import binascii
import json
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Annotated, Any, ClassVar, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    WithJsonSchema,
    model_validator,
)
from pydantic.alias_generators import to_camel
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from encoder.errors import Fault
from encoder.model.base import Json
from encoder.model.job import Place
from encoder.model.queue import IO, QUEUE_NAME

MAX_URL = 2048
MAX_PATH_BYTES = 1024
MAX_TEXT = 4096
MAX_KEY = 16 * 1024
MAX_METADATA_BYTES = 16 * 1024
MIN_RATE, MAX_RATE = 1_000, 400_000_000

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_RATE = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,3})?)([kKmM]?)")
_FACTOR = {"": 1, "k": 1_000, "m": 1_000_000}


# The default of a member that may be left out. It has no value then: `null` is refused, and the schema shows none.
ABSENT: Any = None


def without_noise(schema: dict[str, Any]) -> None:
    """Take out of a schema what says nothing: titles that repeat the name, defaults that are none."""
    for member in schema.get("properties", {}).values():
        member.pop("title", None)
        if member.get("default", ...) is ABSENT:
            del member["default"]


class Wire(BaseModel):
    """An object of the job language: what it does not know is an error, and no error shows what was sent."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        json_schema_extra=without_noise,
        strict=True,
    )

    def sent(self) -> dict[str, Json]:
        """The members that were sent, in the language's spelling."""
        fields = type(self).model_fields
        return {fields[name].alias or name: getattr(self, name) for name in fields if name in self.model_fields_set}


class WirePlace(Wire):
    """A source or destination. What of it may stand in an address, the platform keeps as members."""

    said_by_url: ClassVar[frozenset[str]] = frozenset()  # members that `url` stands for: not to be said twice

    def place(self) -> Place:
        """The place as the platform keeps it."""
        sent = self.sent()
        if self.said_by_url:
            sent.pop("url", None)
        return {**sent, **self.parts()}

    def parts(self) -> Place:
        """What the members say beyond themselves: the kind, what is in an address, defaults.

        Raises:
            PydanticCustomError: it does not fit. Validation asks, so that nobody else has to expect it.
        """
        return {}

    @model_validator(mode="after")
    def _parts_fit(self) -> Self:
        self.parts()
        return self

    def told(self, faults: Iterable[Fault]) -> Iterator[Fault]:
        """Faults of `place()`, at the members that were sent."""
        for found in faults:
            member = found.path.removeprefix("/").partition("/")[0]
            said = member in self.said_by_url and member not in self.sent()
            yield Fault(path="/url", code=found.code, message=found.message) if said else found


def fault(code: str, message: str, *, member: str = "") -> PydanticCustomError:
    """An error whose code and message are ours; `member`: which of an object's own is meant.

    `message` says what the thing must be, and never holds what the caller sent.
    """
    return PydanticCustomError(code, "{message}", {"message": message, "member": member})


def as_whole(value: object) -> object:
    """JSON has one kind of number: 2.0 is as whole as 2."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


class OneOf:
    """Exactly one of some values. A `Literal` would take `true` for 1, and cannot be made from a table."""

    def __init__(self, *values: str | int | bool) -> None:
        self._values = values
        self._message = f"must be one of {', '.join(json.dumps(value) for value in values)}"

    def __get_pydantic_core_schema__(self, _source: object, _handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(
            self._check, core_schema.literal_schema(list(self._values))
        )

    def _check(self, value: object) -> object:
        whole = as_whole(value)
        if not any(type(whole) is type(allowed) and whole == allowed for allowed in self._values):
            raise fault("invalid_value", self._message)
        return whole


def _rate(value: object) -> object:
    if not isinstance(value, str):
        return as_whole(value)
    match = _RATE.fullmatch(value)
    if match is None:
        raise fault("invalid_value", 'must be bits per second: a whole number, or text such as "2500k" or "5M"')
    return round(float(match[1]) * _FACTOR[match[2].lower()])


def plain(value: str) -> str:
    """`value`, if no line or terminal could misread it."""
    if _CONTROL.search(value):
        raise fault("invalid_text", "must not hold control characters or line breaks")
    return value


def _plain_lines(value: str) -> str:
    plain(re.sub("\r?\n", " ", value))
    return value


def scheme_of(url: object) -> str | None:
    """The scheme of an address, lower case; None for what is no address at all."""
    scheme, separator, _ = url.partition("://") if isinstance(url, str) else ("", "", "")
    return scheme.lower() if separator else None


def _begins(schemes: tuple[str, ...]) -> Callable[[str], str]:
    def check(value: str) -> str:
        if scheme_of(value) not in schemes:
            raise fault("invalid_url", f"must begin with {' or '.join(f'{scheme}://' for scheme in schemes)}")
        return value

    return check


def begins(*schemes: str) -> tuple[AfterValidator, Any]:
    """For an address of one of `schemes`, in whatever case: the check, and how its schema says so."""
    any_case = ("".join(f"[{c.upper()}{c}]" if c.isalpha() else c for c in scheme) for scheme in schemes)
    pattern = f"^({'|'.join(any_case)})://"
    return AfterValidator(_begins(schemes)), Field(json_schema_extra={"pattern": pattern})


def form(pattern: str, words: str) -> tuple[AfterValidator, Any]:
    """For a text of which `pattern` is the whole: the check, told in `words`, and how its schema says so."""
    whole = re.compile(pattern)

    def check(value: str) -> str:
        if not whole.fullmatch(value):
            raise fault("invalid_value", words)
        return value

    return AfterValidator(check), Field(json_schema_extra={"pattern": pattern})


def _short_path(value: str) -> str:
    if len(value.encode()) > MAX_PATH_BYTES:
        raise fault("out_of_range", f"must be at most {MAX_PATH_BYTES} bytes long")
    return value


def _base64(value: str) -> str:
    try:
        empty = not binascii.a2b_base64(value, strict_mode=True)
    except (binascii.Error, ValueError):
        empty = True
    if empty:
        raise fault("invalid_base64", "must be standard base64 with padding, without spaces, and not empty")
    return value


def _small_metadata(value: dict[str, Json]) -> dict[str, Json]:
    if len(json.dumps(value, ensure_ascii=False).encode()) > MAX_METADATA_BYTES:
        raise fault("out_of_range", f"must be at most {MAX_METADATA_BYTES} bytes of JSON")
    return value


def _of_jobs(queue: str) -> str:
    if queue == IO:
        raise fault("unknown_queue", f"must be a queue of jobs: `{IO}` is that of webhooks")
    return queue


def distinct(values: list[str]) -> list[str]:
    if len(set(values)) < len(values):
        raise fault("invalid_value", "must not name anything twice")
    return values


_RATE_SCHEMA = WithJsonSchema(
    {
        "anyOf": [
            {"type": "integer", "minimum": MIN_RATE, "maximum": MAX_RATE},
            {"type": "string", "pattern": f"^{_RATE.pattern}$", "examples": ["2500k", "5M"]},
        ]
    }
)

WHOLE = BeforeValidator(as_whole)  # behind the bounds, or the schema loses them
Rate = Annotated[int, Field(ge=MIN_RATE, le=MAX_RATE), BeforeValidator(_rate), _RATE_SCHEMA]
Seconds = Annotated[float, Field(ge=0, le=12 * 3600)]
Text = Annotated[str, Field(min_length=1, max_length=MAX_TEXT), AfterValidator(plain)]
Url = Annotated[str, Field(min_length=1, max_length=MAX_URL), AfterValidator(plain)]
Path = Annotated[
    str, Field(min_length=1, max_length=MAX_PATH_BYTES), AfterValidator(plain), AfterValidator(_short_path)
]
HttpUrl = Annotated[Url, *begins("http", "https")]
PrivateKey = Annotated[
    str,
    Field(max_length=MAX_KEY),
    *form(
        r"^-----BEGIN [A-Z ]*PRIVATE KEY-----\s[\s\S]*$",
        "must be a private key in PEM or OpenSSH form, from `-----BEGIN` on",
    ),
    AfterValidator(_plain_lines),
    Field(json_schema_extra={"writeOnly": True}),
]
Base64 = Annotated[str, AfterValidator(_base64), Field(min_length=4, json_schema_extra={"contentEncoding": "base64"})]
Tag = Annotated[str, Field(min_length=1, max_length=128), AfterValidator(plain)]
Tags = Annotated[list[Tag], Field(max_length=50, json_schema_extra={"uniqueItems": True}), AfterValidator(distinct)]
QueueName = Annotated[
    str,
    *form(
        f"^{QUEUE_NAME}$",
        "must be at most 64 letters, digits and any of `_.-`, and begin with a letter or digit",
    ),
    AfterValidator(_of_jobs),
]

# F8: names that no header, filter or command line could misread
_MetadataName = Annotated[
    str,
    *form(
        r"^[A-Za-z0-9_][A-Za-z0-9_. :-]{0,127}$",
        "must be at most 128 letters, digits, spaces and any of `_.:-`, and begin with a letter, digit or `_`",
    ),
]
Metadata = Annotated[
    dict[_MetadataName, Any],  # any JSON: it comes back as it was sent
    Field(max_length=100, json_schema_extra={"additionalProperties": False}),
    AfterValidator(_small_metadata),
]
HeaderName = Annotated[
    str, *form(r"^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}$", "must be the name of a header: letters, digits and `-`")
]
HeaderValue = Annotated[str, Field(max_length=MAX_TEXT), AfterValidator(plain)]
Headers = Annotated[
    dict[HeaderName, HeaderValue],
    Field(max_length=50, json_schema_extra={"additionalProperties": False, "writeOnly": True}),
]
