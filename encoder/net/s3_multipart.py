"""A large object in parts, several at a time: seen after the last act and not before, and no part stays without it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from itertools import count
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from encoder import errors
from encoder.log import get_logger
from encoder.net.s3 import S3, TRIES
from encoder.net.s3_body import Body, Goods, Reader
from encoder.net.s3_errors import code_of

if TYPE_CHECKING:
    from types_aiobotocore_s3.client import S3Client
    from types_aiobotocore_s3.type_defs import CompletedPartTypeDef

log = get_logger(__name__)

PARTS_AT_ONCE = 4
CLEAR_UP_S = 20.0

MOST_PARTS = 9000  # S3 takes 10 000
GONE = "NoSuchUpload"


class Multipart:
    """One multipart upload. Of whatever ends it but success, no open upload is left."""

    def __init__(self, s3: S3, goods: Goods, reader: Reader) -> None:
        self._s3 = s3
        self._goods = goods
        self._reader = reader
        self._id: str | None = None
        self._lost = False  # whether an upload may be open of which we were not told

    async def send(self) -> None:
        """Raises errors.Permanent, errors.Transient, and what the fence raises."""
        try:
            await self._begin()
            await self._complete(await self._send_parts())
            self._id = None
        finally:
            if self._lost or self._id is not None:
                await _to_its_end(self._clear_up())

    async def _begin(self) -> None:
        for trial in range(1, TRIES + 1):
            try:
                await _to_its_end(self._create())
            except errors.Transient as failure:
                if trial == TRIES:
                    raise
                await self._s3.pause(trial, failure)
            else:
                return

    async def _create(self) -> None:
        was_lost, self._lost = self._lost, True
        where: dict[str, Any] = {"Bucket": self._s3.bucket, "Key": self._goods.key}

        async def create(client: S3Client) -> str:
            return (await client.create_multipart_upload(**where, **self._goods.dress))["UploadId"]

        try:
            async with soon(self._s3):
                made = await self._s3.ask(create)
        except errors.Permanent:
            self._lost = was_lost  # a refusal is an answer
            raise
        self._id, self._lost = made, was_lost

    async def _send_parts(self) -> list[CompletedPartTypeDef]:
        """All parts, in order."""
        left = iter(spans(self._goods.size_bytes, at_least=self._s3.sizes.part_bytes))
        made: list[CompletedPartTypeDef] = []

        async def some() -> None:
            for number, start, size_bytes in left:
                made.append(await self._send_part(number, start, size_bytes))

        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(PARTS_AT_ONCE):
                    group.create_task(some())
        except BaseExceptionGroup as failed:
            raise failed.exceptions[0] from failed
        return sorted(made, key=lambda part: part["PartNumber"])

    async def _send_part(self, number: int, start: int, size_bytes: int) -> CompletedPartTypeDef:
        md5 = await self._reader.md5(start, size_bytes)
        body = Body(self._reader, start, size_bytes, md5=md5, sent=self._goods.sent)

        async def send(client: S3Client) -> CompletedPartTypeDef:
            answer = await client.upload_part(**self._this, PartNumber=number, **body.parameters)
            body.require_arrived(answer)
            return {"PartNumber": number, "ETag": answer["ETag"]}

        return await self._s3.ask(send, tries=TRIES)

    async def _complete(self, parts: list[CompletedPartTypeDef]) -> None:
        async def complete(client: S3Client) -> None:
            await self._goods.fence()
            try:
                answer = await client.complete_multipart_upload(**self._this, MultipartUpload={"Parts": parts})
            except ClientError as error:
                if code_of(error) != GONE or not await self._stands():
                    raise
                return
            if "ETag" not in answer and not await self._stands():  # an answer without a word is a success to botocore
                raise errors.Transient(self._s3.side.away, "S3 did not say that the object is complete.")

        await self._s3.ask(complete, tries=TRIES)

    async def _stands(self) -> bool:
        """Whether the object is there: the upload is also gone when only the answer to its completion was lost."""
        return await self._s3.look(self._goods.key) == (self._goods.size_bytes, self._goods.sha256)

    @property
    def _this(self) -> dict[str, Any]:
        return {"Bucket": self._s3.bucket, "Key": self._goods.key, "UploadId": self._id}

    async def _clear_up(self) -> None:
        try:
            async with soon(self._s3):
                if self._id is not None:
                    await abort_upload(self._s3, self._goods.key, self._id)
                if self._lost:
                    await abort_open(self._s3, self._goods.key)
        except errors.Failure as failure:
            log.warning("s3.upload_left_open", bucket=self._s3.bucket, key=self._goods.key, code=failure.code)


def spans(size_bytes: int, *, at_least: int) -> Iterator[tuple[int, int, int]]:
    """Number, start and size of each part: as small as may be, and larger where there would be too many."""
    step = max(at_least, -(-size_bytes // MOST_PARTS))
    for number, start in zip(count(1), range(0, size_bytes, step), strict=False):
        yield number, start, min(step, size_bytes - start)


async def abort_open(s3: S3, key: str, *, begun_before: datetime | None = None) -> int:
    """Abort the uploads of `key`, or of all keys below it if it ends in `/`, that nobody completed; how many."""
    found = await s3.ask(lambda client: _open_uploads(client, s3.bucket, key))
    stale = [(of, id_) for of, id_, begun in found if begun_before is None or begun < begun_before]
    for of, id_ in stale:
        await abort_upload(s3, of, id_)
    return len(stale)


async def _open_uploads(client: S3Client, bucket: str, key: str) -> list[tuple[str, str, datetime]]:
    pages = client.get_paginator("list_multipart_uploads").paginate(Bucket=bucket, Prefix=key)
    return [
        (upload["Key"], upload["UploadId"], upload["Initiated"])
        async for page in pages
        for upload in page.get("Uploads", [])
        if upload["Key"] == key or key.endswith("/")
    ]


async def abort_upload(s3: S3, key: str, upload_id: str) -> None:
    async def abort(client: S3Client) -> None:
        try:
            await client.abort_multipart_upload(Bucket=s3.bucket, Key=key, UploadId=upload_id)
        except ClientError as error:
            if code_of(error) != GONE:
                raise

    await s3.ask(abort, tries=TRIES)


@asynccontextmanager
async def soon(s3: S3) -> AsyncIterator[None]:
    """What may keep a cancelled task waiting has a limit of its own."""
    try:
        async with asyncio.timeout(CLEAR_UP_S):
            yield
    except TimeoutError:
        raise errors.Transient(s3.side.away, f"S3 did not answer within {CLEAR_UP_S:.0f} s.") from None


async def _to_its_end(work: Coroutine[Any, Any, None]) -> None:
    """Do `work`, to its end even when cancelled: it has a limit of its own."""
    running = asyncio.ensure_future(work)
    try:
        await asyncio.shield(running)
    finally:
        while not running.done():
            with suppress(asyncio.CancelledError):
                await asyncio.wait({running})
        running.exception()  # one that comes after the cancel interests nobody
