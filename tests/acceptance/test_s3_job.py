"""The S3 job of the API's page, as its callers and its operator meet it: their keys go to S3, and nowhere else."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from yarl import URL

from tests.lab import audit, media, rgw
from tests.lab.hook import Hook
from tests.lab.platform import Platform, running, until
from tests.lab.rgw import Bucket, Gateway
from tests.lab.sentinel import Watch, watching

pytestmark = pytest.mark.xdist_group("s3")

KEYS = {"access_key_id": rgw.SENTINEL_ID, "access_key_secret": rgw.SENTINEL_SECRET}


def job(bucket: Bucket, hook: Hook, **server: str) -> dict[str, Any]:
    """The example of docs/reference/places.md, small. `server`: how S3 is reached, and with whose keys."""
    place = {"kind": "s3", "bucket": bucket.name, "region": "us-east-1", **server}
    made = {"container": "mp4", "videoCodec": "libx264", "videoBitrate": "500k", "encoderPreset": "ultrafast"}
    sound = {"audioCodec": "aac", "audioBitrate": "64k"}
    to = {**place, "path": "out/{sourceName} {height}p.mp4", "acl": "public-read", "metadata": {"orderid": "42"}}
    return {
        "source": {**place, "path": "uploads/in ü.mov"},
        "outputs": [
            {**made, **sound, "width": 320, "height": 180, "destination": to},
            {"preset": "h264", "encoderPreset": "ultrafast", "width": 160, "height": 90},
        ],
        "notificationUrl": hook.url("/webhook"),
        "metadata": {"orderId": "42"},
        "tags": ["trailer"],
    }


async def stands_as_told(bucket: Bucket, ended: dict[str, Any]) -> None:
    assert ended["status"] == "completed", json.dumps(ended, indent=1)
    output = ended["outputs"][0]
    assert output["uri"] == f"s3://{bucket.name}/out/in%20%C3%BC%20180p.mp4"
    data = bucket.get("out/in ü 180p.mp4")
    assert data is not None
    assert hashlib.sha256(data).hexdigest() == output["sha256"]
    about = bucket.about("out/in ü 180p.mp4")
    assert about["ContentType"] == "video/mp4"
    assert about["Metadata"] == {"orderid": "42", "encoder-sha256": output["sha256"]}
    assert bucket.open_uploads() == []


async def told_nowhere(watch: Watch, hook: Hook, job_id: int) -> None:
    await watch.look_at_rows()
    await watch.look_at_answers(job_id)
    for told in hook.told:
        watch.look_at("a webhook", told.request.head + told.body)
    assert any("ffmpeg" in command for command in watch.children), watch.children
    assert watch.seen == set()


async def _told_all(hook: Hook) -> bool:
    return any(b"job.completed" in told.body for told in hook.told)


async def test_the_example_job_runs_with_the_keys_of_its_request(dsn: str, tmp_path: Path, s3_server: Gateway) -> None:
    """P1, F10: a sentinel in every secret member."""
    bucket = s3_server.bucket()
    bucket.put("uploads/in ü.mov", media.clip().read_bytes())
    async with (
        running(dsn, tmp_path, TMPDIR=_temporary(tmp_path)) as platform,
        Hook() as hook,
        watching(platform, rgw.SENTINEL_ID, rgw.SENTINEL_SECRET) as watch,
    ):
        job_id = await platform.submit(job(bucket, hook, endpointUrl=s3_server.url, **KEYS))
        await stands_as_told(bucket, await platform.ended(job_id))
        await until(lambda: _told_all(hook), within_s=20)
        await told_nowhere(watch, hook, job_id)
    await audit.audit(platform)


async def test_the_example_job_runs_with_the_keys_of_the_environment_and_a_bucket_as_storage(
    dsn: str, tmp_path: Path, s3_server: Gateway
) -> None:
    """P1, F9: the operator's keys stand in the environment of the roles, and in that of none of their children."""
    bucket = s3_server.bucket()
    bucket.put("uploads/in ü.mov", media.clip().read_bytes())
    operator: dict[str, Any] = {
        "AWS_ENDPOINT_URL": s3_server.url,
        "AWS_ACCESS_KEY_ID": rgw.SENTINEL_ID,
        "AWS_SECRET_ACCESS_KEY": rgw.SENTINEL_SECRET,
        "ENCODER_S3_BUCKETS": bucket.name,
        "ENCODER_STORAGE": f"s3://{bucket.name}/encoder",
        "ENCODER_ALLOW_ADDRESSES": "127.77.0.1/32",  # the receiver of webhooks: to the operator's server no guard looks
        "TMPDIR": _temporary(tmp_path),
    }
    async with (
        running(dsn, tmp_path, **operator) as platform,
        Hook() as hook,
        watching(platform, rgw.SENTINEL_SECRET) as watch,
    ):
        job_id = await platform.submit(job(bucket, hook))
        ended = await platform.ended(job_id)
        await stands_as_told(bucket, ended)
        await refused(platform, job(bucket, hook))
        await until(lambda: _told_all(hook), within_s=20)
        await told_nowhere(watch, hook, job_id)
        await stored(platform, bucket, ended)
    await audit.audit(platform)


async def stored(platform: Platform, bucket: Bucket, ended: dict[str, Any]) -> None:
    """The output without a destination lies in the storage, behind a link that S3 itself serves."""
    output = ended["outputs"][1]
    assert output["url"].startswith(f"{bucket.gateway.url}/{bucket.name}/encoder/jobs/")
    async with aiohttp.ClientSession() as session, session.get(URL(output["url"], encoded=True)) as response:
        assert response.status == 200
        assert hashlib.sha256(await response.read()).hexdigest() == output["sha256"]
    status, _ = await platform.call("DELETE", f"/jobs/{ended['id']}")
    assert status == 204
    assert bucket.listed() == ["out/in ü 180p.mp4", "uploads/in ü.mov"]


async def refused(platform: Platform, body: dict[str, Any]) -> None:
    """C23"""
    elsewhere = {**body, "source": {**body["source"], "endpointUrl": "http://127.77.0.1:9000"}}
    another = {**body, "source": {**body["source"], "bucket": "another-bucket"}}
    storage = {**body, "source": {**body["source"], "path": "encoder/jobs/0191b2c4/0.mp4"}}
    for wrong in (elsewhere, another, storage):
        status, answer = await platform.call("POST", "/jobs", json=wrong)
        assert status == 422
        assert answer["errors"] == [
            {"path": "/source/access_key_id", "code": "credentials_required", "message": answer["errors"][0]["message"]}
        ]


def _temporary(folder: Path) -> str:
    (folder / "tmp").mkdir()
    return str(folder / "tmp")
