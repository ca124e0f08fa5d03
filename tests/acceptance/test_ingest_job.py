"""A video that is put into a bucket comes out beside it, by itself: real processes, and a gateway that tells of it."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.lab import audit, media, sqs, told
from tests.lab.platform import Platform, running, until
from tests.lab.rgw import Gateway

pytestmark = pytest.mark.xdist_group("s3")


async def jobs(platform: Platform) -> list[dict[str, Any]]:
    status, said = await platform.call("GET", "/jobs")
    assert status == 200
    return list(said["jobs"])


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
        status, said = await platform.call("PUT", "/ingest/rules/videos", json=rule)
        assert status == 200, said
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


async def test_an_api_reads_the_queues_that_are_named_and_ends_when_it_is_told_to(
    dsn: str, tmp_path: Path, s3_server: Gateway
) -> None:
    """I3: for the tenant that is named, with the operator's keys; it waits for messages when it is told."""
    bucket = s3_server.bucket()
    bucket.put("a.mp4", b"video")
    rule = {"source": {"bucket": bucket.name, **bucket.credentials}, "outputs": [{"preset": "h264"}]}
    with sqs.service() as service:
        queue = service.queue()
        operator: dict[str, Any] = {"ENCODER_INGEST_SQS_URLS": queue.url, **sqs.ENVIRONMENT}
        async with running(dsn, tmp_path, workers=0, **operator) as platform:
            assert (await platform.call("PUT", "/ingest/rules/videos", json=rule))[0] == 200
            await asyncio.to_thread(queue.send, told.sns(told.ceph("a.mp4", bucket=bucket.name)))
            await asyncio.to_thread(queue.send, told.ceph("a.mp4", bucket=bucket.name))

            async def is_read() -> bool:
                return await asyncio.to_thread(queue.left) == 0

            await until(is_read, within_s=60)
            (job,) = await jobs(platform)
            assert job["metadata"]["ingest"]["key"] == "a.mp4"
            (api,) = platform.roles
            api.signal(signal.SIGINT)
            assert await api.ended(within_s=10) == 0
