"""A local file becomes an object: whole or not at all, whatever breaks on the way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from encoder.net.s3 import S3, TRIES
from encoder.net.s3_body import Body, Goods, Reader
from encoder.net.s3_multipart import Multipart

if TYPE_CHECKING:
    from types_aiobotocore_s3.client import S3Client


async def upload(s3: S3, goods: Goods) -> None:
    """Raises errors.Permanent, errors.Transient, and what the fence raises; then nothing has become visible."""
    async with Reader(goods.path) as reader:
        reader.require(goods.size_bytes)
        if goods.size_bytes < s3.sizes.multipart_from_bytes:
            await _put(s3, goods, reader)
        else:
            await Multipart(s3, goods, reader).send()


async def _put(s3: S3, goods: Goods, reader: Reader) -> None:
    md5 = await reader.md5(0, goods.size_bytes)
    body = Body(reader, 0, goods.size_bytes, md5=md5, sent=goods.sent, before_end=goods.fence)

    async def put(client: S3Client) -> None:
        answer = await client.put_object(Bucket=s3.bucket, Key=goods.key, **goods.dress, **body.parameters)
        body.require_arrived(answer)

    await s3.ask(put, tries=TRIES)
