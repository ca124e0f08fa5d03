"""`copy` where it is legal, and the preset that makes the other of two codecs (docs/why/encoding.md)."""

from __future__ import annotations

import pytest

from encoder.ffmpeg import rules
from encoder.model.base import Json
from tests.lab.facts import hdr, picture, planned, refused, sound_only, source, spec, video, warned


@pytest.mark.parametrize("format_name", ["avi", "mpeg"])
def test_a_source_that_does_not_time_its_frames_is_not_copied(format_name: str) -> None:
    plan = planned(source(format=format_name), spec(None, container="mkv", videoCodec="copy"))
    assert picture(plan).encoder == "libx264"
    assert "codec_substituted" in warned(plan)


def test_what_stays_as_it_was_is_told_of_a_copy() -> None:
    stream = hdr(rotation_deg=90, interlaced=True, sample_aspect_ratio="64/45")
    plan = planned(source(picture=stream), spec(None, container="mp4", videoCodec="copy"))
    assert picture(plan).encoder == "copy"
    codes = {note.code for note in plan.reasons}
    assert {"copied", "turn_kept", "pixels_kept", "fields_kept", "hdr_kept"} <= codes


def test_of_a_plain_copy_nothing_else_is_told() -> None:
    plan = planned(source(), spec(None, container="mp4", videoCodec="copy"))
    assert [note.code for note in plan.reasons] == ["copied"]


@pytest.mark.parametrize(
    ("codec", "encoder", "tag"),
    [("h264", "libx265", "hvc1"), ("hevc", "libx264", None), ("vp9", "libx264", None)],
)
@pytest.mark.parametrize("container", ["mp4", "mov"])
def test_the_other_of_the_two_is_made_when_the_source_is_known(
    codec: str, encoder: str, tag: str | None, container: str
) -> None:
    plan = planned(source(picture=video(codec=codec)), spec("toggle-h264-hevc", container=container))
    assert (picture(plan).encoder, picture(plan).codec_tag) == (encoder, tag)
    assert codec in next(note.message for note in plan.reasons if note.code == "toggled")
    assert picture(plan).crf == {"libx264": 23, "libx265": 28}[encoder]


@pytest.mark.parametrize(
    ("members", "path"),
    [
        ({"container": "mkv"}, "/videoCodec"),
        ({"container": "hls"}, "/videoCodec"),
        ({"tune": "film"}, "/tune"),  # of x264 alone
        ({"profile": "main10"}, "/profile"),  # of x265 alone
        ({"crf": 0}, "/crf"),
    ],
)
def test_it_takes_only_what_both_take(members: dict[str, Json], path: str) -> None:
    assert [fault.path for fault in rules.check(spec("toggle-h264-hevc", **members))] == [path]


def test_what_both_take_is_taken() -> None:
    assert rules.check(spec("toggle-h264-hevc", crf=25, tune="grain", level="4.1", height=360)) == []


def test_nothing_is_toggled_without_a_picture() -> None:
    assert refused(sound_only(), spec("toggle-h264-hevc")).code == "no_video_stream"
