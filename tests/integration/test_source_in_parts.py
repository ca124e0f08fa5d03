"""Sources of which a part is enough to make a chunk of, on a real platform. While they arrive: `test_overlap.py`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from encoder.model.base import Json
from tests.lab.media import made
from tests.lab.platform import Platform, running
from tests.lab.throttled import Throttled, serving

SECONDS = 36
NOISE = f"testsrc2=d={SECONDS}:s=192x108:r=25,noise=alls=60:allf=t,format=yuvj420p"
CHUNKED: dict[str, Json] = {"preset": "h264", "encoderPreset": "ultrafast", "height": 90, "chunked": True}
SETTINGS: dict[str, Any] = {"ENCODER_CHUNK_SECONDS": "18"}


def film() -> Path:
    return made("long.mov", "-f", "lavfi", "-i", NOISE, "-c:v", "mjpeg", "-q:v", "3")


async def job_of(platform: Platform, served: Throttled, output: dict[str, Json]) -> dict[str, Any]:
    job_id = await platform.submit({"source": {"kind": "http", "url": served.url}, "outputs": [output]})
    job = await platform.ended(job_id)
    assert job["status"] == "completed", job
    assert job["outputs"][0]["frames"] == SECONDS * 25
    return job


def read_by_chunks(platform: Platform) -> list[int]:
    """Bytes that each chunk's task took in."""
    lines = [line for role in platform.roles for line in role.log.read_text().splitlines() if line.startswith("{")]
    said = [json.loads(line) for line in lines]
    return [line["bytes_in"] for line in said if line["event"] == "task.settled" and line["kind"] == "chunk"]


async def test_a_part_of_a_source_is_enough_for_a_chunk(dsn: str, tmp_path: Path) -> None:
    """A chunk takes in little more than its share; of a server that names no version a copy of ours is read so."""
    path = film()
    share = path.stat().st_size / SECONDS
    async with running(dsn, tmp_path, workers=1, **SETTINGS) as platform:
        short = {**CHUNKED, "keyframeInterval": 2}
        async with serving(path, rate_bytes_s=1e9) as served:
            await job_of(platform, served, short)
            chunks = len(read_by_chunks(platform))
            assert chunks == 2
            # a chunk, what is decoded before it, what is read ahead behind it, what opens the file
            assert max(read_by_chunks(platform)) < (18 + 3 + 6) * share + 600_000
            assert served.asked.count(0) == chunks + 2
        async with serving(path, rate_bytes_s=1e9) as served:
            served.etag = None
            await job_of(platform, served, short)
            assert max(read_by_chunks(platform)[chunks:]) < (18 + 3 + 6) * share + 600_000
            assert served.asked == [0, 0]  # by the first task and the last, whole
        assert not [each for each in platform.storage.rglob("*") if "chunks" in each.parts]
