"""A video that is put into a bucket comes out beside it, by itself: real processes, and a gateway that tells of it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.lab import audit, media
from tests.lab.platform import Platform, running, until
from tests.lab.rgw import Gateway

pytestmark = [pytest.mark.xdist_group("s3"), pytest.mark.both_databases]


async def jobs(platform: Platform) -> list[dict[str, Any]]:
    status, told = await platform.call("GET", "/jobs")
    assert status == 200
    return list(told["jobs"])


async def test_a_video_in_a_bucket_becomes_a_package_beside_it_and_nothing_becomes_of_that(
    dsn: str, tmp_path: Path, s3_server: Gateway
) -> None:
    """I1: the gateway tells of each file of the package, too, and one of them ends as sources do."""
    bucket = s3_server.bucket()
    small = {"preset": "hls", "renditions": [{"height": 90, "videoBitrate": "100k"}], "encoderPreset": "ultrafast"}
    rule = {
        "source": {"bucket": bucket.name, "prefix": "uploads/", **bucket.credentials},
        "outputs": [
            {**small, "path": "{dir}/{name}_processed/hls/"},
            {"container": "jpg", "width": 160, "path": "posters/{dir}/{name}.jpg"},
        ],
    }
    async with running(dsn, tmp_path) as platform:
        status, told = await platform.call("PUT", "/ingest/rules/videos", json=rule)
        assert status == 200, told
        await asyncio.to_thread(bucket.push, f"{platform.url}/ingest/s3")
        await asyncio.to_thread(bucket.put, "uploads/2026/a b+c.mp4", media.clip().read_bytes())
        (job,) = await jobs(platform)
        ended = await platform.ended(job["id"])
        assert ended["status"] == "completed", ended
        assert len(await jobs(platform)) == 1
        made = await asyncio.to_thread(bucket.listed)
        assert "posters/uploads/2026/a b+c.jpg" in made
        assert "uploads/2026/a b+c_processed/hls/master.m3u8" in made
        assert any(key.endswith("init.mp4") for key in made)

        async def is_quiet() -> bool:
            return all(each["status"] == "completed" for each in await jobs(platform))

        await until(is_quiet, within_s=5)
    await audit.audit(platform, bucket=bucket)
