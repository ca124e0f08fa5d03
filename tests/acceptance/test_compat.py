"""Callers of other services, who changed address and key and nothing else: their job runs, and they are told so."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.lab import audit, media, rgw, transcoder
from tests.lab.keyed import a_key
from tests.lab.platform import Platform, running, until
from tests.lab.rgw import Bucket, Gateway

pytestmark = [pytest.mark.xdist_group("s3"), pytest.mark.both_databases]

PIPELINE = "1111111111111-abcde1"
JOB: dict[str, Any] = {
    "PipelineId": PIPELINE,
    "Input": {"Key": "in/holiday ü.mov", "FrameRate": "auto", "TimeSpan": {"StartTime": "0", "Duration": "1.5"}},
    "OutputKeyPrefix": "out/",
    "Outputs": [
        {"Key": "holiday.mp4", "PresetId": "1351620000001-000061", "ThumbnailPattern": "thumbs/{count}"},
        {"Key": "hls/400k", "PresetId": "1351620000001-200050", "SegmentDuration": "1"},
    ],
    "Playlists": [{"Name": "hls/index", "Format": "HLSv3", "OutputKeys": ["hls/400k"]}],
    "UserMetadata": {"orderId": "42"},
}


async def test_botocore_runs_a_job_of_elastic_transcoder(dsn: str, tmp_path: Path, s3_server: Gateway) -> None:
    bucket = s3_server.bucket()
    bucket.put("in/holiday ü.mov", media.clip().read_bytes())
    async with running(dsn, tmp_path, ENCODER_AUTH="keys") as platform:
        key = await a_key(dsn)
        await _pipeline(platform, key, bucket)
        theirs = transcoder.client(tmp_path / "botocore", url=f"{platform.url}/compat/elastictranscoder", key=key)
        made = (await asyncio.to_thread(theirs.create_job, **JOB))["Job"]
        assert (made["Status"], made["PipelineId"], made["UserMetadata"]) == ("Submitted", PIPELINE, {"orderId": "42"})
        job = await _ended(theirs, made["Id"])
        assert (job["Status"], [each["Status"] for each in job["Outputs"]]) == ("Complete", ["Complete"] * 2), job
        _facts(job)
        listed = bucket.listed()
        assert {"out/holiday.mp4", "out/thumbs/00001.png", "out/hls/index.m3u8"} <= set(listed)
        with pytest.raises(theirs.exceptions.ResourceInUseException):
            await asyncio.to_thread(theirs.cancel_job, Id=made["Id"])
    await audit.audit(platform)


async def _pipeline(platform: Platform, key: str, bucket: Bucket) -> None:
    place = {"bucket": bucket.name, **bucket.credentials}
    path, headers = f"/compat/elastictranscoder/pipelines/{PIPELINE}", {"Authorization": f"Bearer {key}"}
    status, told = await platform.call("PUT", path, json={"input": place, "output": place}, headers=headers)
    assert status == 200, told
    assert rgw.KEY_SECRET not in str(told)


def _facts(job: dict[str, Any]) -> None:
    file = job["Outputs"][0]
    assert (file["Width"], file["Height"]) == (320, 180)
    assert 1400 <= file["DurationMillis"] <= 1600
    assert job["Input"]["DetectedProperties"]["Width"] > 0
    assert job["Timing"]["FinishTimeMillis"] >= job["Timing"]["SubmitTimeMillis"]
    assert job["Playlists"][0]["Status"] == "Complete"


async def _ended(theirs: Any, job_id: str) -> dict[str, Any]:  # noqa: ANN401  # botocore's client
    told: list[dict[str, Any]] = []

    async def over() -> bool:
        told.append((await asyncio.to_thread(theirs.read_job, Id=job_id))["Job"])
        return told[-1]["Status"] not in ("Submitted", "Progressing")

    await until(over, within_s=90)
    return told[-1]
