"""Every public clip through the API: the good ones come out proven, the bad ones fail at once, nothing is dialled."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.lab import audit, media
from tests.lab.platform import running

# what is odd about each clip, as its width, height and warnings must show; "720p" is a box of 1280×720
GOOD = {
    "bbb_1080p30_faststart.mp4": (1280, 720, set()),
    "bbb_480i2997_mpeg2.ts": (852, 480, {"deinterlaced"}),  # 853⅓ as shown, never enlarged
    "bbb_720p24_vp8.webm": (1280, 720, set()),
    "bbb_720p30.ts": (1280, 720, set()),
    "bbb_800x640_sar64x45.mp4": (1138, 640, {"no_audio"}),
    "city_1080p24_moovend.mp4": (1280, 720, set()),
    "counting_300s_320x240.mp4": (320, 240, set()),
    "dog_720p2997_faststart.mp4": (1280, 720, set()),
    "face_ass_subs_ac3.mkv": (1080, 720, set()),
    "hdr10_av1_portrait.mp4": (406, 720, {"hdr_to_sdr"}),
    "hlg_hevc10_1080p_fragmented.mp4": (1280, 720, {"hdr_to_sdr", "variable_frame_rate", "no_audio"}),
    "iphone_hevc_rot90.mov": (406, 720, {"rotated"}),
    "nasa_multitrack.mp4": (320, 180, set()),
    "screencap_vfr_3026x1386.mp4": (1280, 586, {"variable_frame_rate", "no_audio"}),
    "seagull_mpeg4_mp3.avi": (960, 400, set()),
    "webcam.flv": (640, 360, set()),
}
BAD = {"truncated_blocks_60pct.mp4": "source_truncated", "ssrf_playlist.m3u8": "unsupported_format"}


@pytest.mark.timeout(600)
async def test_every_public_clip_comes_out_proven_or_fails_at_attempt_1(dsn: str, tmp_path: Path) -> None:
    async with running(dsn, tmp_path, ENCODER_LEASE_SECONDS="60") as platform:
        ids = {}
        for name in (*GOOD, *BAD):
            source = tmp_path / name
            shutil.copy(media.public_clip(name), source)
            ids[name] = await platform.submit({"source": {"kind": "file", "path": str(source)}, "outputs": [_output()]})
        jobs = {name: await platform.ended(job_id, within_s=400) for name, job_id in ids.items()}
        await audit.audit(platform, delivered=platform.storage)
    wrong = [problem for name, job in jobs.items() if (problem := _wrong(name, job))]
    assert not wrong, "\n".join(wrong)


def _output() -> dict[str, Any]:
    return {"preset": "h264", "encoderPreset": "ultrafast", "width": 1280, "height": 720}


def _wrong(name: str, job: dict[str, Any]) -> str | None:
    (output,) = job["outputs"]
    warnings = {warning["code"] for warning in output["warnings"]} - {"not_upscaled"}
    if name in BAD:
        seen: Any = (job["status"], (output["error"] or {}).get("code"), output["attempts"])
        expected: Any = ("failed", BAD[name], 1)
    else:
        seen = (job["status"], output["width"], output["height"], warnings)
        expected = ("completed", *GOOD[name])
    if seen == expected:
        return None
    return f"{name}: {seen}, expected {expected}: {json.dumps(output['error'])}"
