"""Images as outputs of a job, through the real platform: a poster, a storyboard and a preview beside their video."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from encoder.ffmpeg import cues, image_file
from tests.lab import audit, media
from tests.lab.platform import running
from tests.lab.put import Shelf

OUTPUTS: list[dict[str, Any]] = [
    {"container": "jpg", "width": 160},
    {"preset": "storyboard", "thumbnails": {"every": 0.3, "sprite": {"columns": 2, "rows": 2}}},
    {"preset": "gif", "width": 160},
    {"preset": "h264", "encoderPreset": "ultrafast", "height": 90},
]


async def test_a_job_gives_poster_storyboard_and_preview_with_its_video(dsn: str, tmp_path: Path) -> None:
    """Of "Thumbnails, sprites, VTT": sheets and cues in a folder, the cues last; each image proven by `pictures`."""
    source = tmp_path / "in.mp4"
    source.write_bytes(media.clip().read_bytes())
    async with running(dsn, tmp_path) as platform, Shelf() as shelf:
        place = {"kind": "http", "url": shelf.url("/story/"), "method": "PUT"}
        outputs = [OUTPUTS[0], {**OUTPUTS[1], "destination": place}, *OUTPUTS[2:]]
        job_id = await platform.submit({"source": {"kind": "file", "path": str(source)}, "outputs": outputs})
        job = await platform.ended(job_id)
        assert job["status"] == "completed", json.dumps(job["outputs"], indent=1)
        await audit.audit(platform)
    poster, story, preview, video = job["outputs"]
    assert (poster["width"], poster["height"], poster["frames"]) == (160, 90, 1)
    assert (story["files"], story["frames"]) == (["00001.jpg", "00002.jpg", "thumbnails.vtt"], 7)
    assert (preview["frames"], preview["durationSeconds"], preview["videoCodec"]) == (30, 2.0, "gif")
    assert video["frames"] == 60
    for output in (poster, story, preview):
        assert [check["name"] for check in output["proof"]["checks"] if check["passed"]][-2:] == ["pictures", "decode"]
    listed = cues.read(shelf.objects["/story/thumbnails.vtt"].decode())
    assert (listed[-1].end_ms, {cue.name for cue in listed}) == (2000, {"00001.jpg", "00002.jpg"})
    sheet = image_file.read(shelf.objects["/story/00002.jpg"])
    assert (sheet.width_px, sheet.height_px) == (320, 180)
    came = [request.target for request in shelf.seen if request.method == "PUT"]
    assert came[-1] == "/story/thumbnails.vtt"  # what it names is there before it


async def test_a_job_of_pictures_alone_decodes_no_more_of_its_source_than_they_need(dsn: str, tmp_path: Path) -> None:
    source = tmp_path / "in.mp4"
    often = ("-c:v", "libx264", "-preset", "ultrafast", "-g", "10")
    source.write_bytes(media.made("often.mp4", "-i", str(media.clip()), *often).read_bytes())
    outputs = [{"preset": "thumbnails", "thumbnails": {"at": [0.7, 1.9]}}, {"preset": "audio-aac"}]
    async with running(dsn, tmp_path) as platform:
        job = await platform.ended(
            await platform.submit({"source": {"kind": "file", "path": str(source)}, "outputs": outputs})
        )
        assert job["status"] == "completed", json.dumps(job["outputs"], indent=1)
    pictures = job["outputs"][0]
    assert pictures["frames"] == 2
    assert "decoded_sparsely" in [reason["code"] for reason in pictures["plan"]["reasons"]]
    assert [word for word in pictures["command"] if word.startswith("noise=drop=")]
