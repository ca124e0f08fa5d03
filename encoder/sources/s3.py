"""Reads an object of a bucket."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager

from encoder import errors
from encoder.errors import Fault
from encoder.model.paths import path_fault
from encoder.net import s3_members
from encoder.net.s3 import S3
from encoder.net.s3_download import Begun, begin, downloading
from encoder.net.s3_members import S3Members
from encoder.net.side import SOURCE
from encoder.plugins import Kind, Surroundings
from encoder.sources.protocol import Incoming, Source


class Members(S3Members):
    pass


def check(members: Members, surroundings: Surroundings) -> Iterator[Fault]:
    fault = path_fault(members.path)
    if fault is not None:
        yield Fault(path="/path", code=fault.code, message=fault.message)
    yield from s3_members.faults(members, surroundings.s3, surroundings.web.policy)


class S3Source:
    """`opened`: makes connections to the bucket; those of one reading end with it."""

    def __init__(self, opened: Callable[[], S3], key: str) -> None:
        self._opened = opened
        self._key = key

    @asynccontextmanager
    async def open(self, *, offset: int = 0, validator: str | None = None) -> AsyncIterator[Incoming]:
        async with self._opened() as s3:
            begun = await self._begun(s3, offset, validator)
            if begun is None:
                await self._require_empty(s3)
                yield _incoming(self._key, 0, 0, None, _nothing())
                return
            async with downloading(s3, begun) as chunks:
                yield _incoming(self._key, begun.offset, begun.size_bytes, begun.validator, chunks)

    async def _begun(self, s3: S3, offset: int, validator: str | None) -> Begun | None:
        """From `offset` on where that goes on with the same version, else from the first byte; None: there is none."""
        if offset and validator and validator.startswith('"'):
            begun = await begin(s3, self._key, offset=offset, validator=validator)
            if begun is not None and begun.validator == validator:
                return begun
        return await begin(s3, self._key)

    async def _require_empty(self, s3: S3) -> None:
        about = await s3.ask(lambda client: client.head_object(Bucket=s3.bucket, Key=self._key))
        if about["ContentLength"]:
            raise errors.Transient(s3.side.away, "The server has bytes of the object, and does not give the first.")


def _incoming(key: str, offset: int, size_bytes: int, validator: str | None, chunks: AsyncIterator[bytes]) -> Incoming:
    return Incoming(
        offset=offset, size_bytes=size_bytes, validator=validator, file_name=key.rpartition("/")[2], chunks=chunks
    )


async def _nothing() -> AsyncIterator[bytes]:
    return
    yield


def _make(members: Members, surroundings: Surroundings) -> S3Source:
    bucket = members.at()
    return S3Source(lambda: surroundings.s3.open(bucket, surroundings.web, SOURCE), members.path)


KIND: Kind[Members, Source] = Kind(members=Members, make=_make, check=check)
