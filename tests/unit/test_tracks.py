"""docs/why/encoding.md, "Tracks of sound": which are carried, in which order, by which name."""

from __future__ import annotations

import pytest

from encoder.ffmpeg import rules
from encoder.model.base import Json
from encoder.model.job import OutputSpec
from encoder.model.media import Media
from tests.lab.facts import audio, planned, refused, source, spec, warned

FILM = source(
    audio=(
        audio(index=1, language="eng", default=True),
        audio(index=2, language="ger", default=False),
        audio(index=3, language="eng", default=False),
        audio(index=4, language="fra", default=False, decodable=False),
    )
)


def wanted(tracks: Json) -> OutputSpec:
    return spec(audioTracks=tracks)


def carried(tracks: Json, media: Media = FILM) -> list[int]:
    return [sound.source_index for sound in planned(media, wanted(tracks)).sounds]


@pytest.mark.parametrize(
    ("tracks", "indices"),
    [
        ("default", [1]), ("all", [1, 2, 3]), ([3, 1], [3, 1]), (["ger", "eng"], [2, 1]), (["deu"], [2]),
        (["ger", 2], [2]), ([2, 2], [2]),
    ],
)  # fmt: skip
def test_the_tracks_that_are_asked_for_are_carried_in_their_order(tracks: Json, indices: list[int]) -> None:
    assert carried(tracks) == indices


@pytest.mark.parametrize(
    ("tracks", "indices"),
    [
        ([1, "eng"], [1, 3]), (["eng", 1], [3, 1]), (["eng", "eng"], [1, 3]), ([3, "eng"], [3, 1]),
        (["eng", "ger", 3], [1, 2, 3]), (["eng", 1, 3], [1, 3]),
    ],
)  # fmt: skip
def test_a_language_finds_a_track_that_the_list_has_not_named(tracks: Json, indices: list[int]) -> None:
    assert carried(tracks) == indices
    assert warned(planned(FILM, wanted(tracks))) == set()


def test_of_all_tracks_the_default_of_the_source_stays_it_and_of_a_list_its_first() -> None:
    second = source(audio=(audio(index=1, default=False), audio(index=2)))
    assert [sound.default for sound in planned(second, wanted("all")).sounds] == [False, True]
    assert [sound.default for sound in planned(second, wanted([1, 2])).sounds] == [True, False]
    assert [sound.default for sound in planned(second, wanted([2])).sounds] == [True]


@pytest.mark.parametrize("container", ["mpegts", "hls"])
def test_a_single_track_is_no_default_where_its_file_cannot_say_so(container: str) -> None:
    assert [sound.default for sound in planned(FILM, spec(None, container=container)).sounds] == [None]


def test_languages_are_kept() -> None:
    assert [sound.language for sound in planned(FILM, wanted("all")).sounds] == ["eng", "ger", "eng"]


@pytest.mark.parametrize("tracks", [["eng", "spa"], [1, 9], "all", [1, 4], [2, "ger"], ["ger", "deu"]])
def test_a_track_that_is_missing_or_cannot_be_decoded_is_told(tracks: Json) -> None:
    assert warned(planned(FILM, wanted(tracks))) == {"audio_track_missing"}


SILENT = source(silent=True)
DEAF = source(audio=(audio(index=1, language="eng", decodable=False),))


@pytest.mark.parametrize("tracks", [["spa"], ["eng"], [1], []])
@pytest.mark.parametrize("media", [FILM, SILENT, DEAF], ids=["film", "silent", "deaf"])
def test_a_source_with_nothing_of_a_list_is_refused(media: Media, tracks: list[Json]) -> None:
    if media is FILM and tracks in (["eng"], [1]):
        assert carried(tracks) == [1]
    else:
        assert refused(media, wanted(tracks)).code == "no_audio_stream"


@pytest.mark.parametrize("tracks", ["all", "default"])
@pytest.mark.parametrize("media", [SILENT, DEAF], ids=["silent", "deaf"])
def test_without_a_list_a_source_without_sound_is_silent_with_a_warning(media: Media, tracks: Json) -> None:
    assert warned(planned(media, wanted(tracks))) == {"no_audio"}


def test_an_output_lasts_until_its_longest_track_ends() -> None:
    longer = source(audio=(audio(index=1), audio(index=2, duration_seconds=12.0)), duration_seconds=12.0)
    assert planned(longer, wanted("all")).duration_seconds == 12


@pytest.mark.parametrize(
    "wrong",
    [
        spec("audio-opus", audioTracks="all"),
        spec("audio-opus", audioTracks=[1, 2]),
        spec(audioCodec="none", audioTracks=[1]),
    ],
)
def test_what_holds_one_track_takes_no_more(wrong: OutputSpec) -> None:
    assert [fault.path for fault in rules.check(wrong)] == ["/audioTracks"]


def test_one_track_by_its_language_goes_into_any_file() -> None:
    assert rules.check(spec("audio-opus", audioTracks=["eng"])) == []
