"""The platform's storage as a bucket, or what lies below a prefix of one: its own server hands out and takes in."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from encoder import errors
from encoder.destinations.protocol import Destination
from encoder.destinations.s3 import S3Destination
from encoder.model.paths import path_fault
from encoder.net.http import Web
from encoder.net.s3 import S3, Bucket, S3Access
from encoder.net.s3_download import reading
from encoder.net.s3_multipart import abort_open
from encoder.net.s3_remove import remove_below
from encoder.net.side import STORAGE
from encoder.sources.protocol import Source
from encoder.sources.s3 import S3Source
from encoder.storage.protocol import Growing, Grown, Invitation, Part, Standing
from encoder.storage.s3_growth import Growth

MOST_HELD_BYTES = 512 * 1024 * 1024  # of files that come in pieces, each a part of 8 MiB or more
_WAIT_S = 10.0  # of a piece that finds no room
_LONGEST_LINK_S = 7 * 24 * 3600  # S3 signs for no longer


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """Where the platform's objects lie: in `bucket`, their keys below `prefix/`, or as they are where it is empty."""

    bucket: str
    prefix: str = ""

    @property
    def keys_begin(self) -> str:
        return f"{self.prefix}/" if self.prefix else ""


class S3Storage:
    """Server and credentials are the operator's: `AWS_*`, shared files, the machine's role."""

    def __init__(self, access: S3Access, web: Web, room: Room) -> None:
        self._access = access
        self._web = web
        self._bucket = Bucket(name=room.bucket, own=True)
        self._prefix = room.keys_begin
        self._held_bytes = 0
        self._signer = self._opened()  # makes no connection, and so has none to close

    def destination(self, key: str) -> Destination:
        folder = key.endswith("/")
        return S3Destination(self._opened(), self._key(key, folder=folder), uri=f"storage:{key}", dress={})

    def source(self, key: str) -> Source:
        return S3Source(self._opened, self._key(key))

    async def link(self, key: str, *, expires: datetime, file_name: str) -> str:
        disposition = f"attachment; filename*=UTF-8''{quote(file_name, safe='', errors='replace')}"
        return await self._signed("get_object", key, expires, ResponseContentDisposition=disposition)

    async def folder_link(self, prefix: str, *, name: str, expires: datetime) -> str | None:
        del prefix, name, expires  # a signature of S3 is in the query, and relative addresses leave that behind
        return None

    async def invite(self, key: str, *, expires: datetime, size_bytes: int | None, content_type: str) -> Invitation:
        held: dict[str, Any] = {} if size_bytes is None else {"ContentLength": size_bytes}
        url = await self._signed("put_object", key, expires, ContentType=content_type, IfNoneMatch="*", **held)
        return Invitation(method="PUT", url=url, headers={"Content-Type": content_type, "If-None-Match": "*"})

    async def invite_form(
        self, key: str, *, expires: datetime, size_bytes: int | None, most_bytes: int, content_type: str
    ) -> Invitation:
        least, most = (1, most_bytes) if size_bytes is None else (size_bytes, size_bytes)
        fields = {"Content-Type": content_type, "success_action_status": "201"}
        conditions = [*({name: value} for name, value in fields.items()), ["content-length-range", least, most]]
        form = await self._signer.ask(
            lambda client: client.generate_presigned_post(
                self._bucket.name, self._key(key), Fields=fields, Conditions=conditions, ExpiresIn=_left_s(expires)
            )
        )
        return Invitation(method="POST", url=form["url"], fields=form["fields"])

    @asynccontextmanager
    async def grow(self, key: str, grown: Grown) -> AsyncIterator[Growing]:
        tails = f"{self._key(key.rpartition('/')[0])}/tails"
        async with self._opened() as s3:
            growth = Growth(s3, self._key(key), tails=tails, grown=grown)
            with self._held(growth.part_bytes):
                await growth.resume()
                yield growth

    async def look(self, key: str) -> Standing | None:
        async with self._opened() as s3:
            about = await s3.head(self._key(key))
        if about is None:
            return None
        return Standing(size_bytes=about["ContentLength"], content_type=about.get("ContentType"))

    @asynccontextmanager
    async def read(self, key: str, *, first: int = 0, last: int | None = None) -> AsyncIterator[Part | None]:
        async with self._opened() as s3:
            about = await s3.head(self._key(key))
            if about is None or first >= max(about["ContentLength"], 1):
                yield None
                return
            size, version = about["ContentLength"], about.get("ETag")
            end = size if last is None else min(last + 1, size)
            yield Part(
                offset=first,
                size_bytes=size,
                version=version.strip('"') if version else None,
                chunks=reading(s3, self._key(key), (first, end), version) if first < end else _nothing(),
            )

    async def remove(self, prefix: str) -> int:
        below = f"{self._key(prefix)}/"
        async with self._opened() as s3:
            await abort_open(s3, below)
            return await remove_below(s3, below)

    @contextmanager
    def _held(self, part_bytes: int) -> Iterator[None]:
        """Memory for one part; raises errors.Transient where others have it. Whoever is alone always gets it."""
        if self._held_bytes and self._held_bytes + part_bytes > MOST_HELD_BYTES:
            told = "As many files come in pieces as this process has memory for."
            raise errors.Transient(STORAGE.away, told, retry_after_s=_WAIT_S)
        self._held_bytes += part_bytes
        try:
            yield
        finally:
            self._held_bytes -= part_bytes

    def _opened(self) -> S3:
        return self._access.open(self._bucket, self._web, STORAGE)

    def _key(self, key: str, *, folder: bool = False) -> str:
        if path_fault(key, folder=folder) is not None:
            raise ValueError(f"{key!r} is no key of ours")
        return self._prefix + key

    async def _signed(self, operation: str, key: str, expires: datetime, **held: Any) -> str:  # noqa: ANN401  # S3's
        parameters = {"Bucket": self._bucket.name, "Key": self._key(key), **held}
        return await self._signer.ask(
            lambda client: client.generate_presigned_url(operation, Params=parameters, ExpiresIn=_left_s(expires))
        )


def _left_s(expires: datetime) -> int:
    return min(max(int((expires - datetime.now(UTC)).total_seconds()), 0), _LONGEST_LINK_S)


async def _nothing() -> AsyncIterator[bytes]:
    return
    yield
