"""An object that comes piece by piece, as parts of one multipart upload.

S3 takes no part below 5 MiB but the last, and a piece may end anywhere: what is behind the last whole part lies as an
object of its own, a tail, named by the number of the part that it begins. So whoever has the next piece, on whatever
machine, reads the tail and goes on. All parts but the last are equally large: the offset tells how many there are.
"""

from __future__ import annotations

import asyncio
import hashlib
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from encoder import errors
from encoder.net.s3 import S3, TRIES
from encoder.net.s3_body import Body
from encoder.net.s3_errors import code_of
from encoder.net.s3_multipart import GONE, MOST_PARTS, abort_open
from encoder.net.s3_remove import remove_below
from encoder.storage.protocol import Grown

if TYPE_CHECKING:
    from types_aiobotocore_s3.client import S3Client
    from types_aiobotocore_s3.type_defs import CompletedPartTypeDef


class Growth:
    """Holds one part in memory, and no more. `tails`: where tails lie, below a `/`."""

    def __init__(self, s3: S3, key: str, *, tails: str, grown: Grown) -> None:
        self.multipart = grown.multipart
        self.settled_bytes = grown.offset_bytes
        self._s3 = s3
        self._key = key
        self._tails = tails
        self._size_bytes = grown.size_bytes
        self._content_type = grown.content_type
        self.part_bytes = max(s3.sizes.piece_bytes, -(-grown.size_bytes // MOST_PARTS))
        self._parts, self._tail_bytes = divmod(grown.offset_bytes, self.part_bytes)
        self._held = bytearray()

    async def resume(self) -> None:
        """Take up the tail that the piece before left."""
        if not self._tail_bytes:
            return

        async def get(client: S3Client) -> bytes:
            wanted = f"bytes=0-{self._tail_bytes - 1}"  # a writer who was not heard of may have left more
            answer = await client.get_object(Bucket=self._s3.bucket, Key=self._tail, Range=wanted)
            return await answer["Body"].read()

        self._held += await self._s3.ask(get, tries=TRIES)
        if len(self._held) != self._tail_bytes:
            raise errors.Transient(self._s3.side.away, "The pieces that came before are not there.")

    async def write(self, chunk: bytes) -> None:
        rest = memoryview(chunk)
        while rest:
            room = self.part_bytes - len(self._held)
            self._held += rest[:room]
            rest = rest[room:]
            if len(self._held) == self.part_bytes and self._reached < self._size_bytes:
                await self._send_part()

    async def settle(self) -> None:
        if self._reached == self.settled_bytes:
            return
        await self._put(self._tail)
        self.settled_bytes = self._reached

    async def stand(self) -> None:
        if self.multipart is None:  # it is one part, and so it is none
            await self._put(self._key, ContentType=self._content_type)
        else:
            await self._send_part()
            await self._complete()
        await remove_below(self._s3, f"{self._tails}/")
        await abort_open(self._s3, self._key)  # a writer who was not heard of may have begun another one

    @property
    def _reached(self) -> int:
        return self._parts * self.part_bytes + len(self._held)

    @property
    def _tail(self) -> str:
        return f"{self._tails}/{self._parts + 1}"

    @property
    def _this(self) -> dict[str, Any]:
        return {"Bucket": self._s3.bucket, "Key": self._key, "UploadId": self.multipart}

    async def _send_part(self) -> None:
        """What is held, as the next part."""
        if self.multipart is None:
            self.multipart = await self._s3.ask(self._create)
        body = await self._body()

        async def send(client: S3Client) -> None:
            body.require_arrived(await client.upload_part(**self._this, PartNumber=self._parts + 1, **body.parameters))

        await self._s3.ask(send, tries=TRIES)
        reached = self._reached
        self._parts += 1
        self._held = bytearray()  # a request that was given up may still look at the old one
        self.settled_bytes = reached

    async def _create(self, client: S3Client) -> str:
        where: dict[str, Any] = {"Bucket": self._s3.bucket, "Key": self._key, "ContentType": self._content_type}
        return (await client.create_multipart_upload(**where))["UploadId"]

    async def _put(self, key: str, **dress: Any) -> None:  # noqa: ANN401  # S3's
        """What is held, as an object."""
        body = await self._body()

        async def put(client: S3Client) -> None:
            body.require_arrived(await client.put_object(Bucket=self._s3.bucket, Key=key, **dress, **body.parameters))

        await self._s3.ask(put, tries=TRIES)

    async def _body(self) -> Body:
        data = self._held
        md5 = await asyncio.to_thread(lambda: hashlib.md5(data, usedforsecurity=False).digest())
        return Body(_Held(data), 0, len(data), md5=md5, sent=lambda _: None)

    async def _complete(self) -> None:
        async def complete(client: S3Client) -> None:
            try:
                answer = await client.complete_multipart_upload(
                    **self._this, MultipartUpload={"Parts": await self._sent(client)}
                )
            except ClientError as error:
                if code_of(error) != GONE or not await self._stands():
                    raise
                return
            if "ETag" not in answer and not await self._stands():  # an answer without a word is a success to botocore
                raise errors.Transient(self._s3.side.away, "S3 did not say that the object is complete.")

        await self._s3.ask(complete, tries=TRIES)

    async def _sent(self, client: S3Client) -> list[CompletedPartTypeDef]:
        """All parts, in order, whoever sent them."""
        pages = client.get_paginator("list_parts").paginate(**self._this)
        found = [part async for page in pages for part in page.get("Parts", []) if part["PartNumber"] <= self._parts]
        if sum(part["Size"] for part in found) != self._size_bytes:
            raise errors.Transient("integrity_error", "S3 does not have all parts that were sent.")
        return [{"PartNumber": part["PartNumber"], "ETag": part["ETag"]} for part in found]

    async def _stands(self) -> bool:
        """Whether the object is there: its upload is also gone when only the answer to its completion was lost."""
        about = await self._s3.look(self._key)
        return about is not None and about[0] == self._size_bytes


class _Held:
    """Bytes in memory, read as if they were a file's."""

    def __init__(self, data: bytearray) -> None:
        self._data = data

    async def read(self, at: int, count: int) -> bytes:
        return bytes(memoryview(self._data)[at : at + count])
