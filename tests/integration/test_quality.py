"""Check 15 on a real ffmpeg (docs/why/encoding.md, "Quality"): like is compared with like, whatever the source is."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from encoder.ffmpeg import quality
from encoder.ffmpeg.launcher import Launcher, Leash, Limits
from encoder.ffmpeg.quality import Scores
from encoder.model.base import Json
from encoder.store.rows import Live
from encoder.worker import context, measure
from encoder.worker.measure import Measure
from encoder.worker.package import Package
from tests.lab.encoding import Made, fast, one, told
from tests.lab.facts import planned, source, spec, warned
from tests.lab.media import clip, ffmpeg_binary, made
from tests.lab.platform import running

LIMITS = Limits(wall_seconds=100.0)
ALL: list[Json] = ["vmaf", "ssim", "psnr"]
FINE: dict[str, Json] = {"crf": 10, "height": None, "audioCodec": "none", "measure": ALL}


async def scores(result: Made, path: Path, folder: Path) -> Scores:
    args = quality.comparison(result.plan, result.media, result.path, metrics=result.plan.measure, threads=2)
    ended = await Launcher(binary=Path(ffmpeg_binary())).run(
        args, folder=folder, leash=Leash(), limits=LIMITS, source=path
    )
    assert ended.code == 0, ended.log
    return quality.read(folder, result.plan, result.media, result.plan.measure)


def turned() -> Path:
    return made("turned.mp4", "-display_rotation", "90", "-i", str(clip(seconds=1)), "-c", "copy")


def wide_pixels() -> Path:
    return made("wide.mp4", "-i", str(clip(seconds=1)), "-vf", "setsar=4/3", "-preset", "ultrafast")


def interlaced() -> Path:
    return made(
        "combed.mp4", "-f", "lavfi", "-i", "testsrc2=d=1:s=320x180:r=50", "-vf", "interlace", "-flags", "+ilme+ildct",
        "-c:v", "libx264", "-pix_fmt", "yuv420p", "-crf", "10",
    )  # fmt: skip


def hdr() -> Path:
    return made(
        "hdr.mkv", "-f", "lavfi", "-i", "testsrc2=d=1:s=320x180:r=25", "-vf",
        "format=yuv420p10le,setparams=color_primaries=bt2020:color_trc=smpte2084:colorspace=bt2020nc:range=tv",
        "-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=error",
    )  # fmt: skip


@functools.cache
def short() -> Path:
    return clip(seconds=1, name="short.mp4")


# what the source is like, what is asked of it, and the least that a fine encode scores: less where pixels are lost
CASES: dict[str, tuple[Callable[[], Path], dict[str, Json], float]] = {
    "scaled down": (short, {"height": 90}, 75),
    "cropped": (short, {"width": 100, "height": 100, "fit": "cover"}, 50),
    "padded": (short, {"width": 100, "height": 100, "fit": "pad"}, 50),
    "stretched": (short, {"width": 100, "height": 100, "fit": "stretch"}, 60),
    "turned by the caller, half the frames": (short, {"rotate": 90, "fps": 15}, 97),
    "clipped": (clip, {"clip": {"start": 0.5, "end": 1.5}}, 97),
    "recorded turned": (turned, {}, 97),
    "of wide pixels": (wide_pixels, {}, 97),
    "interlaced": (interlaced, {}, 97),
    "tone-mapped": (hdr, {}, 97),
}
SEEN = {"recorded turned": "rotated", "interlaced": "deinterlaced", "tone-mapped": "hdr_to_sdr"}


@pytest.mark.parametrize("case", CASES)
async def test_like_is_compared_with_like(case: str, tmp_path: Path) -> None:
    """The reference through the same crop, fps, deinterlace and tone map; the output at the reference's size."""
    make, members, least = CASES[case]
    result = await one(make(), tmp_path, fast(**{**FINE, **members}))
    assert SEEN.get(case) in {None, *warned(result.plan)}
    found = await scores(result, make(), tmp_path)
    assert (found.vmaf or 0) > least
    assert (found.vmaf_5th_percentile or 0) <= (found.vmaf_harmonic_mean or 0) <= (found.vmaf or 0)
    assert 0.85 < (found.ssim or 0) < 1
    assert 25 < (found.psnr or 0) < 70


async def test_a_picture_against_itself_scores_highest_and_one_frame_later_low(tmp_path: Path) -> None:
    """The first frames are aligned."""
    result = await one(short(), tmp_path, fast(**{**FINE, "crf": 1}))
    late = tmp_path / "late.mp4"
    cut = "trim=start_frame=1,setpts=PTS-STARTPTS,tpad=stop=1:stop_mode=clone"
    told("-y", "-i", result.path, "-vf", cut, "-c:v", "libx264", "-crf", "1", "-preset", "ultrafast", late)
    right = await scores(result, short(), tmp_path)
    wrong = await scores(replace(result, path=late), short(), tmp_path)
    assert (right.vmaf or 0) > 99
    assert (wrong.vmaf or 0) < (right.vmaf or 0) - 20


