"""Which part of the source an output shows, and which outputs share a decode."""

from __future__ import annotations

import pytest

from encoder.ffmpeg import containers
from encoder.ffmpeg.plan import decide
from encoder.model.base import Json
from encoder.model.job import OutputSpec
from encoder.model.media import Media, SubtitleStream
from tests.lab.facts import (
    ABLE,
    MKV,
    audio,
    picture,
    planned,
    refused,
    sound,
    source,
    spec,
    video,
)


def test_a_late_start_is_kept() -> None:
    late = source(picture=video(start_seconds=1.9), sound=audio(start_seconds=1.4), start_seconds=1.4)
    plan = planned(late, spec())
    assert picture(plan).start_seconds == pytest.approx(0.5)
    assert plan.start_offset_seconds == pytest.approx(-0.5)
    assert plan.duration_seconds == pytest.approx(10.5)


def test_sound_alone_begins_at_once() -> None:
    made = sound(planned(source(sound=audio(start_seconds=0.4)), spec("audio-aac")))
    assert (made.start_seconds, made.filters[0]) == (0.0, "asetpts=PTS-STARTPTS")


def test_a_clip_lies_on_output_frames_and_is_exact() -> None:
    plan = planned(source(), spec(clip={"start": 3.01, "end": 5.49}))
    assert plan.clip_start_seconds == 3.0
    assert plan.clip_seconds == pytest.approx(2.48)
    assert (picture(plan).frames, picture(plan).frames_limit) == (62, 0)
    assert sound(plan).duration_seconds == pytest.approx(2.48)


def test_a_clip_is_entered_before_its_start_and_further_in_an_uneven_source() -> None:
    output = spec(clip={"start": 8, "end": 9})
    assert planned(source(), output).seek_seconds == 6.0
    assert planned(source(picture=video(variable_rate=True), duration_seconds=20.0), output).seek_seconds == 0.0


def test_a_format_without_an_index_is_read_from_its_start() -> None:
    assert planned(source(format="mpegts"), spec(clip={"start": 8})).seek_seconds == 0.0
    assert planned(source(format=MKV), spec(clip={"start": 8})).seek_seconds == 6.0


@pytest.mark.parametrize("clip", [{"start": 10.0}, {"start": 1.0, "end": 12.0}, {"start": 1.0, "end": 1.01}])
def test_a_clip_outside_the_source_is_refused(clip: dict[str, Json]) -> None:
    assert refused(source(), spec(clip=clip)).code == "invalid_range"


def test_a_clip_that_ends_with_the_source_is_open_ended() -> None:
    assert planned(source(), spec(clip={"start": 8, "end": 10.4})).clip_seconds is None


def test_frames_that_are_hours_apart_are_a_lie_or_a_bomb() -> None:
    """E4: two frames ten hours apart would be repeated a million times."""
    bomb = source(picture=video(frames=2, duration_seconds=36_001.0), duration_seconds=36_001.0)
    assert refused(bomb, spec()).code == "duration_mismatch"


def passes(*outputs: OutputSpec, media: Media | None = None) -> list[tuple[int, ...]]:
    plan = decide(media or source(), dict(enumerate(outputs)), ABLE)
    assert not plan.refused
    return [one.outputs for one in plan.passes]


def test_outputs_of_one_track_and_clip_share_a_decode() -> None:
    assert passes(spec(height=720), spec("vp9", height=360), spec("hevc")) == [(0, 1, 2)]
    assert passes(spec(clip={"start": 1, "end": 2}), spec("vp9", clip={"start": 1, "end": 3})) == [(0, 1)]


def test_clips_copies_and_sound_go_by_themselves() -> None:
    assert passes(spec(), spec(clip={"start": 1}), spec(videoCodec="copy"), spec("audio-aac"), spec("vp9")) == [
        (0, 4), (1,), (2,), (3,),
    ]  # fmt: skip


def test_outputs_that_deinterlace_differently_do_not_share() -> None:
    fields = source(picture=video(interlaced=True))
    assert passes(spec(), spec(height=480), spec(height=720), media=fields) == [(0, 2), (1,)]


def test_a_refused_output_stops_no_other() -> None:
    plan = decide(source(silent=True), {0: spec("audio-aac"), 7: spec()}, ABLE)
    assert [refusal.output for refusal in plan.refused] == [0]
    assert plan.output(7).video is not None


@pytest.mark.parametrize("container", containers.CONTAINERS)
def test_every_container_gets_its_defaults(container: str) -> None:
    text = SubtitleStream(index=2, codec="subrip")
    plan = planned(source(subtitles=(text,)), spec(None, container=container))
    kind = containers.CONTAINERS[container]
    assert (plan.muxer, plan.extension) == (kind.muxer, kind.extension)
    assert (plan.video.codec if plan.video else None) == next(iter(kind.video), None)
    assert (plan.audio.codec if plan.audio else None) == next(iter(kind.audio), None)
