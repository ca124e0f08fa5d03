"""Removes objects by the beginning of their keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from encoder import errors
from encoder.net.s3 import S3

if TYPE_CHECKING:
    from types_aiobotocore_s3.client import S3Client
    from types_aiobotocore_s3.type_defs import ObjectIdentifierTypeDef


async def remove_below(s3: S3, below: str) -> int:
    """Remove every object whose key begins with `below`; how many there were.

    Raises:
        errors.Failure: as `S3.ask`.
    """

    async def remove(client: S3Client) -> int:
        count = 0
        async for page in client.get_paginator("list_objects_v2").paginate(Bucket=s3.bucket, Prefix=below):
            found: list[ObjectIdentifierTypeDef] = [{"Key": entry["Key"]} for entry in page.get("Contents", [])]
            if found:
                answer = await client.delete_objects(Bucket=s3.bucket, Delete={"Objects": found, "Quiet": True})
                if answer.get("Errors"):
                    raise errors.Transient(s3.side.away, "S3 did not remove all that it was asked to.")
            count += len(found)
        return count

    return await s3.ask(remove)
