"""The ends of real sources: moments without frame, clips of the last one, sound that is over (docs/why/encoding.md)."""

from __future__ import annotations

from pathlib import Path

import pytest

from encoder.ffmpeg import whole
from encoder.ffmpeg.launcher import Launcher, Leash
from encoder.ffmpeg.plan import decide
from encoder.ffmpeg.probe import inspect
from encoder.model.base import Json
from encoder.model.job import OutputSpec
from tests.integration.test_images import moment, slow
from tests.lab.broken import result
from tests.lab.encoding import fast, one
from tests.lab.facts import ABLE, spec, warned
from tests.lab.imaging import image
from tests.lab.media import clip, ffmpeg_binary, made


def long_sound() -> Path:
    """`slow`, two seconds of ten frames each, with three seconds of sound."""
    return made(
        "long-sound.mp4", "-i", str(slow()), "-f", "lavfi", "-i", "sine=d=3:r=48000", "-map", "0:v", "-map", "1:a",
        "-c:v", "copy", "-c:a", "aac",
    )  # fmt: skip


def short_sound() -> Path:
    """A second of thirty frames, of which the last three have no sound."""
    return made(
        "short-sound.mp4", "-i", str(clip(seconds=1)), "-f", "lavfi", "-i", "sine=d=0.9:r=48000", "-map", "0:v",
        "-map", "1:a", "-c:v", "copy", "-c:a", "aac",
    )  # fmt: skip


def cut_short() -> Path:
    """Of six seconds the index, and media of less than four."""
    whole = made("whole.mp4", "-i", str(clip(seconds=6)), "-c", "copy", "-movflags", "+faststart")
    part = whole.with_name("part.mp4")
    part.write_bytes(whole.read_bytes()[: whole.stat().st_size * 6 // 10])
    return part


@pytest.mark.parametrize("start", [1.97, 2.0, 2.5])
async def test_a_still_after_the_last_frame_shows_it(start: float, tmp_path: Path) -> None:
    found = await image(long_sound(), tmp_path, spec(None, container="png", width=160, clip={"start": start}))
    assert found.proof.passed, found.proof.failed
    assert moment(found.path, slow()) == 1.9


async def test_moments_after_the_last_frame_show_it_though_sound_goes_on(tmp_path: Path) -> None:
    output = spec(None, container="png", thumbnails={"at": [0.3, 2.5], "width": 160})
    found = await image(long_sound(), tmp_path, output)
    assert found.proof.passed, found.proof.failed
    assert [moment(file, slow()) for file in found.files] == [0.3, 1.9]


@pytest.mark.parametrize(
    ("output", "check"),
    [
        (spec(None, container="jpg", clip={"start": 1.0}), "pictures"),
        (spec("gif", width=160), "pictures"),
        (fast(height=120), "container.sizeBytes"),
    ],
)
async def test_a_file_that_is_not_there_is_a_finding_and_no_crash(
    output: OutputSpec, check: str, tmp_path: Path
) -> None:
    """D17"""
    (tmp_path / "made").mkdir()
    (tmp_path / "judged").mkdir()
    there = await result(slow(), tmp_path / "made", output)
    judged = await there.judged(tmp_path / "judged", damage=Path.unlink)
    assert (judged.problem.code, judged.problem.check) == ("output_invalid", check)


@pytest.mark.parametrize(
    "output",
    [
        spec(None, container="jpg", clip={"start": 5.5}),
        spec(None, container="jpg", thumbnails={"at": [1, 5.5]}),
        spec(None, container="jpg", thumbnails={"at": [1, 60]}),
    ],
)
async def test_a_moment_in_the_lost_part_is_told_as_the_source_s_fault(output: OutputSpec, tmp_path: Path) -> None:
    """And never shown as another moment."""
    assert (await image(cut_short(), tmp_path, output)).code == "source_truncated"


async def test_a_moment_before_the_lost_part_is_shown(tmp_path: Path) -> None:
    found = await image(cut_short(), tmp_path, spec(None, container="jpg", clip={"start": 1.0}))
    assert found.proof.passed, found.proof.failed


@pytest.mark.parametrize("start", [0.96, 0.9])
@pytest.mark.parametrize("preset", ["h264", "hls", "dash"])
async def test_the_last_frames_without_sound_make_a_whole_output(preset: str, start: float, tmp_path: Path) -> None:
    """Of one frame the bandwidth was promised a little too low: its time is told in six digits."""
    (tmp_path / "made").mkdir()
    (tmp_path / "judged").mkdir()
    output = spec(preset, encoderPreset="ultrafast", clip={"start": start})
    there = await result(short_sound(), tmp_path / "made", output)
    assert (there.made.plan.audio, warned(there.made.plan)) == (None, {"no_audio"})
    judged = await there.judged(tmp_path / "judged")
    assert judged.proven is not None, judged.problem


ALONE: dict[str, Json] = {"whole": None, "a second": {"end": 1.0}, "between packets": {"start": 0.3, "end": 1.31}}


@pytest.mark.parametrize("kept", ALONE.values(), ids=ALONE)
@pytest.mark.parametrize("codec", ["aac", "mp3"])
async def test_sound_alone_in_a_transport_stream_is_as_long_as_its_packets(
    codec: str, kept: Json, tmp_path: Path
) -> None:
    """It has no edit list: what the encoder puts before the sound and behind it stays there."""
    members: dict[str, Json] = {} if kept is None else {"clip": kept}
    found = await one(clip(), tmp_path, spec(None, container="mpegts", videoCodec="none", audioCodec=codec, **members))
    assert found.proof.passed, found.proof.failed


async def test_what_a_file_lost_is_known_and_told_before_any_work(tmp_path: Path) -> None:
    launcher = Launcher(binary=Path(ffmpeg_binary()))
    media = await inspect(launcher, cut_short(), folder=tmp_path, leash=Leash())
    lost = media.video[0].lost_seconds, media.audio[0].lost_seconds
    assert all(1.5 < each < 3.5 for each in lost), lost
    plan = whole.kept(decide(media, {0: spec(), 1: spec(clip={"start": 0, "end": 1})}, ABLE), media)
    assert [(refusal.output, refusal.code) for refusal in plan.refused] == [(0, "source_truncated")]
    assert [each.output for each in plan.outputs] == [1]
