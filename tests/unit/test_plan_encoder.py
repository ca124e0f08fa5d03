"""Which track, which encoder, and what it is told; when a copy is a copy."""

from __future__ import annotations

from dataclasses import replace

import pytest

from encoder.model.base import Json
from encoder.model.job import OutputSpec
from encoder.model.media import VideoStream
from tests.lab.facts import (
    ABLE,
    picture,
    planned,
    refused,
    sound,
    sound_only,
    source,
    spec,
    video,
    warned,
)


def test_the_default_track_is_taken_and_a_cover_never() -> None:
    tracks = (
        video(index=0, attached_picture=True),
        video(index=1, default=False),
        video(index=2),
        video(index=3),
    )
    assert picture(planned(source(video=tracks), spec())).source_index == 2


def test_a_picture_of_no_picture_is_refused() -> None:
    assert refused(sound_only(), spec()).code == "no_video_stream"
    assert refused(source(picture=video(attached_picture=True)), spec()).code == "no_video_stream"


def test_a_family_means_its_best_encoder_that_is_there() -> None:
    assert picture(planned(source(), spec(None, container="webm", videoCodec="av1"))).encoder == "libsvtav1"
    poor = replace(ABLE, encoders=ABLE.encoders - {"libsvtav1"})
    plan = planned(source(), spec(None, container="webm", videoCodec="av1"), poor)
    assert (picture(plan).encoder, warned(plan)) == ("libaom-av1", set())


def test_a_missing_encoder_is_replaced_by_one_of_its_family_without_its_settings() -> None:
    poor = replace(ABLE, encoders=ABLE.encoders - {"libsvtav1"})
    plan = planned(source(), spec("av1-fast"), poor)
    made = picture(plan)
    assert (made.encoder, made.crf) == ("libaom-av1", 30)
    assert ("-cpu-used", "8") not in made.options
    assert "codec_substituted" in warned(plan)


def test_a_missing_family_is_refused() -> None:
    poor = replace(ABLE, encoders=frozenset({"libx264"}))
    assert refused(source(), spec("vp9"), poor).code == "encoder_not_available"
    assert refused(source(), spec("h264"), poor).code == "encoder_not_available"  # no AAC


@pytest.mark.parametrize(
    ("output", "options"),
    [
        (spec(), (("-preset", "medium"), ("-crf", "23"), ("-profile:v", "high"), ("-g", "100"))),
        (spec(crf=18.5, tune="film", profile="main", level="4.1"),
         (("-preset", "medium"), ("-tune", "film"), ("-crf", "18.5"), ("-profile:v", "main"), ("-level:v", "4.1"),
          ("-g", "100"))),
        (spec(videoBitrate=2_000_000),
         (("-preset", "medium"), ("-b:v", "2000000"), ("-maxrate", "3000000"), ("-bufsize", "4000000"),
          ("-profile:v", "high"), ("-g", "100"))),
        (spec(maxBitrate=2_000_000),
         (("-preset", "medium"), ("-crf", "23"), ("-maxrate", "2000000"), ("-bufsize", "4000000"),
          ("-profile:v", "high"), ("-g", "100"))),
        (spec("vp9"), (("-deadline", "good"), ("-row-mt", "1"), ("-crf", "30"), ("-b:v", "0"), ("-g", "100"))),
        (spec("vp9", maxBitrate=10**6),
         (("-deadline", "good"), ("-row-mt", "1"), ("-crf", "30"), ("-b:v", "1000000"), ("-g", "100"))),
        (spec("av1"), (("-row-mt", "1"), ("-cpu-used", "4"), ("-crf", "30"), ("-b:v", "0"), ("-g", "100"))),
        (spec("av1-fast", videoBitrate=10**6), (("-preset", "8"), ("-b:v", "1000000"), ("-g", "100"))),
    ],
)  # fmt: skip
def test_encoders_are_told_quality_or_bitrate(output: OutputSpec, options: tuple[tuple[str, str], ...]) -> None:
    assert picture(planned(source(), output)).options == options


def test_a_legal_copy_is_copied_and_told() -> None:
    made = picture(planned(source(), spec(videoCodec="copy")))
    assert (made.encoder, made.codec, made.frames, made.options) == ("copy", "h264", 250, ())


def test_a_copied_hevc_is_tagged_for_apple() -> None:
    assert picture(planned(source(picture=video(codec="hevc")), spec(videoCodec="copy"))).codec_tag == "hvc1"


@pytest.mark.parametrize(
    ("stream", "members"),
    [
        (video(codec="mpeg4"), {"container": "mp4"}),
        (video(rotation_deg=90), {"container": "mpegts"}),
        (video(), {"container": "mkv", "clip": {"start": 1.0}}),
        (video(variable_rate=True), {"container": "mp4", "clip": {"start": 1.0}}),
    ],
    ids=["codec", "turn", "clip where nothing can be hidden", "clip of uneven frames"],
)
def test_a_copy_that_cannot_be_right_is_encoded_anew_and_told(stream: VideoStream, members: dict[str, Json]) -> None:
    plan = planned(source(picture=stream), spec(None, videoCodec="copy", **members))
    assert picture(plan).encoder == "libx264"
    assert "codec_substituted" in warned(plan)


def test_a_clip_is_copied_where_an_edit_list_hides_what_comes_before() -> None:
    plan = planned(source(), spec(videoCodec="copy", clip={"start": 3}))
    assert (picture(plan).encoder, plan.seek_seconds, plan.clip_start_seconds) == ("copy", 3.0, 3.0)
    assert sound(plan).encoder == "aac"
    assert picture(planned(source(format="mpegts"), spec(videoCodec="copy", clip={"start": 3}))).encoder == "libx264"


def test_sound_is_copied_only_where_the_container_holds_it() -> None:
    assert sound(planned(source(), spec(audioCodec="copy"))).encoder == "copy"
    plan = planned(source(), spec("vp9", audioCodec="copy"))
    assert sound(plan).encoder == "libopus"
    assert "codec_substituted" in warned(plan)
