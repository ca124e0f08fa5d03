"""The rules of docs/encoding.md, "Source hygiene", on sources of each odd kind: planned, made, proven, looked at."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lab.encoding import fast, one, ssim
from tests.lab.facts import picture, warned
from tests.lab.media import made

_H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-crf", "14")
_FILM = "testsrc2=d=2:s=720x480:r=24000/1001,scroll=h=0.01"


@pytest.mark.parametrize("field", ["top", "bottom"])
async def test_a_film_on_video_is_put_together_again(field: str, tmp_path: Path) -> None:
    """Telecine: `fieldmatch,decimate`. Its own frames come out, none combed, none twice."""
    video = made(f"film-{field}.mp4", "-f", "lavfi", "-i", f"{_FILM},telecine=pattern=23:first_field={field}", *_H264)
    result = await one(video, tmp_path, fast(height=None, crf=12))
    assert result.proof.passed, result.proof.failed
    assert (picture(result.plan).rate, picture(result.plan).frames) == ("24000/1001", 48)
    assert "film_restored" in warned(result.plan)
    film = made("film.mp4", "-f", "lavfi", "-i", _FILM, *_H264)
    assert ssim(result.path, film) > 0.97


async def test_interlace_is_not_taken_for_telecine(tmp_path: Path) -> None:
    """Telecine is told by fields that repeat in step: true interlace has none, and keeps its rate."""
    fields = made("fields.mp4", "-f", "lavfi", "-i", "testsrc2=d=2:s=720x480:r=60000/1001,scroll=h=0.01,"
                  "tinterlace=interleave_top:flags=vlpf", *_H264)  # fmt: skip
    result = await one(fields, tmp_path, fast(height=240))
    assert result.media.video[0].interlaced
    assert (result.media.video[0].telecined, picture(result.plan).rate) == (False, "30000/1001")