def test_what_is_the_same_in_every_frame_has_a_number_too(tmp_path: Path) -> None:
    """An infinite PSNR is none."""
    plan = planned(source(), spec(measure=["psnr"]))
    (tmp_path / "psnr-0.txt").write_text("n:1 mse_avg:0.00 mse_y:0.00 psnr_avg:inf psnr_y:inf\n")
    assert quality.read(tmp_path, plan, source(), ["psnr"]).psnr == 100.0


def test_what_compared_nothing_is_an_error(tmp_path: Path) -> None:
    plan = planned(source(), spec(measure=["vmaf"]))
    (tmp_path / "vmaf-0.txt").write_text("Frame,vmaf,\n")
    with pytest.raises(ValueError, match="no frame"):
        quality.read(tmp_path, plan, source(), ["vmaf"])


async def test_the_numbers_come_with_the_proof_of_a_job(dsn: str, tmp_path: Path) -> None:
    """Check 15: VMAF mean, harmonic mean, 5th percentile; SSIM, PSNR."""
    (tmp_path / "in.mp4").write_bytes(short().read_bytes())
    job = {
        "source": {"kind": "file", "path": str(tmp_path / "in.mp4")},
        "outputs": [{"preset": "h264", "encoderPreset": "ultrafast", "measure": ALL}],
    }
    async with running(dsn, tmp_path) as platform:
        done = await platform.ended(await platform.submit(job))
        left = [file.name for file in platform.scratch.rglob("*.txt")]
    assert done["status"] == "completed", done
    (output,) = done["outputs"]
    check = output["proof"]["checks"][-1]
    assert (check["name"], check["passed"]) == ("quality", True)
    assert set(check["measured"]) == {
        "vmaf", "vmafHarmonicMean", "vmaf5thPercentile", "vmafLowest", "vmafLowestFrame", "vmafModel", "ssim", "psnr",
    }  # fmt: skip
    assert check["measured"]["vmaf"] > 80
    assert output["warnings"] == []
    assert left == []


@pytest.mark.parametrize(
    "members",
    [{"container": "cmaf"}, {"container": "hls", "encryption": "aes-128"}, {"container": "hls", "segmentFormat": "ts"}],
)
async def test_each_picture_of_a_package_has_its_numbers(dsn: str, tmp_path: Path, members: dict[str, Any]) -> None:
    """Measured as it is delivered: the joined segments, opened with their key. A frame off would cost 20 points."""
    source = clip(seconds=4)
    (tmp_path / "in.mp4").write_bytes(source.read_bytes())
    rungs = [{"height": 180, "crf": 10}, {"height": 90, "crf": 10}]
    package = {"renditions": rungs, "encoderPreset": "veryfast", "segmentSeconds": 2, "measure": ALL, **members}
    job = {"source": {"kind": "file", "path": str(tmp_path / "in.mp4")}, "outputs": [package]}
    async with running(dsn, tmp_path) as platform:
        done = await platform.ended(await platform.submit(job))
        left = [file.name for file in platform.scratch.rglob("out-*")]
    assert done["status"] == "completed", done
    (output,) = done["outputs"]
    checks = [check for check in output["proof"]["checks"] if check["name"] == "quality"]
    assert [check["rendition"] for check in checks] == ["180p", "90p"]
    assert checks[0]["measured"]["vmaf"] > 97
    assert 50 < checks[1]["measured"]["vmaf"] < checks[0]["measured"]["vmaf"]
    assert output["warnings"] == []
    assert left == []


async def test_an_output_that_cannot_be_measured_is_delivered_with_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """15 only warns."""
    result = await one(short(), tmp_path, fast(**FINE))
    launcher = Launcher(binary=Path(ffmpeg_binary()))
    stage = Measure(launcher, by_descriptor=True, threads=1, clock=lambda: 0.0)
    made = context.Made(plan=result.plan, path=result.path, command=(), log="", seconds=0.0, cpu_seconds=0.0)
    package = Package.of_file(result.path, size_bytes=1, sha256="", content_type="")
    proven = context.Proven(made=made, proof=result.proof, package=package, seconds=0.0, opened=result.opened)
    run: Any = SimpleNamespace(
        folder=tmp_path, job=SimpleNamespace(id=1), held=SimpleNamespace(leash=Leash(), tell=told_live)
    )
    fetched = context.Fetched(path=short(), size_bytes=1, seconds=0.0)
    measured = await stage(run, fetched, result.media, proven)
    assert [check.name for check in measured.proof.checks][-1] == "quality"
    monkeypatch.setattr(measure, "LEAST_MEMORY_BYTES", 1000)  # not enough for anything
    monkeypatch.setattr(measure, "MEMORY_PER_PIXEL_BYTES", 0)
    failed = await stage(run, fetched, result.media, proven)
    assert failed.proof == proven.proof
    assert [note.code for note in failed.made.notes] == ["quality_not_measured"]


def told_live(_output: int, live: Live) -> None:
    assert live.stage == "comparing"
