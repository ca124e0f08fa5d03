"""A quality to reach on a real ffmpeg (docs/why/encoding.md, "Quality")."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from encoder.ffmpeg.launcher import Launcher, Leash
from encoder.ffmpeg.plan import decide
from encoder.ffmpeg.probe import inspect
from encoder.worker import context, measure
from encoder.worker.aim import Aim
from encoder.worker.measure import Measure
from tests.lab.facts import ABLE, picture, spec
from tests.lab.media import clip, ffmpeg_binary, made
from tests.lab.platform import running


def grainy() -> Path:
    """Seven seconds that are not easy: three samples, none of them the whole."""
    return made(
        "grainy.mp4", "-f", "lavfi", "-i", "testsrc2=d=7:s=320x180:r=24,noise=alls=25:allf=t",
        "-c:v", "libx264", "-preset", "ultrafast", "-crf", "12", "-pix_fmt", "yuv420p",
    )  # fmt: skip


async def test_a_job_reaches_the_quality_it_asks_for(dsn: str, tmp_path: Path) -> None:
    """Samples, interpolation, encode, measure: predicted and measured are reported."""
    (tmp_path / "in.mp4").write_bytes(grainy().read_bytes())
    output = {"preset": "h264", "encoderPreset": "ultrafast"}
    job = {
        "source": {"kind": "file", "path": str(tmp_path / "in.mp4")},
        "outputs": [{**output, "targetQuality": 93}, {**output, "targetQuality": 88}],
    }
    async with running(dsn, tmp_path) as platform:
        number = await platform.submit(job)
        await platform.reaches(number, "sampling")
        done = await platform.ended(number)
        left = [file.name for file in platform.scratch.rglob("*.mkv")]
    assert done["status"] == "completed", done
    crfs = []
    for made_of_it, goal in zip(done["outputs"], (93, 88), strict=True):
        check = made_of_it["proof"]["checks"][-1]
        video = made_of_it["plan"]["video"]
        assert check["expected"] == {"vmaf": goal, "predictedVmaf": pytest.approx(video["predictedQuality"], abs=0.01)}
        assert check["measured"]["vmaf"] == pytest.approx(goal, abs=1.5)
        assert check["passed"]
        assert f"-crf {video['crf']:g} " in " ".join(made_of_it["command"])
        crfs.append(video["crf"])
    assert crfs[0] < crfs[1]
    assert left == []


async def test_each_picture_of_a_package_finds_a_crf_of_its_own(dsn: str, tmp_path: Path) -> None:
    (tmp_path / "in.mp4").write_bytes(grainy().read_bytes())
    rungs = [{"resolution": "180p"}, {"resolution": "90p"}]
    output = {"container": "cmaf", "encoderPreset": "ultrafast", "targetQuality": 85, "renditions": rungs}
    job = {"source": {"kind": "file", "path": str(tmp_path / "in.mp4")}, "outputs": [output]}
    async with running(dsn, tmp_path) as platform:
        done = await platform.ended(await platform.submit(job))
    assert done["status"] == "completed", done
    (package,) = done["outputs"]
    checks = [check for check in package["proof"]["checks"] if check["name"] == "quality"]
    assert [check["rendition"] for check in checks] == ["180p", "90p"]
    for check in checks:
        assert check["measured"]["vmaf"] == pytest.approx(85, abs=2)
    crfs = [rung["video"]["crf"] for rung in package["plan"]["renditions"]]
    assert len(set(crfs)) == 2
    assert package["plan"]["video"] == package["plan"]["renditions"][0]["video"]
    found = [note["message"] for note in package["plan"]["reasons"] if note["code"] == "crf_found"]
    assert [message.split(":")[0] for message in found] == ["180p", "90p"]
    for crf in crfs:
        assert f"-crf {crf:g} " in " ".join(package["command"])


async def test_where_no_sample_can_be_measured_the_encoder_s_own_crf_is_taken_and_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measure, "LEAST_MEMORY_BYTES", 1000)  # not enough for anything
    monkeypatch.setattr(measure, "MEMORY_PER_PIXEL_BYTES", 0)
    launcher = Launcher(binary=Path(ffmpeg_binary()))
    media = await inspect(launcher, clip(), folder=tmp_path, leash=Leash())
    plan = decide(media, {0: spec(encoderPreset="ultrafast", targetQuality=93)}, ABLE)
    held = SimpleNamespace(leash=Leash(), tell=lambda _output, _live: None)
    run: Any = SimpleNamespace(folder=tmp_path, job=SimpleNamespace(id=1), held=held)
    fetched = context.Fetched(path=clip(), size_bytes=1, seconds=0.0)
    stage = Measure(launcher, by_descriptor=True, threads=1, clock=lambda: 0.0)
    aimed = await Aim(launcher, stage, by_descriptor=True, threads=1)(run, fetched, media, plan)
    (output,) = aimed.outputs
    assert (picture(output).crf, picture(output).predicted_quality) == (23, None)
    assert [note.code for note in output.warnings] == ["target_not_tried"]
    assert list(tmp_path.glob("*.mkv")) == []
