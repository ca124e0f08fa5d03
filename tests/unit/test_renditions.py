"""What is done with the folders that ffmpeg leaves of a package."""

from __future__ import annotations

from pathlib import Path

import pytest

from encoder import errors
from encoder.ffmpeg.plan import decide
from encoder.model.media import Opened
from encoder.worker import renditions
from tests.lab.facts import ABLE, audio, source, spec, video


def test_segments_are_joined_as_they_are_played(tmp_path: Path) -> None:
    folder = tmp_path / "720p"
    folder.mkdir()
    segments = ("00002.m4s", "00010.m4s", "00001.m4s")
    for name in (*segments, "init.mp4"):
        (folder / name).write_text(f"{name} ")
    (folder / "index.m3u8").write_text("\n".join(("#EXTM3U", '#EXT-X-MAP:URI="init.mp4"', *sorted(segments), "")))
    renditions.join(folder, tmp_path / "whole")
    assert (tmp_path / "whole").read_text() == "init.mp4 00001.m4s 00002.m4s 00010.m4s "


def test_a_full_disk_is_no_fault_of_the_package(tmp_path: Path) -> None:
    (tmp_path / "00001.ts").write_bytes(b"x")
    (tmp_path / "index.m3u8").write_text("#EXTM3U\n00001.ts\n")
    with pytest.raises(errors.Resource, match="disk_full"):
        renditions.join(tmp_path, Path("/dev/full"))


def test_a_package_is_told_by_its_first_picture_and_its_sound() -> None:
    (plan,) = decide(source(), {0: spec("hls")}, ABLE).outputs
    seen = [
        Opened(media=source(picture=video(coded_height=height), silent=True, bitrate_bps=height), counts=())
        for height in (1080, 720, 480, 360)
    ]
    heard = Opened(media=source(video=(), sound=audio(codec="aac"), bitrate_bps=7, duration_seconds=10.02), counts=())
    best = renditions.best(plan, [*seen, heard]).media
    assert [stream.coded_height for stream in best.video] == [1080]
    assert [stream.codec for stream in best.audio] == ["aac"]
    assert (best.bitrate_bps, best.duration_seconds) == (1087, 10.02)
