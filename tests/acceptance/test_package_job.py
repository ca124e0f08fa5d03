"""Packages as their users meet them: a job in, a folder out that plays from end to end."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

from tests.lab import audit, media
from tests.lab.packages import files_below
from tests.lab.platform import Platform, running
from tests.lab.put import Shelf

RUNGS = [{"resolution": "180p", "videoBitrate": "300k"}, {"resolution": "90p", "videoBitrate": "100k"}]
LADDER = {"encoderPreset": "ultrafast", "renditions": RUNGS, "segmentSeconds": 2}


async def test_a_ladder_becomes_a_folder_that_plays_whole(dsn: str, tmp_path: Path) -> None:
    """Of "HLS, DASH, CMAF" and "One decode, many outputs": in one job with a single file, each proven."""
    out = tmp_path / "out"
    async with running(dsn, tmp_path) as platform:
        place = {"kind": "file", "path": f"{out}/{{jobId}}/"}
        job = await _made(
            platform, tmp_path, {"preset": "hls", **LADDER, "destination": place}, {"preset": "h264", "height": 90}
        )
        assert job["status"] == "completed", json.dumps(job["outputs"], indent=1)
        package = job["outputs"][0]
        await audit.audit(platform)
    assert package["command"] == job["outputs"][1]["command"]  # one decode
    files = files_below(out / str(job["id"]))
    assert files.keys() == set(package["files"])
    assert {"master.m3u8", "180p/init.mp4", "90p/00003.m4s", "audio/index.m3u8"} <= files.keys()
    assert package["uri"].endswith(f"/{job['id']}/")
    assert package["sizeBytes"] == sum(map(len, files.values()))
    assert (package["width"], package["height"], package["frames"], package["audioCodec"]) == (320, 180, 150, "aac")
    checks = package["proof"]["checks"]
    assert all(check["passed"] for check in checks)
    assert {check["rendition"] for check in checks} == {"180p", "90p", "audio", None}
    assert [check["name"] for check in checks if check["rendition"] is None] == ["package"]
    assert _frames(out / str(job["id"]) / "master.m3u8") == {"video": 150, "audio": 235}


async def test_a_package_arrives_file_by_file_and_its_manifests_last(dsn: str, tmp_path: Path) -> None:
    """Of "HLS, DASH, CMAF": segments, init, media playlists, multivariant and MPD last; over HTTP."""
    async with running(dsn, tmp_path) as platform, Shelf() as shelf:
        place = {"kind": "http", "url": shelf.url("/show/"), "method": "PUT"}
        job = await _made(platform, tmp_path, {"container": "cmaf", **LADDER, "destination": place})
        assert job["status"] == "completed", json.dumps(job["outputs"], indent=1)
    came = [request.target.removeprefix("/show/") for request in shelf.seen if request.method == "PUT"]
    assert sorted(came) == sorted(job["outputs"][0]["files"])
    ranks = [_rank(name) for name in came]
    assert ranks == sorted(ranks), came
    types = {request.target: request.headers.get("content-type") for request in shelf.seen if request.method == "PUT"}
    assert types["/show/master.mpd"] == "application/dash+xml"
    assert types["/show/180p/00001.m4s"] == "video/iso.segment"


def _rank(name: str) -> int:
    """Whether others point to it: media, then the playlists of renditions, then what players open first."""
    if not name.endswith((".m3u8", ".mpd")):
        return 0
    return 1 if "/" in name else 2


async def _made(platform: Platform, folder: Path, *outputs: dict[str, Any]) -> dict[str, Any]:
    source = folder / "in.mp4"
    shutil.copy(media.clip(seconds=5), source)
    job_id = await platform.submit({"source": {"kind": "file", "path": str(source)}, "outputs": list(outputs)})
    return await platform.ended(job_id)


def _frames(playlist: Path) -> dict[str, int]:
    """How many packets a player reads of the best picture and its sound, every frame of them decoded."""
    done = subprocess.run(
        [media.ffmpeg_binary(), "-v", "verbose", "-xerror", "-i", playlist, "-map", "0:v:0", "-map", "0:a:0",
         "-f", "null", "-"],
        capture_output=True, check=True,
    )  # fmt: skip
    lines = [line.split() for line in done.stderr.decode().splitlines() if "frames decoded" in line]
    return {line[line.index("stream") + 2].strip("():"): int(line[line.index("frames") - 1]) for line in lines}


async def test_a_dry_run_tells_the_rungs_and_the_one_run_that_makes_them(dsn: str, tmp_path: Path) -> None:
    """Of "One decode, many outputs" and "Ladder and grid": what is left out and why, before anything is made."""
    source = tmp_path / "in.mp4"
    shutil.copy(media.clip(seconds=5), source)
    outputs = [{"preset": "hls", "upscale": False}, {"preset": "h264"}]
    async with running(dsn, tmp_path) as platform:
        status, told = await platform.call(
            "POST", "/jobs?dryRun=true", json={"source": {"kind": "file", "path": str(source)}, "outputs": outputs}
        )
    assert status == 200, told
    package, single = told["outputs"]
    assert [rung["name"] for rung in package["plan"]["renditions"]] == ["180p", "audio"]
    assert [note["code"] for note in package["reasons"]].count("rung_left_out") == 4
    assert package["commands"] == single["commands"]
    assert package["commands"][0].count("hls") == 2
    assert package["estimate"]["sizeBytes"] > 0
