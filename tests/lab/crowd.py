"""A crowd that says its headers at a byte a second, before a real API: `python -m tests.lab.crowd [--callers 200]`.

It must be sent away after the ten seconds that headers have, and hold up nobody meanwhile.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path

from tests.lab import postgres
from tests.lab.platform import Platform, running

HEAD = b"GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: " + b"a" * 100


async def byte_by_byte(port: int, data: bytes, *, each_s: float) -> bytes:
    """All that the server says until it closes the connection, or has heard the whole of it and says nothing."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)

    async def say() -> None:
        for number in range(len(data)):
            writer.write(data[number : number + 1])
            await asyncio.sleep(each_s)

    saying = asyncio.create_task(say())
    try:
        return await reader.read()
    finally:
        saying.cancel()
        writer.close()


async def _stay(platform: Platform) -> float:
    began = time.monotonic()
    assert await byte_by_byte(platform.port, HEAD, each_s=1.0) == b""
    return time.monotonic() - began


async def _slowest(platform: Platform, crowd: asyncio.Future[list[float]]) -> float:
    """Of the calls of somebody else, one after the other, while the crowd is there."""
    slowest = 0.0
    while not crowd.done():
        began = time.monotonic()
        assert (await platform.call("GET", "/readyz"))[0] == 200
        slowest = max(slowest, time.monotonic() - began)
        await asyncio.sleep(0.1)
    return slowest


async def _run(callers: int, cluster: postgres.Cluster, folder: Path) -> int:
    async with cluster.ready() as dsn, running(dsn, folder, workers=0) as platform:
        crowd = asyncio.gather(*(_stay(platform) for _ in range(callers)))
        slowest = await _slowest(platform, crowd)
        stays = await crowd
    print(f"{callers} were sent away after {min(stays):.1f} to {max(stays):.1f} s; another call took {slowest:.3f} s")
    return 0 if max(stays) < 11 and slowest < 1 else 1


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.lab.crowd", description=__doc__)
    parser.add_argument("--callers", type=int, default=200)
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="encoder-crowd-") as name:
        folder = Path(name)
        with postgres.cluster(folder / "cluster") as cluster:
            return asyncio.run(_run(wanted.callers, cluster, folder))


if __name__ == "__main__":
    sys.exit(main())
