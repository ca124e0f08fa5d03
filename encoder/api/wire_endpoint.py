"""What `PUT /webhooks/endpoints/{name}` takes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated

from pydantic import AfterValidator, Field

from encoder.api.wire import Places
from encoder.api.wire_faults import Reader, below, put_back
from encoder.api.wire_types import ABSENT, HttpUrl, OneOf, Text, Wire, distinct
from encoder.errors import Fault, Rejected
from encoder.model.base import Json
from encoder.model.event import TELLABLE
from encoder.model.formats import FORMATS, STANDARD, Format
from encoder.model.place import pointer
from encoder.model.receiver import Receiver

NAME = "[A-Za-z0-9][A-Za-z0-9_.-]{0,63}"
_NAME = re.compile(NAME)
_SETTING = Annotated[str, Field(max_length=32)]


class Endpoint(Wire):
    """A receiver that is told of every job of its tenant."""

    url: HttpUrl = Field(description="takes a POST for each event, signed with secrets of its own")
    events: Annotated[
        list[Annotated[str, OneOf(*sorted(kind.value for kind in TELLABLE))]],
        Field(min_length=1, json_schema_extra={"uniqueItems": True}),
        AfterValidator(distinct),
    ] = Field(ABSENT, description="the types that it is told; absent: those that its format tells unasked")
    format: Annotated[str, OneOf(*FORMATS)] = Field(STANDARD, description="the form of what it is told")
    settings: Annotated[dict[_SETTING, Text], Field(max_length=16)] = Field(ABSENT, description="of the format")
    enabled: bool = Field(default=True, description="a disabled one is told nothing")

    def receiver(self, name: str) -> Receiver:
        """Its address whole, and every setting of its format said."""
        form = FORMATS[self.format]
        defaults: dict[str, Json] = {setting: known.default for setting, known in form.settings.items()}
        return Receiver(
            name=name,
            url=self.url,
            format=self.format,
            events=tuple(self.events or ()),
            settings={**defaults, **(self.settings or {})},
        )


_ENDPOINT: Reader[Endpoint] = Reader(Endpoint)


def is_name(name: str) -> bool:
    return _NAME.fullmatch(name) is not None


def read_endpoint(name: str, body: Json, places: Places) -> tuple[Receiver, bool]:
    """The receiver that `body` describes, and whether it is to be told.

    Raises:
        errors.Rejected: every fault of it; a `name` that is none.
    """
    if not is_name(name):
        told = "The name must be at most 64 letters, digits and any of `_.-`, and begin with a letter or digit."
        raise Rejected.because("invalid_value", told)
    endpoint, faults = _ENDPOINT.read(body)
    if endpoint is not None:
        url = put_back({"url": endpoint.url}) or below("/url", places.receiver(endpoint.url))
        faults = [*url, *_of_format(endpoint, FORMATS[endpoint.format])]
    if endpoint is None or faults:
        raise Rejected(*faults)
    return endpoint.receiver(name), endpoint.enabled


def _of_format(endpoint: Endpoint, form: Format) -> Iterator[Fault]:
    for place, event in enumerate(endpoint.events or ()):
        if event not in form.tells:
            told = f"{form.name} has no form for it; it has for {', '.join(sorted(form.tells))}"
            yield Fault(path=f"/events/{place}", code="unsupported_combination", message=told)
    for name, value in (endpoint.settings or {}).items():
        known, where = form.settings.get(name), pointer("settings", name)
        if known is None:
            listed = f"has {', '.join(form.settings)}" if form.settings else "has none"
            yield Fault(path=where, code="unknown_field", message=f"{form.name} {listed}")
        elif not re.fullmatch(known.pattern, value):
            yield Fault(path=where, code="invalid_value", message=f"must be {known.about}: {known.pattern}")
