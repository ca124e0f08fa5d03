"""Keeps a storage clean that is a bucket, or what lies below a prefix of one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from encoder import errors
from encoder.net.http import Web
from encoder.net.s3 import S3, TRIES, Bucket, S3Access
from encoder.net.s3_errors import code_of, status_of
from encoder.net.s3_multipart import abort_open, abort_upload
from encoder.net.side import STORAGE
from encoder.storage.s3 import Room
from encoder.storage.upkeep import NAME, PAGE, Cleared, Heap, Unfinished, paged

if TYPE_CHECKING:
    from types_aiobotocore_s3.client import S3Client

AT_ONCE = 4  # calls that remove

_NONCURRENT = "noncurrent versions expire after 7 days, for this bucket keeps what is removed"
_OPEN = "incomplete multipart uploads are aborted after 7 days"

_FORBIDDEN, _ABSENT = 403, 404
_BEHIND_SLASH = "0"  # the character after it: what lies in a folder sorts before that
_GONE = frozenset({"NoSuchKey", "NotFound"})
_PASSES = frozenset({"InternalError", "SlowDown", "ServiceUnavailable", "RequestTimeout"})


class S3Upkeep:
    """As the operator, with `AWS_*`, shared files or the machine's role."""

    def __init__(self, access: S3Access, web: Web, room: Room) -> None:
        self._access = access
        self._web = web
        self._bucket = Bucket(name=room.bucket, own=True)
        self._prefix = room.keys_begin

    async def clear(self, heaps: Sequence[Heap]) -> Cleared:
        async with self._opened() as s3:
            keys = {heap.prefix: await self._keys(s3, heap) for heap in heaps}
            refused = await self._removed(s3, [(prefix, key) for prefix, found in keys.items() for key in found])
        return Cleared(objects={prefix: len(found) for prefix, found in keys.items()}, refused=refused)

    async def folders(self, under: str, *, after: str = "") -> AsyncIterator[Sequence[str]]:
        below = f"{self._prefix}{under}/"
        start = {"StartAfter": f"{below}{after}{_BEHIND_SLASH}"} if after else {}
        async with self._opened() as s3:
            async for page in _pages(s3, Prefix=below, Delimiter="/", **start):
                names = [each["Prefix"].removeprefix(below).rstrip("/") for each in page.get("CommonPrefixes", [])]
                if names:
                    yield names

    async def weed(self, prefix: str, *, before: datetime) -> int:
        async with self._opened() as s3:
            found = [
                each["Key"]
                async for page in _pages(s3, Prefix=f"{self._prefix}{prefix}/")
                for each in page.get("Contents", [])
                if each["LastModified"] < before
            ]
            refused = await self._removed(s3, [(key, key) for key in found])
            return len(found) - len(refused)

    async def unfinished(self, under: str, *, before: datetime) -> AsyncIterator[Sequence[Unfinished]]:
        below, mark = f"{self._prefix}{under}/", {"KeyMarker": "", "UploadIdMarker": ""}
        async with self._opened() as s3:
            while True:
                given = {name: value for name, value in mark.items() if value}

                async def ask(client: S3Client, given: dict[str, Any] = given) -> Any:  # noqa: ANN401  # S3's
                    return await client.list_multipart_uploads(Bucket=s3.bucket, Prefix=below, MaxUploads=PAGE, **given)

                page = await s3.ask(ask, tries=TRIES)
                found = [
                    Unfinished(key=each["Key"].removeprefix(self._prefix), id=each["UploadId"])
                    for each in page.get("Uploads", [])
                    if each["Initiated"] < before
                ]
                if found:
                    yield found
                if not page.get("IsTruncated"):
                    return
                mark = {"KeyMarker": page["NextKeyMarker"], "UploadIdMarker": page["NextUploadIdMarker"]}

    async def drop(self, found: Unfinished) -> bool:
        async with self._opened() as s3:
            try:
                await abort_upload(s3, f"{self._prefix}{found.key}", found.id)
            except errors.Failure:
                return False
        return True

    async def advice(self) -> str:
        """A bucket that keeps versions keeps what we remove."""

        async def read(client: S3Client) -> tuple[str, Sequence[Any]]:
            versions = (await client.get_bucket_versioning(Bucket=self._bucket.name)).get("Status", "")
            try:
                rules = (await client.get_bucket_lifecycle_configuration(Bucket=self._bucket.name)).get("Rules", [])
            except ClientError as error:
                if status_of(error) != _ABSENT:
                    raise
                rules = []
            return versions, [rule for rule in rules if rule.get("Status") == "Enabled"]

        try:
            async with self._opened() as s3:
                versions, rules = await s3.ask(read)
        except errors.Failure:
            return "its versions and lifecycle rules may not be read: see docs/operate/retention.md"
        kept = versions in {"Enabled", "Suspended"} and not any("NoncurrentVersionExpiration" in rule for rule in rules)
        open_ = not any("AbortIncompleteMultipartUpload" in rule for rule in rules)
        wanted = [*([_NONCURRENT] if kept else []), *([_OPEN] if open_ else [])]
        return (
            f"add lifecycle rules below `{self._prefix}`: {'; '.join(wanted)}" if wanted else "lifecycle rules are set"
        )

    async def named(self, name: str) -> str:
        key = f"{self._prefix}{NAME}"

        async def read(client: S3Client) -> str | None:
            try:
                answer = await client.get_object(Bucket=self._bucket.name, Key=key)
            except ClientError as error:
                if status_of(error) == _ABSENT:
                    return None
                raise
            return (await answer["Body"].read()).decode()

        async def put(client: S3Client) -> None:
            await client.put_object(Bucket=self._bucket.name, Key=key, Body=name.encode(), ContentType="text/plain")

        async with self._opened() as s3:
            found = await s3.ask(read, tries=TRIES)
            if not found:
                await s3.ask(put, tries=TRIES)
                found = await s3.ask(read, tries=TRIES)  # another database may have done so at the same time
            return found or name

    def _opened(self) -> S3:
        return self._access.open(self._bucket, self._web, STORAGE)

    async def _keys(self, s3: S3, heap: Heap) -> Sequence[str]:
        if heap.known is not None:
            return [f"{self._prefix}{key}" for key in sorted(heap.known)]
        below = f"{self._prefix}{heap.prefix}/"
        await abort_open(s3, below)
        return [each["Key"] async for page in _pages(s3, Prefix=below) for each in page.get("Contents", [])]

    async def _removed(self, s3: S3, keys: Sequence[tuple[str, str]]) -> dict[str, str]:
        """Remove keys, each behind the name under which a refusal is told; the names that were refused, and why."""
        turns = asyncio.Semaphore(AT_ONCE)

        async def some(named: Sequence[tuple[str, str]]) -> dict[str, str]:
            async with turns:
                keys = [key for _, key in named]
                refused = await s3.ask(lambda client: _deleted(client, s3.bucket, keys), tries=TRIES)
            return {name: refused[key] for name, key in named if key in refused}

        told = await asyncio.gather(*(some(page) for page in paged(keys)))
        return {name: why for each in told for name, why in each.items()}


