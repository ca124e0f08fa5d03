"""The main job, as its users meet it: HTTP in, proven files out, signed webhooks."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from standardwebhooks import WebhookVerificationError

from tests.lab import audit, media
from tests.lab.hook import Hook
from tests.lab.origin import Served
from tests.lab.platform import WEBHOOK_SECRET, Platform, running, until
from tests.lab.put import Shelf
from tests.lab.wire import Exchange, Server

pytestmark = pytest.mark.both_databases

FAST = {"encoderPreset": "ultrafast"}


async def test_a_job_over_http_delivers_identical_files_and_signed_webhooks(dsn: str, tmp_path: Path) -> None:
    """P1, where all goes well"""
    clip = media.clip().read_bytes()
    async with (
        running(dsn, tmp_path) as platform,
        Server(scripts={"/in.mp4": Served(data=clip)}) as origin,
        Shelf() as shelf,
        Hook() as hook,
    ):
        job_id = await platform.submit(
            {
                "source": {"kind": "http", "url": origin.url("/in.mp4"), "headers": {"X-Token": "s3cret"}},
                "outputs": [
                    {"preset": "h264", "width": 320, "height": 180, **FAST, "destination": _put(shelf, "a.mp4")},
                    {"preset": "vp9", "width": 320, "height": 180, "destination": _put(shelf, "b.webm")},
                ],
                "notificationUrl": hook.url("/told?token=s3cret"),
                "metadata": {"orderId": "42"},
                "tags": ["trailer"],
            }
        )
        job = await platform.ended(job_id)
        assert job["status"] == "completed", json.dumps(job, indent=1)
        await until(lambda: _told(hook, 5), within_s=20)  # in any order
    assert job["metadata"] == {"orderId": "42"}
    assert "s3cret" not in json.dumps(job)
    for output, path in zip(job["outputs"], ("/a.mp4", "/b.webm"), strict=True):
        assert hashlib.sha256(shelf.objects[path]).hexdigest() == output["sha256"]
        assert len(shelf.objects[path]) == output["sizeBytes"]
        assert all(check["passed"] for check in output["proof"]["checks"])
        assert (output["width"], output["height"]) == (320, 180)
    events = [told.verified(_tenant_secret()) for told in hook.told]
    assert {event["type"] for event in events} == {
        "job.submitted",
        "job.processing",
        "output.uploaded",
        "job.completed",
    }
    assert len({told.id for told in hook.told}) == len(events) == 5
    assert not any(b"s3cret" in told.body for told in hook.told)
    with pytest.raises(WebhookVerificationError):
        hook.told[0].verified("whsec_" + "QUFB" * 8)
    await audit.audit(platform)


def _put(shelf: Shelf, name: str) -> dict[str, Any]:
    return {
        "kind": "http",
        "url": shelf.url(f"/{name}"),
        "method": "PUT",
        "headers": {"Authorization": "Bearer s3cret"},
    }


def _tenant_secret() -> str:
    return WEBHOOK_SECRET


async def _told(hook: Hook, events: int) -> bool:
    return len({told.id for told in hook.told}) >= events


async def test_an_output_without_a_destination_lies_in_the_storage_behind_a_signed_link(
    dsn: str, tmp_path: Path
) -> None:
    async with running(dsn, tmp_path) as platform:
        own = {"members": {"preset": "h264", "height": 180, "crf": 30, **FAST}}
        assert (await platform.call("PUT", "/presets/fast", json=own))[0] == 200
        job = await _encoded(platform, tmp_path, {"preset": "fast", "height": 90})
        assert job["status"] == "completed", json.dumps(job["outputs"], indent=1)
        (output,) = job["outputs"]
        assert (output["height"], output["spec"]["presetVersion"]) == (90, 1)
        assert "ultrafast" in output["command"]
        async with aiohttp.ClientSession() as session:
            async with session.get(output["url"]) as response:
                assert response.status == 200
                whole = await response.read()
            async with session.get(output["url"], headers={"Range": "bytes=0-99"}) as response:
                assert response.status == 206
                assert await response.read() == whole[:100]
            async with session.get(output["url"].replace("signature=", "signature=0")) as response:
                assert response.status == 404
        used = (await platform.call("GET", f"/stats?createdAfter={job['createdAt']}"))[1]["usage"]
        assert (used["jobs"], used["outputs"], used["deliveredBytes"]) == (1, 1, len(whole))
        assert [(each["preset"], each["deliveredBytes"]) for each in used["presets"]] == [("fast", len(whole))]
        assert used["outputMinutes"] == pytest.approx(output["durationSeconds"] / 60, abs=0.001)
        assert 0 < used["cpuSeconds"] == pytest.approx(output["timings"]["encodeCpu"], abs=0.001)
    assert hashlib.sha256(whole).hexdigest() == output["sha256"]
    await audit.audit(platform, delivered=platform.storage)


async def _encoded(platform: Platform, folder: Path, *outputs: dict[str, Any]) -> dict[str, Any]:
    source = folder / "in.mp4"
    source.write_bytes(media.clip().read_bytes())
    job_id = await platform.submit({"source": {"kind": "file", "path": str(source)}, "outputs": list(outputs)})
    return await platform.ended(job_id)


async def test_one_failed_output_does_not_stop_the_others_and_retry_runs_only_it(dsn: str, tmp_path: Path) -> None:
    async with running(dsn, tmp_path) as platform, Shelf() as shelf:
        shelf.scripts["/b.mp4"] = _forbidden
        job = await _encoded(
            platform,
            tmp_path,
            {"preset": "h264", **FAST, "destination": _put(shelf, "a.mp4")},
            {"preset": "h264", **FAST, "destination": _put(shelf, "b.mp4")},
        )
        assert job["status"] == "failed", json.dumps(job["outputs"], indent=1)
        assert [output["status"] for output in job["outputs"]] == ["uploaded", "failed"], json.dumps(
            job["outputs"], indent=1
        )
        assert job["outputs"][1]["error"]["code"] == "destination_auth_failed"
        del shelf.scripts["/b.mp4"]
        stored = len([request for request in shelf.seen if request.target == "/a.mp4" and request.method == "PUT"])
        status, answer = await platform.call("POST", f"/jobs/{job['id']}/retry")
        assert status == 202, answer
        job = await platform.ended(job["id"])
        assert (job["status"], job["run"]) == ("completed", 2)
        again = len([request for request in shelf.seen if request.target == "/a.mp4" and request.method == "PUT"])
        assert (stored, again) == (1, 1)
    await audit.audit(platform)


async def _forbidden(exchange: Exchange) -> None:
    await exchange.body()
    await exchange.answer(403)


@pytest.mark.parametrize(
    ("name", "code"),
    [("truncated_blocks_60pct.mp4", "source_truncated"), ("ssrf_playlist.m3u8", "unsupported_format")],
)
async def test_a_bad_source_fails_at_attempt_1_with_its_code(dsn: str, tmp_path: Path, name: str, code: str) -> None:
    """D1, D7"""
    source = tmp_path / name
    source.write_bytes(media.public_clip(name).read_bytes())
    body = {
        "source": {"kind": "file", "path": str(source)},
        "outputs": [{"preset": "h264", **FAST, "width": 320, "height": 180}],
    }
    async with running(dsn, tmp_path) as platform:
        _, told = await platform.call("POST", "/jobs?dryRun=true", json=body)
        job = await platform.ended(await platform.submit(body))
    (output,) = job["outputs"]
    assert (job["status"], output["error"]["code"], output["attempts"]) == ("failed", code, 1)
    assert told.get("code") == code or told["outputs"][0]["error"]["code"] == code, "a dry run tells the same"
    await audit.audit(platform)


async def test_an_inline_source_of_audio_makes_a_video_output_fail_before_any_encode(dsn: str, tmp_path: Path) -> None:
    """D9"""
    async with running(dsn, tmp_path) as platform:
        job_id = await platform.submit(
            {
                "source": {"kind": "inline", "data": media.inline_tone(), "fileName": "tone.wav"},
                "outputs": [{"preset": "h264"}, {"preset": "audio-aac"}],
            }
        )
        job = await platform.ended(job_id)
    video, audio = job["outputs"]
    assert (video["status"], video["error"]["code"]) == ("failed", "no_video_stream")
    assert (audio["status"], audio["audioCodec"]) == ("uploaded", "aac")
    await audit.audit(platform)


async def test_a_dry_run_and_a_probe_tell_all_and_store_nothing(dsn: str, tmp_path: Path) -> None:
    source = tmp_path / "in.mp4"
    source.write_bytes(media.clip().read_bytes())
    place = {"kind": "file", "path": str(source)}
    async with running(dsn, tmp_path, workers=0) as platform:
        status, facts = await platform.call("POST", "/probe", json={"source": place})
        assert status == 200, facts
        assert facts["video"][0]["codedWidth"] == 320
        job = {"source": place, "outputs": [{"preset": "h264"}, {"preset": "vp9"}]}
        status, told = await platform.call("POST", "/jobs?dryRun=true", json=job)
        assert status == 200, told
        assert [output["plan"]["video"]["codec"] for output in told["outputs"]] == ["h264", "vp9"]
        assert all(output["commands"][0][0] == "ffmpeg" for output in told["outputs"])
        assert all(output["estimate"]["sizeBytes"] > 0 for output in told["outputs"])
        assert (await platform.call("GET", "/jobs"))[1]["jobs"] == []
        source.write_text("#EXTM3U")
        status, problem = await platform.call("POST", "/probe", json={"source": place})
        assert (status, problem["code"]) == (422, "unsupported_format")
        assert [path.name for path in platform.scratch.glob("*/*")] == ["lock"]
