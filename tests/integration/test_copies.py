"""Copies of sources that make them hard (docs/why/encoding.md, `copy`: "only what the container may hold")."""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from pathlib import Path

import av
import pytest

from tests.lab.encoding import fast, judge, one
from tests.lab.facts import picture, spec
from tests.lab.media import clip, made

REORDERED = ("-c:v", "libx264", "-preset", "veryfast", "-bf", "2", "-pix_fmt", "yuv420p")


def source(name: str, *options: str) -> Path:
    return made(
        name, "-f", "lavfi", "-i", "testsrc2=d=1:s=320x180:r=25", "-f", "lavfi", "-i", "sine=d=1:r=48000",
        *options, "-shortest",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("reordered.avi", (*REORDERED, "-c:a", "mp3")),
        ("reordered.mpg", ("-c:v", "mpeg2video", "-bf", "2", "-c:a", "mp2")),
    ],
)
async def test_frames_without_times_are_encoded_anew_and_whole(
    name: str, options: tuple[str, ...], tmp_path: Path
) -> None:
    """A copy of them into Matroska ends with "Can't write packet with unknown timestamp"."""
    copied = spec(None, container="mkv", videoCodec="copy", audioCodec="copy")
    result = await one(source(name, *options), tmp_path, copied)
    assert picture(result.plan).encoder == "libx264"
    assert result.proof.passed, result.proof.failed


@pytest.mark.parametrize("container", ["mp4", "mov", "mkv", "mpegts"])
async def test_a_range_that_only_the_container_told_does_not_fail_a_copy(container: str, tmp_path: Path) -> None:
    path = source("told.mkv", *REORDERED, "-c:a", "aac")
    result = await one(path, tmp_path, spec(None, container=container, videoCodec="copy", audioCodec="copy"))
    assert picture(result.plan).encoder == "copy"
    assert result.proof.passed, result.proof.failed


async def test_toggling_twice_is_where_it_began(tmp_path: Path) -> None:
    toggled = await one(clip(seconds=1), tmp_path, fast("toggle-h264-hevc"))
    back = await one(toggled.path.rename(tmp_path / "hevc.mp4"), tmp_path, fast("toggle-h264-hevc"))
    assert [made.opened.media.video[0].codec for made in (toggled, back)] == ["hevc", "h264"]
    assert toggled.proof.passed
    assert back.proof.passed


@cache
def interwoven(name: str = "interwoven.mp4") -> Path:
    """Three seconds with a keyframe every two, whose frames wait for later ones in turn: up to three for one."""
    return made(
        name, "-f", "lavfi", "-i", "testsrc2=d=3:s=320x180:r=25", "-f", "lavfi", "-i", "sine=d=3:r=48000",
        "-c:v", "libx264", "-preset", "veryfast", "-g", "50", "-pix_fmt", "yuv420p", "-c:a", "aac",
        "-x264-params", "bframes=3:b-adapt=0:b-pyramid=normal:scenecut=0",
    )  # fmt: skip


def shown(path: Path) -> list[float]:
    """When each frame is shown that a decoder gives out."""
    with av.open(str(path)) as container:
        return [frame.time for frame in container.decode(video=0)]


@pytest.mark.parametrize("name", ["interwoven.mp4", "interwoven.mkv"])
@pytest.mark.parametrize(("start", "end"), [(0.4, 1.2), (0.5, 1.24), (1.0, 1.32), (1.04, 2.6), (2.2, 2.96)])
async def test_a_copied_clip_ends_without_a_hole_where_no_frame_waits(
    name: str, start: float, end: float, tmp_path: Path
) -> None:
    """By decoding time, which is how `-t` ends a copy, frames from after the end are there and some before it not."""
    copied = spec(None, container="mp4", videoCodec="copy", clip={"start": start, "end": end})
    result = await one(interwoven(name), tmp_path, copied)
    assert (picture(result.plan).encoder, picture(result.plan).frames_limit) == ("copy", 1)
    assert result.proof.passed, result.proof.failed
    times = shown(result.path)
    assert len(times) == picture(result.plan).frames
    assert [round(later - earlier, 2) for earlier, later in pairwise(times)] == [0.04] * (len(times) - 1)
    length = result.plan.clip_seconds
    assert length is not None
    assert times[-1] + 0.04 == pytest.approx(length, abs=0.002)
    assert abs(start + length - end) < 0.09


async def test_an_end_that_had_to_be_moved_is_told(tmp_path: Path) -> None:
    lengths, told = set(), set()
    for end in (1.2, 1.24, 1.28, 1.32):
        copied = spec(None, container="mp4", videoCodec="copy", clip={"start": 0.4, "end": end})
        plan = (await one(interwoven(), tmp_path, copied)).plan
        moved = "end_moved" in {note.code for note in plan.reasons}
        assert moved is (round((plan.clip_seconds or 0) + 0.4, 2) != end)
        lengths.add(plan.clip_seconds)
        told.add(moved)
    assert told == {True, False}
    assert len(lengths) > 1


async def test_a_copy_with_a_hole_at_its_end_is_no_proven_result(tmp_path: Path) -> None:
    copied = spec(None, container="mp4", videoCodec="copy", audioCodec="none", clip={"start": 0.4, "end": 1.2})
    good = await one(interwoven(), tmp_path, copied)
    holed = made(
        "holed.mp4", "-ss", "0.4", "-i", str(interwoven()), "-map", "0:v", "-c", "copy",
        "-t", f"{good.plan.clip_seconds}", "-movflags", "+faststart",
    )  # fmt: skip
    assert max(later - earlier for earlier, later in pairwise(shown(holed))) > 0.05
    good.path.write_bytes(holed.read_bytes())
    judged = await judge(good)
    assert {"duration", "frames"} & {check.name for check in judged.proof.failed}
