"""Sources and destinations in the job language: each kind's members. Where they lead to, the registries check."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, Self
from urllib.parse import unquote

from pydantic import AfterValidator, Discriminator, Field, Tag, model_validator

from encoder.api.wire_types import ABSENT, Base64, Headers, Path, Text, Url, Wire, fault
from encoder.model.job import Place

# The branches of the unions below. They stand in the places of pydantic's errors; brackets tell them from members.
TAGS = ("(http)", "(inline)", "(file)", "(file-url)")


def scheme_of(url: object) -> str | None:
    """The scheme of an address, lower case; None for what is no address at all."""
    scheme, separator, _ = url.partition("://") if isinstance(url, str) else ("", "", "")
    return scheme.lower() if separator else None


def _http(value: str) -> str:
    if scheme_of(value) not in {"http", "https"}:
        raise fault("invalid_url", "must begin with http:// or https://")
    return value


def _file(value: str) -> str:
    # all before the path is "file://" and no host: what a parser of URLs would make of the rest is none of our business
    if scheme_of(value) != "file" or not value.partition("://")[2].startswith("/"):
        raise fault("invalid_url", "must begin with file:/// and the path")
    return value


HttpUrl = Annotated[Url, AfterValidator(_http), Field(json_schema_extra={"pattern": "^[Hh][Tt][Tt][Pp][Ss]?://"})]
FileUrl = Annotated[Url, AfterValidator(_file), Field(json_schema_extra={"pattern": "^[Ff][Ii][Ll][Ee]:///"})]


class _Http(Wire):
    kind: Literal["http", "https"] = Field(ABSENT, description="told by `url` when absent")
    url: HttpUrl
    headers: Headers = Field(ABSENT, description="kept secret; sent to the origin of `url` only")

    @model_validator(mode="after")
    def _kind_fits(self) -> Self:
        if self.kind == "https" and scheme_of(self.url) != "https":
            raise fault("invalid_url", "must begin with https:// where `kind` is https", member="url")
        return self

    def place(self) -> Place:
        return {**self.sent(), "kind": scheme_of(self.url)}


class HttpSource(_Http):
    """A file on an HTTP server, fetched with GET."""


class HttpDestination(_Http):
    """An address that takes the file as the body of one request."""

    method: Literal["PUT", "POST"] = "PUT"

    def place(self) -> Place:
        return {**super().place(), "method": self.method}


class InlineSource(Wire):
    """The file itself."""

    kind: Literal["inline"]
    data: Base64 = Field(description="up to 12 MiB when decoded")
    file_name: Text = ABSENT

    def place(self) -> Place:
        return self.sent()


class FilePath(Wire):
    """A file in one of the folders that `ENCODER_FILE_ROOTS` names."""

    kind: Literal["file"]
    path: Path

    def place(self) -> Place:
        return self.sent()


class FileUrlPlace(Wire):
    """The same, written as an address."""

    kind: Literal["file"] = ABSENT
    url: FileUrl

    def place(self) -> Place:
        return {"kind": "file", "path": unquote(self.url.partition("://")[2])}


def _shape(value: object) -> str | None:
    """Which of the classes below `value` is to be read as; None if it says nothing that we know."""
    if not isinstance(value, Mapping):
        return None
    kind = value.get("kind", scheme_of(value.get("url")))
    if kind == "file":
        return "(file)" if "path" in value or "url" not in value else "(file-url)"
    return {"http": "(http)", "https": "(http)", "inline": "(inline)"}.get(kind) if isinstance(kind, str) else None


Source = Annotated[
    Annotated[HttpSource, Tag("(http)")]
    | Annotated[InlineSource, Tag("(inline)")]
    | Annotated[FilePath, Tag("(file)")]
    | Annotated[FileUrlPlace, Tag("(file-url)")],
    Discriminator(_shape),
]
Destination = Annotated[
    Annotated[HttpDestination, Tag("(http)")]
    | Annotated[FilePath, Tag("(file)")]
    | Annotated[FileUrlPlace, Tag("(file-url)")],
    Discriminator(_shape),
]
