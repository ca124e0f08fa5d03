"""Copies of sources that make them hard (docs/encoding.md, `copy`: "only what the container may hold")."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lab.encoding import fast, one
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
