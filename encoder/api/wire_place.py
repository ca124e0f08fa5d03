"""Sources and destinations in the job language: each kind's members. Where they lead to, the registries check."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Literal, Self, get_args

from pydantic import AfterValidator, ConfigDict, Discriminator, Field, Tag, model_validator

from encoder.api.wire_address import decoded
from encoder.api.wire_s3 import S3Destination, S3Source, S3UrlDestination, S3UrlSource
from encoder.api.wire_server import Ftp, FtpUrl, Sftp, SftpUrl
from encoder.api.wire_types import ABSENT, Base64, Headers, HttpUrl, Path, Text, Url, WirePlace, fault, form, scheme_of
from encoder.destinations.registry import Destinations
from encoder.model.job import Place
from encoder.sources.registry import Sources


def _file(value: str) -> str:
    # all before the path is "file://" and no host: what a parser of URLs would make of the rest is none of our business
    if scheme_of(value) != "file" or not value.partition("://")[2].startswith("/"):
        raise fault("invalid_url", "must begin with file:/// and the path")
    return value


FileUrl = Annotated[Url, AfterValidator(_file), Field(json_schema_extra={"pattern": "^[Ff][Ii][Ll][Ee]:///"})]


class _Http(WirePlace):
    kind: Literal["http", "https"] = Field(ABSENT, description="told by `url` when absent")
    url: HttpUrl
    headers: Headers = Field(ABSENT, description="kept secret; sent to the origin of `url` only")

    @model_validator(mode="after")
    def _kind_fits(self) -> Self:
        if self.kind == "https" and scheme_of(self.url) != "https":
            raise fault("invalid_url", "must begin with https:// where `kind` is https", member="url")
        return self

    def parts(self) -> Place:
        return {"kind": scheme_of(self.url)}


class HttpSource(_Http):
    """A file on an HTTP server, fetched with GET."""


class HttpDestination(_Http):
    """An address that takes the file as the body of one request."""

    method: Literal["PUT", "POST"] = "PUT"

    def parts(self) -> Place:
        return {**super().parts(), "method": self.method}


class InlineSource(WirePlace):
    """The file itself."""

    kind: Literal["inline"]
    data: Base64 = Field(description="up to 12 MiB when decoded")
    file_name: Text = ABSENT


class UploadSource(WirePlace):
    """A file that was brought to the platform with `POST /upload`."""

    kind: Literal["upload"]
    file_id: Annotated[
        str,
        *form(
            r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$",
            "must be the `file_id` of an upload: 32 hex digits, as 8-4-4-4-12",
        ),
    ]


class FilePath(WirePlace):
    """A file in one of the folders that `ENCODER_FILE_ROOTS` names."""

    kind: Literal["file"]
    path: Path


class FileUrlPlace(WirePlace):
    """The same, written as an address."""

    said_by_url = frozenset({"path"})

    kind: Literal["file"] = ABSENT
    url: FileUrl

    def parts(self) -> Place:
        return {"kind": "file", "path": decoded(self.url.partition("://")[2])}


class _Other(WirePlace):
    """What a plug-in brings. Its own check reads the members: here they only pass."""

    model_config = ConfigDict(extra="allow")

    kind: str = ABSENT

    def parts(self) -> Place:
        members: Place = self.model_extra or {}
        return {**members, "kind": self.kind or scheme_of(members.get("url"))}


class OtherSource(_Other):
    pass


class OtherDestination(_Other):
    pass


# The branches of the unions below, by kind. They stand in the places of pydantic's errors; brackets tell them from
# members. Some have a twin that takes an address in the place of its members.
_BRANCHES = {"http": "http", "https": "http", "inline": "inline", "upload": "upload", "file": "file", "s3": "s3"}
_BRANCHES |= {"ftp": "ftp", "ftps": "ftp", "sftp": "sftp"}
_TWINS = frozenset({"file", "s3", "ftp", "sftp"})
_OTHER = "(other)"
TAGS = frozenset(f"({name}{twin})" for name in {*_BRANCHES.values(), "other"} for twin in ("", "-url"))


def _branch(value: object, others: Callable[[], Iterable[str]]) -> str | None:
    """Which of the classes above `value` is to be read as; None if it says nothing that we know."""
    if not isinstance(value, Mapping):
        return None
    kind = value.get("kind", scheme_of(value.get("url")))
    if not isinstance(kind, str):
        return None
    name = _BRANCHES.get(kind)
    if name is None:
        return _OTHER if kind in others() else None
    return f"({name}-url)" if name in _TWINS and "url" in value else f"({name})"


def _source_branch(value: object) -> str | None:
    return _branch(value, Sources.others)


def _destination_branch(value: object) -> str | None:
    return _branch(value, Destinations.others)


_Either = (
    Annotated[Ftp, Tag("(ftp)")]
    | Annotated[FtpUrl, Tag("(ftp-url)")]
    | Annotated[Sftp, Tag("(sftp)")]
    | Annotated[SftpUrl, Tag("(sftp-url)")]
    | Annotated[FilePath, Tag("(file)")]
    | Annotated[FileUrlPlace, Tag("(file-url)")]
)
Source = Annotated[
    Annotated[HttpSource, Tag("(http)")]
    | Annotated[S3Source, Tag("(s3)")]
    | Annotated[S3UrlSource, Tag("(s3-url)")]
    | _Either
    | Annotated[InlineSource, Tag("(inline)")]
    | Annotated[UploadSource, Tag("(upload)")]
    | Annotated[OtherSource, Tag(_OTHER)],
    Discriminator(_source_branch),
]
Destination = Annotated[
    Annotated[HttpDestination, Tag("(http)")]
    | Annotated[S3Destination, Tag("(s3)")]
    | Annotated[S3UrlDestination, Tag("(s3-url)")]
    | _Either
    | Annotated[OtherDestination, Tag(_OTHER)],
    Discriminator(_destination_branch),
]


def kinds(part: type[WirePlace]) -> list[str]:
    """The kinds that a class above reads."""
    if issubclass(part, _Other):
        return list((Sources if part is OtherSource else Destinations).others())
    return list(get_args(part.model_fields["kind"].annotation))
