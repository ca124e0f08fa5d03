"""Makes an object in a bucket."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any, Literal
from urllib.parse import quote

from encoder import errors
from encoder.destinations import template
from encoder.destinations.protocol import Destination, Parcel, Receipt
from encoder.errors import Fault
from encoder.model.paths import path_fault
from encoder.model.place import pointer
from encoder.net import s3_members
from encoder.net.s3 import S3, SHA256
from encoder.net.s3_body import Goods
from encoder.net.s3_members import S3Members
from encoder.net.s3_multipart import abort_open, soon
from encoder.net.s3_upload import upload
from encoder.net.side import DESTINATION
from encoder.plugins import Kind, Surroundings

_TEXT = re.compile(r"[!-~](?:[ -~]{0,1022}[!-~])?")  # of a header's value: printable ASCII
_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,127}")
_MOST_METADATA_BYTES = 2048  # names and values together, as S3 counts

Acl = Literal[
    "private",
    "public-read",
    "public-read-write",
    "authenticated-read",
    "aws-exec-read",
    "bucket-owner-read",
    "bucket-owner-full-control",
]
StorageClass = Literal[
    "STANDARD",
    "STANDARD_IA",
    "ONEZONE_IA",
    "INTELLIGENT_TIERING",
    "GLACIER_IR",
    "GLACIER",
    "DEEP_ARCHIVE",
    "REDUCED_REDUNDANCY",
    "EXPRESS_ONEZONE",
    "OUTPOSTS",
    "SNOW",
]


class Members(S3Members):
    acl: Acl | None = None
    storage_class: StorageClass | None = None
    content_type: str | None = None
    cache_control: str | None = None
    metadata: dict[str, str] = {}

    def dress(self) -> dict[str, Any]:
        """What an object is given along, as S3's API names it."""
        given = {
            "ACL": self.acl,
            "StorageClass": self.storage_class,
            "ContentType": self.content_type,
            "CacheControl": self.cache_control,
            "Metadata": self.metadata,
        }
        return {name: value for name, value in given.items() if value is not None}


def check(members: Members, surroundings: Surroundings) -> Iterator[Fault]:
    fault = template.fault(members.path) or path_fault(template.example(members.path), folder=surroundings.folder)
    if fault is not None:
        yield Fault(path="/path", code=fault.code, message=fault.message)
    yield from s3_members.faults(members, surroundings.s3, surroundings.web.policy)
    for name, value in (("contentType", members.content_type), ("cacheControl", members.cache_control)):
        if value is not None and not _TEXT.fullmatch(value):
            yield Fault(path=pointer(name), code="invalid_value", message=f"`{name}` is no printable ASCII.")
    yield from _metadata_faults(members.metadata)


def _metadata_faults(metadata: Mapping[str, str]) -> Iterator[Fault]:
    for name, value in metadata.items():
        if not _NAME.fullmatch(name) or name == SHA256:
            message = f"A name has small letters, digits, `_`, `.` and `-`, and is not `{SHA256}`, which is our own."
            yield Fault(path=pointer("metadata", name), code="invalid_value", message=message)
        if not _TEXT.fullmatch(value):
            message = "The value is no printable ASCII, or begins or ends in a space."
            yield Fault(path=pointer("metadata", name), code="invalid_value", message=message)
    if sum(len(name) + len(value) for name, value in metadata.items()) > _MOST_METADATA_BYTES:
        message = f"Names and values are over {_MOST_METADATA_BYTES} bytes together."
        yield Fault(path="/metadata", code="out_of_range", message=message)


class S3Destination:
    """An object, or the folder of a package. `dress`: what each object is given along, as S3's API names it."""

    tells_sha256 = True

    def __init__(self, s3: S3, key: str, *, uri: str, dress: Mapping[str, Any]) -> None:
        self._s3 = s3
        self._key = key
        self._uri = uri
        self._dress = dress

    @property
    def uri(self) -> str:
        return self._uri

    async def look(self) -> Receipt | None:
        seen = await self._s3.look(self._key)
        if seen is None:
            return None
        size_bytes, sha256 = seen
        return Receipt(uri=self._uri, size_bytes=size_bytes, sha256=sha256)

    async def publish(
        self, parcel: Parcel, *, sent: Callable[[int], None], fence: Callable[[], Awaitable[None]]
    ) -> Receipt:
        if self._key.endswith("/"):
            raise errors.Defect("a folder is published file by file")
        given = {"ContentType": parcel.content_type, **self._dress}
        given["Metadata"] = {**given.get("Metadata", {}), SHA256: parcel.sha256}
        goods = Goods(
            key=self._key,
            path=parcel.path,
            size_bytes=parcel.size_bytes,
            sha256=parcel.sha256,
            dress=given,
            sent=sent,
            fence=fence,
        )
        await upload(self._s3, goods)
        return Receipt(uri=self._uri, size_bytes=parcel.size_bytes, sha256=parcel.sha256)

    async def discard(self, token: str) -> None:  # noqa: ARG002  # see below
        """S3 keeps no name for an upload: whoever has one open for our key while we have none was before us."""
        async with soon(self._s3):
            await abort_open(self._s3, self._key)

    def within(self, name: str) -> Destination:
        return S3Destination(self._s3, self._key + name, uri=self._uri + quote(name), dress=self._dress)

    async def close(self) -> None:
        await self._s3.close()


def _make(members: Members, surroundings: Surroundings) -> S3Destination:
    s3 = surroundings.s3.open(members.at(), surroundings.web, DESTINATION)
    return S3Destination(s3, members.path, uri=f"s3://{members.bucket}/{quote(members.path)}", dress=members.dress())


KIND: Kind[Members, Destination] = Kind(members=Members, make=_make, check=check)
