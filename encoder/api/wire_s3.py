"""Places in S3 and what speaks like it."""

from __future__ import annotations

import re
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from encoder.api.wire_address import read_address
from encoder.api.wire_types import ABSENT, HttpUrl, OneOf, Path, Url, WirePlace, begins, fault, form, without_noise
from encoder.model.job import Place

MAX_METADATA_BYTES = 2048  # names and values together, as S3 counts
ACLS = (
    *("private", "public-read", "public-read-write", "authenticated-read", "aws-exec-read", "bucket-owner-read"),
    "bucket-owner-full-control",
)
STORAGE_CLASSES = (
    *("STANDARD", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER_IR", "GLACIER", "DEEP_ARCHIVE"),
    *("REDUCED_REDUNDANCY", "EXPRESS_ONEZONE", "OUTPOSTS", "SNOW"),
)
_OWN_METADATA = "encoder-"  # names that we write ourselves
_LABEL = "[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
_BUCKET = rf"^{_LABEL}(?:\.{_LABEL})*$"
_NUMBERS = {"pattern": "^[0-9.]+$"}  # might be read as an address of the internet
_PRINTABLE = "[!-~](?:[ -~]*[!-~])?"
_CONTENT_TYPE = r"^[A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+-]+(?: *; *[A-Za-z0-9_.-]+=[A-Za-z0-9\"_., +-]+)*$"
_CONTENT_TYPE_FORM = "must be a media type, such as `video/mp4`"


def _bucket(value: str) -> str:
    if re.match(_NUMBERS["pattern"], value):
        raise fault("invalid_value", "must not be made of numbers alone")
    return value


def _metadata(value: dict[str, str]) -> dict[str, str]:
    if sum(len(name) + len(text) for name, text in value.items()) > MAX_METADATA_BYTES:
        raise fault("out_of_range", f"must be at most {MAX_METADATA_BYTES} bytes, names and values together")
    if any(name.startswith(_OWN_METADATA) for name in value):
        raise fault("invalid_value", f"must not have names that begin with `{_OWN_METADATA}`, which are our own")
    return value


def _credentials_schema(schema: dict[str, Any]) -> None:
    without_noise(schema)
    schema["dependentRequired"] = {
        "access_key_id": ["access_key_secret"],
        "access_key_secret": ["access_key_id"],
        "session_token": ["access_key_id"],
    }


S3Url = Annotated[Url, *begins("s3")]
BucketName = Annotated[
    str,
    Field(min_length=3, max_length=63),
    *form(_BUCKET, "must be lower-case letters, digits, `-` and `.`, with a letter or digit at each end"),
    Field(json_schema_extra={"not": _NUMBERS}),
    AfterValidator(_bucket),
]
_BUCKET_READER: TypeAdapter[str] = TypeAdapter(BucketName)
_Region = Annotated[
    str, *form(r"^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$", "must be the name of a region, such as `eu-central-1`")
]
_KEY = form(r"^[!-~]{1,256}$", "must be 1 to 256 characters of ASCII without spaces")
_TOKEN = form(r"^[!-~]{1,8192}$", "must be 1 to 8192 characters of ASCII without spaces")
_WRITE_ONLY = Field(json_schema_extra={"writeOnly": True})
_TEXT = form(f"^{_PRINTABLE}$", "must be ASCII, neither empty nor with a space at an end")
_MetadataName = Annotated[
    str, *form(r"^[a-z0-9][a-z0-9_.-]{0,127}$", "must be at most 128 lower-case letters, digits and any of `_.-`")
]
_MetadataText = Annotated[str, *_TEXT]
_Metadata = Annotated[
    dict[_MetadataName, _MetadataText],
    Field(max_length=100, json_schema_extra={"additionalProperties": False}),
    AfterValidator(_metadata),
]


class S3Reach(WirePlace):
    """How to reach a bucket, however it is named."""

    model_config = ConfigDict(json_schema_extra=_credentials_schema)

    region: _Region = ABSENT
    endpoint_url: HttpUrl = Field(ABSENT, description="of a server other than Amazon's")
    access_key_id: Annotated[str, *_KEY, _WRITE_ONLY] = Field(
        ABSENT, alias="access_key_id", description="absent: the operator's credentials, for buckets that they serve"
    )
    access_key_secret: Annotated[str, *_KEY, _WRITE_ONLY] = Field(ABSENT, alias="access_key_secret")
    session_token: Annotated[str, *_TOKEN, _WRITE_ONLY] = Field(ABSENT, alias="session_token")

    @model_validator(mode="after")
    def _whole_credentials(self) -> Self:
        if (self.access_key_id, self.access_key_secret, self.session_token) == (ABSENT,) * 3:
            return self
        for member in ("access_key_id", "access_key_secret"):
            if getattr(self, member) is ABSENT:
                raise fault("missing_field", "must be there too: credentials come whole or not at all", member=member)
        return self


class S3Bucket(S3Reach):
    """A bucket to read from, and how it is reached."""

    bucket: BucketName


class S3BucketTo(S3Bucket):
    """A bucket to write to, and what its objects are given along."""

    acl: Annotated[str, OneOf(*ACLS)] = ABSENT
    storage_class: Annotated[str, OneOf(*STORAGE_CLASSES)] = ABSENT


class _S3Path(S3Reach):
    kind: Literal["s3"]
    bucket: BucketName
    path: Path


class _S3Address(S3Reach):
    said_by_url: ClassVar[frozenset[str]] = frozenset({"bucket", "path"})

    kind: Literal["s3"] = ABSENT
    url: S3Url = Field(description="s3://bucket/path, percent-encoded")

    def parts(self) -> Place:
        address = read_address(self.url)
        if address.username is not None or address.password is not None or address.port is not None:
            message = "must name bucket and path only; credentials and `endpointUrl` are members of their own"
            raise fault("invalid_url", message, member="url")
        try:
            _BUCKET_READER.validate_python(address.host)
        except ValidationError:
            raise fault("invalid_url", "must name a bucket as S3 allows it", member="url") from None
        return {"kind": "s3", "bucket": address.host, "path": address.path}


class _S3Object(S3Reach):
    """What an object is given along."""

    acl: Annotated[str, OneOf(*ACLS)] = ABSENT
    storage_class: Annotated[str, OneOf(*STORAGE_CLASSES)] = ABSENT
    content_type: Annotated[str, Field(max_length=255), *form(_CONTENT_TYPE, _CONTENT_TYPE_FORM)] = Field(
        ABSENT, description="absent: told by the container"
    )
    cache_control: Annotated[str, Field(max_length=255), *_TEXT] = ABSENT
    metadata: _Metadata = Field(ABSENT, description=f"at most {MAX_METADATA_BYTES} bytes in all")


class S3Source(_S3Path):
    """An object in a bucket."""


class S3UrlSource(_S3Address):
    """An object in a bucket, written as an address."""


class S3Destination(_S3Object, _S3Path):
    """An object in a bucket, to be made or replaced."""


class S3UrlDestination(_S3Object, _S3Address):
    """An object in a bucket, to be made or replaced, written as an address."""
