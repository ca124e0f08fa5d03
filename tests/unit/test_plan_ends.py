"""Clips and moments at the ends of a source, whose picture and sound seldom end at the same time."""

from __future__ import annotations

import pytest

from encoder.ffmpeg import cuts
from encoder.ffmpeg.plan import decide
from encoder.model.base import Json
from encoder.model.job import OutputSpec
from encoder.model.media import Media
from encoder.model.plan import OutputPlan
from tests.lab.facts import (
    ABLE,
    Able,
    audio,
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

LATE: Json = {"start": 9.65}


def long_sound() -> Media:
    """Its picture ends at 9.6 s, its sound at 10."""
    return source(picture=video(duration_seconds=9.6, frames=240))


def short_sound() -> Media:
    """Its sound ends at 9.5 s, its picture at 10."""
    return source(sound=audio(duration_seconds=9.5))


WITH_PICTURE = {
    "a file": spec(clip=LATE),
    "a copy": spec(None, container="mp4", videoCodec="copy", clip=LATE),
    "a package": spec("hls", clip=LATE),
    "a preview": spec("gif", clip=LATE),
    "pictures": spec(None, container="jpg", thumbnails={"every": 1}, clip=LATE),
    "moments": spec(None, container="jpg", thumbnails={"at": [1]}, clip=LATE),
}


@pytest.mark.parametrize("output", WITH_PICTURE.values(), ids=WITH_PICTURE)
def test_a_clip_that_begins_after_the_picture_is_refused(output: OutputSpec) -> None:
    refusal = refused(long_sound(), output)
    assert refusal.code == "invalid_range"
    assert "The picture goes from 0 s to 9.6:" in refusal.message


def test_a_clip_that_ends_before_the_picture_begins_is_refused() -> None:
    media = source(picture=video(start_seconds=4.0, duration_seconds=6.0, frames=150))
    assert refused(media, spec(clip={"start": 1, "end": 3})).code == "invalid_range"
    assert refused(media, spec("hls", clip={"start": 1, "end": 3})).code == "invalid_range"


def test_sound_goes_on_where_the_picture_has_ended() -> None:
    plan = planned(long_sound(), spec("audio-aac", clip=LATE))
    assert plan.duration_seconds == pytest.approx(0.35)


@pytest.mark.parametrize(("start", "told"), [(9.55, False), (9.6, True), (9.65, True)])
def test_a_still_after_the_picture_is_its_last_frame(start: float, *, told: bool) -> None:
    plan = planned(long_sound(), spec(None, container="jpg", clip={"start": start}))
    assert (plan.clip_start_seconds, plan.clip_seconds) == pytest.approx((239 / 25, 1 / 25))
    assert ("moments_after_end" in warned(plan)) is told


def test_a_still_at_the_end_may_be_one_frame_off_and_one_inside_not() -> None:
    ends = [planned(source(), spec(None, container="jpg", clip={"start": start})) for start in (9.9, 5.0)]
    assert [picture(plan).held_frames for plan in ends] == [0, 0]
    last = planned(source(), spec(None, container="jpg", clip={"start": 9.97}))
    assert picture(last).held_frames == 1
    moments = [spec(None, container="jpg", thumbnails={"at": [1, at]}) for at in (5, 60)]
    assert [picture(planned(source(), each)).held_frames for each in moments] == [0, 1]


@pytest.mark.parametrize("preset", ["h264", "hls", "dash"])
def test_a_picture_whose_sound_is_over_is_made_without_and_says_so(preset: str) -> None:
    plan = planned(short_sound(), spec(preset, clip={"start": 9.8}))
    assert (plan.audio, warned(plan)) == (None, {"no_audio"})
    assert len([each for each in plan.streams if each.audio is not None]) == 0


def test_sound_alone_of_which_a_clip_has_none_is_refused() -> None:
    short = sound_only(audio(duration_seconds=9.5))
    assert refused(short, spec("audio-aac", clip={"start": 9.5})).code == "invalid_range"


def test_of_several_tracks_only_those_that_a_clip_can_hear_are_made() -> None:
    tracks = audio(language="eng"), audio(index=2, language="fre", duration_seconds=4.0)
    media = source(audio=tracks)
    plan = planned(media, spec(audioTracks="all", clip={"start": 5}))
    assert [each.source_index for each in plan.sounds] == [1]
    assert "audio_track_missing" in warned(plan)
    assert len(planned(media, spec(audioTracks="all", clip={"start": 3})).sounds) == 2


@pytest.mark.parametrize(("end", "clipped_to"), [(9.0, 8.0), (10.0, None), (10.99, None), (11.0, None)])
def test_a_clip_may_end_up_to_a_second_after_the_source(end: float, clipped_to: float | None) -> None:
    assert planned(source(), spec(clip={"start": 1, "end": end})).clip_seconds == clipped_to


def test_a_clip_that_ends_later_is_refused() -> None:
    assert refused(source(), spec(clip={"start": 1, "end": 11.01})).code == "invalid_range"


def test_a_start_or_an_end_alone_is_a_clip() -> None:
    begun, ended = (planned(source(), spec(clip={side: 4})) for side in ("start", "end"))
    assert (begun.clip_start_seconds, begun.clip_seconds, begun.duration_seconds) == (4, None, 6)
    assert (ended.clip_start_seconds, ended.clip_seconds, ended.duration_seconds) == (0, 4, 4)


def test_to_rotate_by_nothing_is_to_leave_it_upright() -> None:
    turned = source(picture=video(rotation_deg=90))
    assert picture(planned(turned, spec(rotate=0))) == picture(planned(turned, spec()))
    assert picture(planned(turned, spec())).width_px == 1080
    assert picture(planned(turned, spec(rotate=90))).turn_deg == 90


COPIED = spec(None, container="mp4", videoCodec="copy", clip={"start": 2, "end": 5})


def copied(*places: float, able: Able = ABLE) -> OutputPlan:
    return decide(source(), {0: COPIED}, able, ends={0: places}).outputs[0]


@pytest.mark.parametrize(("places", "end"), [((4.96, 5.0, 5.04), 5.0), ((4.8, 5.08), 5.08), ((4.92, 5.08), 4.92)])
def test_a_copy_ends_at_the_nearest_place_where_no_frame_waits(places: tuple[float, ...], end: float) -> None:
    plan = copied(*places)
    assert picture(plan).encoder == "copy"
    assert plan.clip_seconds == picture(plan).cut_seconds == pytest.approx(end - 2)
    assert sound(plan).duration_seconds == pytest.approx(end - 2)
    assert ("end_moved" in {note.code for note in plan.reasons}) is (end != 5.0)


@pytest.mark.parametrize("places", [(), (1.0, 4.0, 6.0), (1.9,)])
def test_a_copy_that_can_end_nowhere_near_is_encoded_anew_and_told(places: tuple[float, ...]) -> None:
    plan = copied(*places)
    assert (picture(plan).encoder, plan.clip_seconds) == ("libx264", 3)
    assert "codec_substituted" in warned(plan)


def test_an_ffmpeg_that_drops_no_packets_cuts_no_copy() -> None:
    assert picture(copied(5.0, able=Able(drops_packets=False))).encoder == "libx264"


@pytest.mark.parametrize(("end", "length"), [(9.59, 7.6), (9.65, 7.65), (10.0, None)])
def test_a_copy_that_ends_with_the_picture_or_the_sound_is_not_moved(end: float, length: float | None) -> None:
    output = spec(None, container="mp4", videoCodec="copy", clip={"start": 2, "end": end})
    plan = planned(long_sound(), output)
    assert picture(plan).encoder == "copy"
    assert plan.clip_seconds == (None if length is None else pytest.approx(length, abs=0.02))


def test_what_is_looked_for_are_the_ends_of_copies_into_files_with_edit_lists() -> None:
    others = spec(clip={"end": 3}), spec(None, container="mkv", videoCodec="copy", clip={"end": 4}), spec("thumbnails")
    assert cuts.wanted([COPIED, *others]) == (5.0,)