async def _deleted(client: S3Client, bucket: str, keys: Sequence[str]) -> dict[str, str]:
    """What the server does not let go, of a thousand keys at most, and its word for why."""
    try:
        answer = await client.delete_objects(
            Bucket=bucket, Delete={"Objects": [{"Key": key} for key in keys], "Quiet": True}
        )
    except ClientError as error:
        if status_of(error) != _FORBIDDEN:
            raise
        return dict.fromkeys(keys, code_of(error))
    faults = {each["Key"]: each.get("Code", "") for each in answer.get("Errors", []) if each.get("Code") not in _GONE}
    if _PASSES & set(faults.values()):
        raise errors.Transient(STORAGE.away, "S3 was too busy to remove all that it was asked to.")
    return {key: code or "refused" for key, code in faults.items()}


async def _pages(s3: S3, **wanted: Any) -> AsyncIterator[Any]:  # noqa: ANN401  # S3's
    """The pages of a listing, each asked for again where that may help."""
    more: dict[str, Any] = {}
    while True:

        async def ask(client: S3Client, more: dict[str, Any] = more) -> Any:  # noqa: ANN401  # S3's
            return await client.list_objects_v2(Bucket=s3.bucket, MaxKeys=PAGE, **wanted, **more)

        page = await s3.ask(ask, tries=TRIES)
        yield page
        if not page.get("IsTruncated"):
            return
        more = {"ContinuationToken": page["NextContinuationToken"]}
