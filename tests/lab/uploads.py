"""A file of gigabytes that breaks off at half and goes on: `python -m tests.lab.uploads [--gib 2] [--storage s3]`.

Tells how fast it went, how much memory the API ever had, and whether what stands in the storage is what was sent. At S3
the server is the lab's own, whose store lies in memory too: as much as the file, and some.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from tests.lab import postgres, rgw, tus
from tests.lab.platform import Platform, running
from tests.lab.processes import peak_bytes

MIB = 1024 * 1024


@dataclass
class Source:
    """A file that nobody has to keep: one MiB of noise, numbered, so that no two MiB are alike."""

    size_bytes: int
    noise: bytes = field(default_factory=lambda: os.urandom(MIB - 8))

    def chunk(self, number: int) -> bytes:
        return number.to_bytes(8, "big") + self.noise

    async def body(self, start: int, end: int) -> AsyncIterator[bytes]:
        at = start
        while at < end:
            skip = at % MIB
            piece = self.chunk(at // MIB)[skip : skip + end - at]
            yield piece
            at += len(piece)

    def sha256(self) -> str:
        digest = hashlib.sha256()
        for number in range(self.size_bytes // MIB):
            digest.update(self.chunk(number))
        return digest.hexdigest()


def told(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


class BrokenOff(Exception):
    """What ends a body in its middle."""


async def _breaking(source: Source, at: int) -> AsyncIterator[bytes]:
    async for piece in source.body(0, at):
        yield piece
    raise BrokenOff


async def bring(platform: Platform, source: Source) -> None:
    (api,) = platform.roles
    wanted = {"file_name": "large.mp4", "size_bytes": source.size_bytes, "protocol": "tus", "outputs": []}
    timeout = aiohttp.ClientTimeout(total=None, sock_read=300)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        client = tus.Client(session=session, url=platform.url)
        status, small = await platform.call("POST", "/upload", json=wanted | {"size_bytes": MIB})
        assert status == 200, small
        await client.piece(small["upload_url"], 0, source.noise[:1000])
        before = peak_bytes(api.process.pid)
        status, upload = await platform.call("POST", "/upload", json=wanted)
        url, began, half = upload["upload_url"], time.monotonic(), source.size_bytes // 2
        with suppress(aiohttp.ClientError, BrokenOff):
            await client.piece(url, 0, _breaking(source, half), Content_Length=str(source.size_bytes))
        offset = await _settled(client, url)
        broke = time.monotonic()
        told(f"broke off at {half:,}: {offset:,} bytes are there, after {broke - began:.1f} s")
        headers = {"Content-Length": str(source.size_bytes - offset)}
        done = await client.piece(url, offset, source.body(offset, source.size_bytes), **headers)
        seconds = time.monotonic() - began
        assert done == (204, None), done
        told(f"the rest came in {time.monotonic() - broke:.1f} s; {source.size_bytes / MIB / seconds:.0f} MiB/s in all")
        told(f"memory of the API: {(peak_bytes(api.process.pid) - before) / MIB:.1f} MiB more than before, at its peak")
        await _check(platform, upload["file_id"], source, session)


async def _settled(client: tus.Client, url: str) -> int:
    """The offset, once whoever wrote has noticed that nothing more comes."""
    last = -1
    while (offset := await client.offset(url)) != last or offset == 0:
        last = offset
        await asyncio.sleep(1)
    return last


async def _check(platform: Platform, file_id: str, source: Source, session: aiohttp.ClientSession) -> None:
    status, link = await platform.call("GET", f"/upload/{file_id}/download/original")
    assert status == 200, link
    digest = hashlib.sha256()
    async with session.get(link["download_url"]) as response:
        async for chunk in response.content.iter_chunked(MIB):
            digest.update(chunk)
    assert digest.hexdigest() == source.sha256()
    told("SHA-256 is equal")


async def main(gib: float, storage: str) -> None:
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="encoder-uploads-", dir="/var/tmp")))
        cluster = stack.enter_context(postgres.cluster(folder / "cluster"))
        dsn = await stack.enter_async_context(cluster.ready())
        extra: dict[str, str] = {}
        if storage == "s3":
            gateway = stack.enter_context(rgw.gateway(folder / "rgw"))
            bucket = gateway.bucket()
            extra = {"ENCODER_STORAGE": f"s3://{bucket.name}/lab", **bucket.environment}
        (folder / "platform").mkdir()
        platform = await stack.enter_async_context(running(dsn, folder / "platform", workers=0, hasty=False, **extra))
        await bring(platform, Source(round(gib * 1024) * MIB))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gib", type=float, default=2)
    parser.add_argument("--storage", choices=("folder", "s3"), default="folder")
    asked = parser.parse_args()
    asyncio.run(main(asked.gib, asked.storage))
