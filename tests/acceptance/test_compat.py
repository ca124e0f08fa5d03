"""Callers of other services, who changed address and key and nothing else: their job runs, and they are told so."""

from __future__ import annotations

import asyncio
import base64
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.lab import audit, media, rgw, transcoder
from tests.lab.hook import Hook
from tests.lab.keyed import a_key
from tests.lab.platform import Platform, running, until
from tests.lab.rgw import Bucket, Gateway

pytestmark = pytest.mark.xdist_group("s3")

PIPELINE = "1111111111111-abcde1"
JOB: dict[str, Any] = {
    "PipelineId": PIPELINE,
    "Input": {"Key": "in/holiday ü.mov", "FrameRate": "auto", "TimeSpan": {"StartTime": "0", "Duration": "1.5"}},
    "OutputKeyPrefix": "out/",
    "Outputs": [
        {"Key": "holiday.mp4", "PresetId": "1351620000001-000061", "ThumbnailPattern": "holiday-{count}"},
        {"Key": "hls/400k", "PresetId": "1351620000001-200050", "SegmentDuration": "1"},
    ],
    "Playlists": [{"Name": "hls/index", "Format": "HLSv3", "OutputKeys": ["hls/400k"]}],
    "UserMetadata": {"orderId": "42"},
}


async def test_botocore_runs_a_job_of_elastic_transcoder(dsn: str, tmp_path: Path, s3_server: Gateway) -> None:
    bucket = s3_server.bucket()
    bucket.put("in/holiday ü.mov", media.clip().read_bytes())
    async with running(dsn, tmp_path, ENCODER_AUTH="keys") as platform, Hook() as hook:
        key = await a_key(dsn)
        await _pipeline(platform, key, bucket, hook)
        theirs = transcoder.client(tmp_path / "botocore", url=f"{platform.url}/compat/elastictranscoder", key=key)
        made = (await asyncio.to_thread(theirs.create_job, **JOB))["Job"]
        assert (made["Status"], made["PipelineId"], made["UserMetadata"]) == ("Submitted", PIPELINE, {"orderId": "42"})
        job = await _ended(theirs, made["Id"])
        assert (job["Status"], [each["Status"] for each in job["Outputs"]]) == ("Complete", ["Complete"] * 2), job
        _facts(job)
        listed = bucket.listed()
        assert {"out/holiday.mp4", "out/holiday-00001.png", "out/hls/index.m3u8"} <= set(listed)
        await until(lambda: _notified(hook, made["Id"]), within_s=20)
        with pytest.raises(theirs.exceptions.ResourceInUseException):
            await asyncio.to_thread(theirs.cancel_job, Id=made["Id"])
    await audit.audit(platform)


async def _notified(hook: Hook, job_id: str) -> bool:
    bodies = [json.loads(told.body) for told in hook.told]
    assert {body["jobId"] for body in bodies} <= {job_id}
    return [body["state"] for body in bodies if body["state"] != "PROGRESSING"] == ["COMPLETED"]


async def _pipeline(platform: Platform, key: str, bucket: Bucket, hook: Hook) -> None:
    place = {"bucket": bucket.name, **bucket.credentials}
    path, headers = f"/compat/elastictranscoder/pipelines/{PIPELINE}", {"Authorization": f"Bearer {key}"}
    pipeline = {"input": place, "output": place, "notificationUrl": hook.url("/told")}
    status, told = await platform.call("PUT", path, json=pipeline, headers=headers)
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


COCONUT: dict[str, Any] = {
    "settings": {"ultrafast": False},
    "outputs": {
        "mp4:180p::quality=2": {"key": "mp4:small", "path": "/out/small.mp4"},
        "jpg:160x": {"path": "/out/thumbs_%.2d.jpg", "number": 2},
        "httpstream": {"hls": {"path": "/out/hls"}, "variants": ["mp4:x:64k", "mp4:144p::quality=1,maxrate=300k"]},
    },
}


async def test_coconuts_client_runs_a_job_and_is_told_of_it(dsn: str, tmp_path: Path, s3_server: Gateway) -> None:
    """Its Python client sends just these headers, and reads `id`, `status`, `message` and `error_code`."""
    bucket = s3_server.bucket()
    bucket.put("in/a.mov", media.clip().read_bytes())
    credentials = {"access_key_id": rgw.KEY_ID, "secret_access_key": rgw.KEY_SECRET}
    server = {"service": "s3other", "bucket": bucket.name, "endpoint": s3_server.url, "credentials": credentials}
    async with running(dsn, tmp_path, ENCODER_AUTH="keys") as platform, Hook() as hook:
        theirs = Coconut(url=f"{platform.url}/compat/coconut/v2", key=await a_key(dsn))
        told = {"type": "http", "url": hook.url("/told"), "events": True}
        job = {**COCONUT, "input": {**server, "key": "/in/a.mov"}, "storage": server, "notification": told}
        status, refused = await theirs.request("POST", "/jobs", {**job, "input": {"url": "ipfs://a"}})
        assert (status, refused["status"], refused["error_code"]) == (400, "error", "unsupported_kind")
        status, made = await theirs.request("POST", "/jobs", job)
        assert (status, made["status"], made["completed_at"]) == (201, "job.starting", None)
        ended = await _over(theirs, made["id"])
        assert (ended["status"], ended["progress"]) == ("job.completed", "100%"), ended
        await _stand(ended, bucket)
        await until(lambda: _told_of(hook, "job.completed"), within_s=20)
        body = next(json.loads(each.body) for each in hook.told if b'"job.completed"' in each.body)
        assert {**body["data"], "progress": "100%"} == ended
    await audit.audit(platform)


async def _stand(ended: dict[str, Any], bucket: Bucket) -> None:
    outputs = {output["key"]: output for output in ended["outputs"]}
    root = f"{bucket.gateway.url}/{bucket.name}/out"
    assert outputs["mp4:small"]["url"] == f"{root}/small.mp4"
    assert outputs["jpg:160x"]["urls"] == [f"{root}/thumbs_0000{number}.jpg" for number in (1, 2)]
    assert outputs["httpstream"]["urls"] == [f"{root}/hls/master.m3u8"]
    assert {"out/small.mp4", "out/thumbs_00002.jpg", "out/hls/master.m3u8"} <= set(bucket.listed())


async def _told_of(hook: Hook, event: str) -> bool:
    return any(f'"event":"{event}"'.encode() in told.body for told in hook.told)


@dataclass(frozen=True, kw_only=True)
class Coconut:
    """What Coconut's Python client does with an endpoint and a key."""

    url: str
    key: str

    async def request(self, verb: str, path: str, body: object = None) -> tuple[int, dict[str, Any]]:
        login = base64.b64encode(f"{self.key}:".encode()).decode()
        headers = {"Content-Type": "application/json", "Accept": "application/json", "Authorization": f"Basic {login}"}
        data = None if body is None else json.dumps(body)
        async with (
            aiohttp.ClientSession() as session,
            session.request(verb, self.url + path, data=data, headers=headers) as response,
        ):
            return response.status, await response.json()


async def _over(theirs: Coconut, job_id: str) -> dict[str, Any]:
    told: list[dict[str, Any]] = []

    async def over() -> bool:
        told.append((await theirs.request("GET", f"/jobs/{job_id}"))[1])
        return told[-1]["status"] in ("job.completed", "job.failed")

    await until(over, within_s=90)
    return told[-1]
