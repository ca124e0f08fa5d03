"""The bucket of a job: its source, and what stands where its output belongs."""

from __future__ import annotations

from functools import partial

from encoder.batch.order import Order
from encoder.batch.status import Result
from encoder.destinations.s3 import S3Destination
from encoder.net.http import Web
from encoder.net.s3 import S3, SHA256, TRIES, Bucket, S3Access
from encoder.net.side import DESTINATION, SOURCE, Side
from encoder.sources.s3 import S3Source

MADE_OF, MADE_BY = "encoder-source", "encoder-preset"  # metadata of outputs: of which bytes, and how


class Shelf:
    """`access`: the operator's. Whoever may run the container may read and write all of the bucket."""

    def __init__(self, access: S3Access, web: Web, order: Order) -> None:
        self._order = order
        self._open = partial(_open, access, web, Bucket(name=order.bucket, region=order.region, own=True))
        self._made_of: str | None = None

    def source(self, _key: str) -> S3Source:
        return S3Source(lambda: self._open(SOURCE), self._order.source_key)

    def destination(self, _key: str) -> S3Destination:
        key = self._order.output_key
        metadata = {MADE_OF: self._made_of, MADE_BY: self._order.preset}
        dress = {"Metadata": {name: value for name, value in metadata.items() if value is not None}}
        return S3Destination(self._open(DESTINATION), key, uri=f"s3://{self._order.bucket}/{key}", dress=dress)

    async def find_source(self) -> None:
        """Learn which bytes the source has.

        Raises:
            errors.Permanent: `source_not_found`, `source_auth_failed`.
            errors.Transient: `source_unavailable`, `timeout`.
        """
        key = self._order.source_key
        async with self._open(SOURCE) as s3:
            about = await s3.ask(lambda client: client.head_object(Bucket=s3.bucket, Key=key), tries=TRIES)
        tag = about.get("ETag", "").strip('"')
        self._made_of = f"{tag}-{about['ContentLength']}" if tag else None

    async def standing(self) -> Result | None:
        """What stands at the output's place, if we made it."""
        found = await self._standing()
        return None if found is None else found[0]

    async def made_before(self) -> Result | None:
        """The output of these very bytes by this very preset, if it stands already. After `find_source`."""
        found = await self._standing()
        if found is None or self._made_of is None:
            return None
        result, metadata = found
        same = (metadata.get(MADE_OF), metadata.get(MADE_BY)) == (self._made_of, self._order.preset)
        return result if same else None

    async def clear_up(self, token: str) -> None:
        """Remove what containers that were killed left half-written there. Raises as destinations do."""
        destination = self.destination("")
        try:
            await destination.discard(token)
        finally:
            await destination.close()

    async def _standing(self) -> tuple[Result, dict[str, str]] | None:
        key = self._order.output_key
        async with self._open(DESTINATION) as s3:
            told = await s3.head(key)
        if told is None:
            return None
        metadata = {name.lower(): value for name, value in told["Metadata"].items()}
        sha256 = metadata.get(SHA256)
        if sha256 is None:
            return None
        return Result(key=key, size_bytes=told["ContentLength"], sha256=sha256), metadata


def _open(access: S3Access, web: Web, bucket: Bucket, side: Side) -> S3:
    return access.open(bucket, web, side)
