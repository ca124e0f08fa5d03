"""A file without an address, as its owner meets it: announced, brought, encoded."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from yarl import URL

from tests.lab import audit, media
from tests.lab.platform import Platform, running
from tests.lab.rgw import Gateway

pytestmark = pytest.mark.both_databases

MIB = 1024 * 1024


async def _announce(platform: Platform, **members: object) -> dict[str, Any]:
    status, told = await platform.call("POST", "/upload", json={"outputs": []} | members)
    assert status == 200, told
    return dict(told)


async def _seen(platform: Platform, upload: dict[str, Any]) -> dict[str, Any]:
    """Its status; whoever asks for that makes the platform look."""
    status, told = await platform.call("GET", f"/upload/{upload['file_id']}/status")
    assert status == 200
    return dict(told)


async def _bring(upload: dict[str, Any], data: object) -> int:
    """As any client would: the answer's address, method and headers, and nothing else."""
    url = URL(upload["upload_url"], encoded=True)
    async with (
        aiohttp.ClientSession() as session,
        session.request(upload["method"], url, data=data, headers=upload["headers"]) as response,
    ):
        return response.status


async def test_a_clip_is_brought_and_a_job_made_of_it(dsn: str, tmp_path: Path) -> None:
    clip = media.clip().read_bytes()
    async with running(dsn, tmp_path) as platform:
        upload = await _announce(platform, file_name="clip.mp4", size_bytes=len(clip))
        assert await _bring(upload, clip) == 200
        source = {"kind": "upload", "fileId": upload["file_id"]}
        status, facts = await platform.call("POST", "/probe", json={"source": source})
        assert (status, facts.get("sizeBytes")) == (200, len(clip)), facts
        job_id = await platform.submit(
            {"source": source, "outputs": [{"preset": "h264", "encoderPreset": "ultrafast", "height": 90}]}
        )
        job = await platform.ended(job_id)
        assert job["status"] == "completed", json.dumps(job, indent=1)
        status, told = await platform.call("GET", f"/upload/{upload['file_id']}/status")
        assert (status, told["processing_status"]) == (200, "completed")
        assert (told["original_codec"], told["target_codec"]) == ("h264", "h264")
        assert told["processing_time"] > 0
        async with aiohttp.ClientSession() as session, session.get(job["outputs"][0]["url"]) as response:
            made = await response.read()
    assert hashlib.sha256(made).hexdigest() == job["outputs"][0]["sha256"]
    await audit.audit(platform, delivered=platform.storage)


async def test_a_large_file_costs_the_server_no_memory(dsn: str, tmp_path: Path) -> None:
    size = 200 * MIB
    chunk = os.urandom(MIB)

    async def body() -> AsyncIterator[bytes]:
        for _ in range(size // MIB):
            yield chunk

    async with running(dsn, tmp_path, workers=0) as platform:
        (api,) = platform.roles
        small = await _announce(platform, file_name="small.mp4", size_bytes=MIB)
        assert await _bring(small, chunk) == 200
        before = _peak_bytes(api.process.pid)
        large = await _announce(platform, file_name="large.mp4", size_bytes=size)
        assert await _bring(large, body()) == 200
        assert _peak_bytes(api.process.pid) - before < 8 * MIB
        pieces = await _announce(platform, file_name="large.mp4", size_bytes=64 * MIB, protocol="tus")
        assert await _bring(pieces, io.BytesIO(64 * chunk)) == 204
        assert _peak_bytes(api.process.pid) - before < 16 * MIB
    assert (platform.storage / large["s3_key"]).stat().st_size == size


def _peak_bytes(pid: int) -> int:
    """The most memory that a process has ever had in use."""
    found = re.search(r"^VmHWM:\s+(\d+) kB$", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    assert found
    return int(found[1]) * 1024


@pytest.mark.xdist_group("s3")
async def test_where_the_storage_is_a_bucket_all_goes_by_its_own_server(
    dsn: str, tmp_path: Path, s3_server: Gateway
) -> None:
    bucket, clip = s3_server.bucket(), media.clip().read_bytes()
    async with running(
        dsn,
        tmp_path,
        workers=1,
        hasty=False,  # said, or a setting of that name might be taken for it
        ENCODER_STORAGE=f"s3://{bucket.name}/our platform",
        **bucket.environment,
    ) as platform:
        fast = {"preset": "toggle-h264-hevc", "encoderPreset": "ultrafast", "height": 90}
        upload = await _announce(platform, file_name="clip.mp4", size_bytes=len(clip), outputs=[fast])
        assert upload["upload_url"].startswith(s3_server.url)
        job = {"source": {"kind": "upload", "fileId": upload["file_id"]}, "outputs": [{"preset": "h264"}]}
        status, told = await platform.call("POST", "/jobs", json=job)
        assert (status, told["code"]) == (409, "upload_not_ready")
        assert await _bring(upload, clip + b"x") == 403  # S3 tells by its signature
        assert await _bring(upload, clip) == 200
        ended = await platform.ended((await _seen(platform, upload))["job_id"])
        assert ended["status"] == "completed", json.dumps(ended, indent=1)
        told = await _seen(platform, upload)
        assert told["processing_status"] == "completed"
        assert (told["original_codec"], told["target_codec"]) == ("h264", "hevc")
        status, link = await platform.call("GET", f"/upload/{upload['file_id']}/download/processed")
        assert link["download_url"].startswith(s3_server.url)
        async with (
            aiohttp.ClientSession() as session,
            session.get(URL(link["download_url"], encoded=True)) as response,
        ):
            assert response.status == 200
            made = await response.read()
        status, _ = await platform.call("DELETE", f"/jobs/{ended['id']}")
        assert status == 204
    assert hashlib.sha256(made).hexdigest() == ended["outputs"][0]["sha256"]
    assert upload["s3_key"] == f"our platform/uploads/{upload['file_id']}/source"
    assert bucket.listed() == [upload["s3_key"]]
    assert bucket.open_uploads() == []
    await audit.audit(platform)
