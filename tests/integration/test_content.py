"""Check `content`: what is black or stands still where its source is not. Nothing else is wrong with these files."""

from __future__ import annotations

from pathlib import Path

import pytest

from encoder.ffmpeg.eye import Eye
from encoder.ffmpeg.launcher import Launcher, Leash
from encoder.ffmpeg.plan import decide
from encoder.ffmpeg.probe import inspect
from encoder.ffmpeg.watch import Content
from tests.lab.encoding import fast
from tests.lab.facts import ABLE
from tests.lab.media import ffmpeg_binary, made

_H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p")
_MOVING = "testsrc2=d=6:s=320x180:r=10,scroll=h=0.02"
_SPOILT = {
    "still": "loop=loop=-1:size=1:start=20,trim=end_frame=60",
    "black": "drawbox=enable='between(t,2,5)':color=black:t=fill",
}


def _clip(name: str, more: str = "null") -> Path:
    return made(f"{name}.mp4", "-f", "lavfi", "-i", f"{_MOVING},{more}", *_H264)


async def _seen(source: Path, result: Path, folder: Path) -> Content:
    launcher = Launcher(binary=Path(ffmpeg_binary()))
    media = await inspect(launcher, source, folder=folder, leash=Leash())
    plan = decide(media, {0: fast(height=None)}, ABLE).outputs[0]
    ended, content = await Eye(ffmpeg=launcher, source=source, folder=folder, leash=Leash()).decoded(plan, result)
    assert (ended.code, ended.log) == (0, "")
    assert content is not None
    return content


@pytest.mark.parametrize("kind", _SPOILT)
async def test_a_result_that_is_black_or_still_where_its_source_is_not_is_seen(kind: str, tmp_path: Path) -> None:
    content = await _seen(_clip("moving"), _clip(kind, _SPOILT[kind]), tmp_path)
    assert (kind, False) in {(doubt.kind, is_so) for doubt, is_so in content.doubts}


@pytest.mark.parametrize("kind", _SPOILT)
async def test_a_source_that_is_black_or_still_itself_makes_no_alarm(kind: str, tmp_path: Path) -> None:
    spoilt = _clip(kind, _SPOILT[kind])
    content = await _seen(spoilt, spoilt, tmp_path)
    assert content.doubts
    assert all(is_so for _, is_so in content.doubts)


async def test_what_moves_is_not_doubted(tmp_path: Path) -> None:
    assert await _seen(_clip("moving"), _clip("moving"), tmp_path) == Content()
    assert list(tmp_path.iterdir()) == []
