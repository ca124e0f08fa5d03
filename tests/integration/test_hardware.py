"""Whether an encoder works is found out by encoding a frame."""

from __future__ import annotations

from pathlib import Path

import pytest

from encoder.ffmpeg import abilities, codecs, hardware
from encoder.ffmpeg.launcher import Launcher, Leash, Limits, Reason
from encoder.ffmpeg.probe import inspect
from encoder.model.base import Json
from tests.lab.broken import encoded
from tests.lab.encoding import Judging, fast, judge, one
from tests.lab.facts import ABLE, picture, spec, warned
from tests.lab.ffx import ffx, launcher_of
from tests.lab.media import clip, ffmpeg_binary

LISTED = ("h264_nvenc", "hevc_vaapi", "av1_qsv", "libx264", "aac")


@pytest.fixture
def launcher() -> Launcher:
    return Launcher(binary=Path(ffmpeg_binary()))


def no_device() -> bool:
    return not any(Path(device).exists() for kind in hardware.KINDS for device in kind.devices)


async def test_an_encoder_works_when_it_encodes_a_frame(launcher: Launcher, tmp_path: Path) -> None:
    assert await hardware.encodes(launcher, "libx264", folder=tmp_path)
    assert not await hardware.encodes(launcher, "h264_of_nobody", folder=tmp_path)


async def test_what_the_build_lists_is_no_ability_until_it_has_worked(
    launcher: Launcher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The build lists them all, whatever the machine has."""
    if not no_device():
        pytest.skip("this machine has such hardware")
    monkeypatch.setattr(hardware.Kind, "is_here", lambda _kind: True)  # nothing is taken for granted: each is tried
    assert await hardware.working(launcher, LISTED, folder=tmp_path) == {"libx264", "aac"}


async def test_without_a_device_none_is_tried(launcher: Launcher, tmp_path: Path) -> None:
    """A start costs nothing where there is nothing to find."""
    if not no_device():
        pytest.skip("this machine has such hardware")
    absent = Launcher(binary=tmp_path / "no-ffmpeg")
    assert await hardware.working(absent, LISTED[:-2], folder=tmp_path) == frozenset()
    able = await abilities.read_abilities(launcher, folder=tmp_path)
    assert not any(codecs.VIDEO_ENCODERS[name].in_hardware for name in able.encoders & codecs.VIDEO_ENCODERS.keys())
    assert "libx264" in able.encoders


async def test_a_job_for_hardware_is_made_in_software_and_proven(
    launcher: Launcher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    able = await abilities.read_abilities(launcher, folder=tmp_path)
    if not able.encoders.isdisjoint({"h264_nvenc"}):
        pytest.skip("this machine has such hardware")
    monkeypatch.setattr("tests.lab.encoding.ABLE", able)
    result = await one(clip(), tmp_path, fast(None, container="mp4", videoCodec="h264_nvenc", encoderPreset="p1"))
    assert picture(result.plan).encoder == "libx264"
    assert "codec_substituted" in warned(result.plan)
    assert result.proof.passed, result.proof.failed
    assert "h264_nvenc" in ABLE.encoders  # the lab's own would have tried


async def test_a_device_is_open_to_runs_that_name_it_and_to_no_others(launcher: Launcher, tmp_path: Path) -> None:
    if not launcher.layers.landlock_fs:
        pytest.skip("this kernel offers no Landlock")
    frame = ("-f", "rawvideo", "-s", "16x16", "-r", "1", "-i", "/dev/zero", "-frames:v", "1", "-f", "null", "-")

    async def read(*devices: str) -> Reason:
        limits = Limits(wall_seconds=20.0, devices=devices)
        ended, _ = await launcher.ask(("-v", "error", *frame), folder=tmp_path, leash=Leash(), limits=limits)
        return ended.reason

    assert await read() is not Reason.OK
    assert await read("/dev/zero") is Reason.OK
    assert await read("/dev/zero", "/dev/not-here") is Reason.OK


_BROKEN_OFF = ("unless h264_nvenc", "progress frame=10 out_time_us=400000")


@pytest.mark.parametrize("end", ["exit 171", "signal 11"])
@pytest.mark.parametrize("outputs", [1, 2])
async def test_hardware_that_fails_in_the_middle_is_stood_in_for_by_software_and_it_is_told(
    end: str, outputs: int, tmp_path: Path
) -> None:
    """A card is lost, a driver crashes, a card has no session left: another attempt would fail alike."""
    program = ffx(tmp_path, *_BROKEN_OFF, "say Error submitting video frame to the encoder", end)
    asked = {number: fast(None, container="mp4", videoCodec="h264_nvenc", crf=30) for number in range(outputs)}
    folder = tmp_path / "job"
    folder.mkdir()
    made = await encoded(clip(), folder, asked, launcher=launcher_of(program))
    assert len(made) == outputs
    media = await inspect(Launcher(binary=Path(ffmpeg_binary())), clip(), folder=folder, leash=Leash())
    for each in made:
        assert picture(each.plan).encoder == "libx264"
        assert picture(each.plan).crf == codecs.VIDEO_ENCODERS["libx264"].default_crf  # 30 meant something else there
        assert "codec_substituted" in warned(each.plan)
        judged = await judge(Judging(plan=each.plan, path=each.path, source=clip(), media=media, log=each.log))
        assert judged.proof.passed, judged.proof.failed


async def test_a_package_of_hardware_that_fails_is_made_in_software_rung_by_rung(tmp_path: Path) -> None:
    program = ffx(tmp_path, *_BROKEN_OFF, "exit 171")
    rungs: list[Json] = [{"height": 180, "videoBitrate": 300_000}, {"height": 90, "videoBitrate": 100_000}]
    asked = {0: spec(None, container="hls", videoCodec="h264_nvenc", renditions=rungs)}
    (made,) = await encoded(clip(), tmp_path, asked, launcher=launcher_of(program))
    videos = [stream.video for stream in made.plan.streams if stream.video is not None]
    assert [(video.encoder, video.bitrate_bps) for video in videos] == [("libx264", 300_000), ("libx264", 100_000)]
    assert all(("-sc_threshold", "0") in video.options for video in videos)
    assert len(list(made.path.rglob("*.m4s"))) >= 2


async def test_software_that_fails_is_not_tried_again(tmp_path: Path) -> None:
    program = ffx(tmp_path, "unless libx264", "exit 171")
    assert await encoded(clip(), tmp_path, {0: fast()}, launcher=launcher_of(program)) == []
