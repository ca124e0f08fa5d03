"""`python -m tests.bench.mover get|put PLACE PATH`: moves one file as a worker does; seconds and memory, as JSON.

`PLACE` is the JSON of a source or destination on the lab's public net. A process of its own, so that memory is ours.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
import sys
import time
from pathlib import Path
from uuid import uuid4

from encoder.destinations.protocol import Destination, Parcel
from encoder.destinations.registry import Destinations
from encoder.log import configure
from encoder.metrics.transfer import Transfers
from encoder.model.job import Place
from encoder.plugins import Surroundings
from encoder.sources.registry import Sources
from encoder.worker.fetch import Fetch, FetchLimits
from encoder.worker.scratch import Scratch
from tests.bench.measure import memory_bytes
from tests.lab.wire import lab_web

SURROUNDINGS = Surroundings(web=lab_web(idle_s=30))


async def main(verb: str, place: Place, path: Path) -> None:
    configure(level="error")
    before = memory_bytes("self", "VmRSS")
    seconds = await {"get": get, "put": put}[verb](place, path)
    print(json.dumps({"seconds": seconds, "above_idle": memory_bytes("self", "VmHWM") - before}))


async def get(place: Place, path: Path) -> float:
    """The stage of the worker, from its first byte to its last write."""
    scratch = Scratch(path.parent, uuid4())
    await scratch.open()
    transfers = Transfers(clock=time.monotonic)
    fetch = Fetch(scratch, transfers, limits=FetchLimits(), clock=time.monotonic, uniform=random.uniform)
    source = Sources(SURROUNDINGS).make(place)
    begun = time.perf_counter()
    await fetch(source, path, kind="other", told=lambda _have, _size: None)
    seconds = time.perf_counter() - begun
    await scratch.close()
    return seconds


async def put(place: Place, path: Path) -> float:
    """The publish of a worker; its digest is known from the proof by then."""
    parcel = Parcel(
        path=path, size_bytes=path.stat().st_size, sha256=_sha256(path), content_type="video/mp4", token="1-1"
    )
    destination = Destinations(SURROUNDINGS, stored=_nowhere).make(place, "bench")
    begun = time.perf_counter()
    await destination.publish(parcel, sent=lambda _count: None, fence=_open_fence)
    seconds = time.perf_counter() - begun
    await destination.close()
    return seconds


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


async def _open_fence() -> None:
    pass


def _nowhere(_key: str) -> Destination:
    raise LookupError("the place is given")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], json.loads(sys.argv[2]), Path(sys.argv[3])))
