"""Two passes on a real ffmpeg (docs/why/encoding.md, "One decode, many outputs; two passes")."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.lab.encoding import fast, run
from tests.lab.facts import spec
from tests.lab.media import clip
from tests.lab.platform import running

RATE = 400_000
QUICK = {"vp9": "8", "av1": "8"}


async def test_every_encoder_finds_what_its_own_first_pass_left(tmp_path: Path) -> None:
    """One prefix per output, the stream's index right: sound lies between the pictures of the second run."""
    outputs = [
        fast(height=120, twoPass=True, videoBitrate=RATE),
        fast(height=120),
        fast("hevc", height=120, twoPass=True, videoBitrate=RATE),
        *(
            spec(name, height=120, encoderPreset=speed, twoPass=True, videoBitrate=RATE)
            for name, speed in QUICK.items()
        ),
    ]
    results = await run(clip(), tmp_path, *outputs)
    assert [made.plan.output for made in results] == list(range(len(outputs)))  # one pass
    for made in results:
        assert made.proof.passed, made.proof.failed
    left = {file.name for file in tmp_path.iterdir() if file.name.startswith("pass-") and file.suffix == ".log"}
    assert left == {"pass-0-0.log", "pass-2.log", "pass-3-6.log", "pass-4-8.log"}


async def test_a_job_of_two_passes_comes_through_the_worker(dsn: str, tmp_path: Path) -> None:
    """A dry run shows both commands; so does the job."""
    twice = {"encoderPreset": "ultrafast", "height": 120, "videoBitrate": RATE, "twoPass": True}
    (tmp_path / "in.mp4").write_bytes(clip().read_bytes())
    job = {
        "source": {"kind": "file", "path": str(tmp_path / "in.mp4")},
        "outputs": [{"preset": "h264", **twice}, {"preset": "h264", **twice, "height": 90}],
    }
    async with running(dsn, tmp_path) as platform:
        status, preview = await platform.call("POST", "/jobs?dryRun=true", json=job)
        assert status == 200, preview
        done = await platform.ended(await platform.submit(job))
    assert done["status"] == "completed", done
    for planned, made in zip(preview["outputs"], done["outputs"], strict=True):
        assert [command.count("-pass:v") for command in planned["commands"]] == [2, 2]
        assert made["command"].count("&&") == 1
        assert made["command"].count("-pass:v") == 4
        assert all(check["passed"] for check in made["proof"]["checks"])


@pytest.mark.parametrize("members", [{"container": "cmaf"}, {"container": "hls", "videoCodec": "libx265"}])
async def test_a_package_of_two_passes_comes_through_the_worker(
    dsn: str, tmp_path: Path, members: dict[str, Any]
) -> None:
    """Beside a file: each rung finds what its own first pass left, or its encoder would refuse to open."""
    (tmp_path / "in.mp4").write_bytes(clip().read_bytes())
    rungs = [{"height": 120, "videoBitrate": RATE}, {"height": 90, "videoBitrate": RATE // 2}]
    package = {**members, "encoderPreset": "ultrafast", "twoPass": True, "renditions": rungs}
    single = {"preset": "h264", "encoderPreset": "ultrafast", "height": 120, "videoBitrate": RATE, "twoPass": True}
    job = {"source": {"kind": "file", "path": str(tmp_path / "in.mp4")}, "outputs": [single, package]}
    async with running(dsn, tmp_path) as platform:
        done = await platform.ended(await platform.submit(job))
    assert done["status"] == "completed", done
    (_, made) = done["outputs"]
    assert made["command"].count("&&") == 1
    assert all(check["passed"] for check in made["proof"]["checks"])
    assert [rung["video"]["twoPass"] for rung in made["plan"]["renditions"] if rung["video"]] == [True, True]
