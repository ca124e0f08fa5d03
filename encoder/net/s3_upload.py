"""A local file becomes an object: whole or not at all, whatever breaks on the way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from encoder import errors
from encoder.net.s3 import S3, TRIES
from encoder.net.s3_body import Body, Goods, Reader
from encoder.net.s3_multipart import Multipart

if TYPE_CHECKING:
    from types_aiobotocore_s3.client import S3Client


async def upload(s3: S3, goods: Goods) -> None:
    """Raises errors.Permanent, errors.Transient, and what the fence raises; then nothing has become visible."""
    async with Reader(goods.path) as reader, _proven(goods, reader) as proven:
        reader.require(goods.size_bytes)
        if goods.size_bytes < s3.sizes.multipart_from_bytes:
            await _put(s3, proven, reader)
        else:
            await Multipart(s3, proven, reader).send()


@asynccontextmanager
async def _proven(goods: Goods, reader: Reader) -> AsyncIterator[Goods]:
    """`goods` with a fence that also asks whether these are the bytes that were proven; they are read meanwhile."""
    reading = asyncio.ensure_future(reader.sha256(goods.size_bytes))

    async def fence() -> None:
        if await asyncio.shield(reading) != goods.sha256:
            raise errors.Transient("integrity_error", "The file changed on its way from the scratch folder.")
        await goods.fence()

    try:
        yield replace(goods, fence=fence)
    finally:
        reading.cancel()


async def _put(s3: S3, goods: Goods, reader: Reader) -> None:
    md5 = await reader.md5(0, goods.size_bytes)
    body = Body(reader, 0, goods.size_bytes, md5=md5, sent=goods.sent, before_end=goods.fence)

    async def put(client: S3Client) -> None:
        if not goods.size_bytes:  # there is no last byte to hold back: the request's head is all of it
            await goods.fence()
        answer = await client.put_object(Bucket=s3.bucket, Key=goods.key, **goods.dress, **body.parameters)
        body.require_arrived(answer)

    await s3.ask(put, tries=TRIES)
