"""The grid that all renditions of a package share ("Ladder and grid", "HLS, DASH, CMAF" of encoding.md)."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest

from encoder.ffmpeg import command, rules, target
from encoder.ffmpeg.plan import decide
from encoder.model.base import Json
from encoder.model.plan import OutputPlan, PackagePlan
from tests.lab.facts import ABLE, audio, picture, planned, sound, source, spec, video, warned

# fps, frames of a GOP, seconds of three: the table of encoding.md
FAMILIES = [
    ("24000/1001", 48, "6.006000"),
    ("24/1", 48, "6.000000"),
    ("25/1", 50, "6.000000"),
    ("50/1", 100, "6.000000"),
    ("30000/1001", 60, "6.006000"),
    ("30/1", 60, "6.000000"),
    ("60000/1001", 120, "6.006000"),
    ("60/1", 120, "6.000000"),
    ("15/1", 30, "6.000000"),
    ("35/2", 35, "6.000000"),
]


def package(plan: OutputPlan) -> PackagePlan:
    assert plan.package is not None
    return plan.package


def args(*outputs: Json, **media: object) -> list[str]:
    specs = {number: spec(None, **members) for number, members in enumerate(outputs) if isinstance(members, dict)}
    plan = decide(source(**media), specs, ABLE)  # type: ignore[arg-type]  # facts of a source
    assert not plan.refused
    files = {made.output: Path("/scratch") / made.file_name for made in plan.outputs}
    (one_pass,) = plan.passes
    return command.build(plan, one_pass, files=files)


def values(words: list[str], option: str) -> list[str]:
    return [value for name, value in pairwise(words) if name == option]


@pytest.mark.parametrize(("rate", "gop", "seconds"), FAMILIES)
def test_gops_are_whole_frames_and_sound_is_cut_by_the_same_time(rate: str, gop: int, seconds: str) -> None:
    plan = planned(source(picture=video(rate=rate)), spec("hls"))
    pictures = [picture(each) for each in plan.renditions if each.video]
    assert {(one.rate, one.gop_frames, one.grid, one.start_seconds) for one in pictures} == {(rate, gop, True, 0.0)}
    assert package(plan).segment_frames == 3 * gop
    assert Fraction(package(plan).segment_seconds) == 3 * gop / Fraction(rate)
    words = command.build(
        decide(source(picture=video(rate=rate)), {0: spec("hls")}, ABLE),
        decide(source(picture=video(rate=rate)), {0: spec("hls")}, ABLE).passes[0],
        files={0: Path("/scratch/out-0")},
    )
    assert values(words, "-hls_time") == [seconds] * 5
    assert values(words, "-g") == [str(gop)] * 4


def test_a_segment_of_no_whole_microseconds_ends_before_its_keyframe_and_not_after() -> None:
    """ffmpeg cuts at the first keyframe from then on: a moment too late would make the segment a GOP longer."""
    words = args({"container": "hls", "fps": 23.7})
    (time, other) = values(words, "-hls_time")
    plan = planned(source(), spec(None, container="hls", fps=23.7))
    exact = Fraction(package(plan).segment_seconds)
    assert time == other
    assert 0 < exact - Fraction(time) < Fraction(1, 1_000_000)


@pytest.mark.parametrize(
    ("asked", "gop", "frames"), [(4, 50, 100), (6.4, 53, 159), (10, 50, 250), (2, 50, 50), (1, 25, 25), (1.5, 38, 38)]
)
def test_asked_segments_are_rounded_to_whole_gops_and_short_ones_shorten_those(
    asked: float, gop: int, frames: int
) -> None:
    plan = planned(source(), spec("hls", segmentSeconds=asked))
    assert (picture(plan).gop_frames, package(plan).segment_frames) == (gop, frames)


@pytest.mark.parametrize("rate", ["30/1", "30000/1001", "25/1", "24000/1001", "60/1"])
@pytest.mark.parametrize("asked", [1.3, 3, 5, 7, 30])
def test_asked_segments_last_as_long_at_whatever_rate(rate: str, asked: float) -> None:
    made = package(planned(source(picture=video(rate=rate)), spec("hls", segmentSeconds=asked)))
    assert float(Fraction(made.segment_seconds)) == pytest.approx(asked, rel=0.04)


def test_no_segment_is_of_less_than_five_frames_however_few_there_are_a_second() -> None:
    plan = planned(source(picture=video(rate="1/1", frames=10)), spec("hls", segmentSeconds=2))
    assert (picture(plan).gop_frames, package(plan).segment_frames) == (2, 6)


def test_a_keyframe_interval_is_obeyed_on_the_grid() -> None:
    plan = planned(source(), spec("hls", keyframeInterval=1))
    assert (picture(plan).gop_frames, package(plan).segment_frames) == (25, 150)


@pytest.mark.parametrize(
    ("encoder", "options"),
    [
        ("libx264", {"-keyint_min": "50", "-sc_threshold": "0"}),
        ("libx265", {"-x265-params": "open-gop=0:log-level=warning:min-keyint=50:scenecut=0"}),
        ("libsvtav1", {"-g": "50"}),
        ("libaom-av1", {"-keyint_min": "50"}),
    ],
)
def test_each_encoder_is_told_in_its_own_words_to_keep_the_grid(encoder: str, options: dict[str, str]) -> None:
    words = args({"container": "hls", "videoCodec": encoder})
    assert {name: values(words, name)[0] for name in options} == options
    assert values(args({"container": "mp4", "videoCodec": encoder}), "-keyint_min") == []


def test_late_tracks_begin_at_zero_the_picture_by_repeats_the_sound_by_silence() -> None:
    media = source(picture=video(start_seconds=0.4), sound=audio(start_seconds=0.25))
    plan = planned(media, spec("hls"))
    assert (picture(plan).start_seconds, sound(plan).start_seconds) == (0.0, 0.0)
    assert picture(plan).frames == 260
    assert sound(plan).duration_seconds == 10.4  # with the picture
    words = args({"container": "hls"}, picture=video(start_seconds=0.4), sound=audio(start_seconds=0.25))
    of_picture, of_sound = values(words, "-filter_complex")
    assert "fps=fps=25/1:start_time=0" in of_picture
    assert ",aresample=async=1:first_pts=0,apad=pad_dur=0.150000,atrim=end=10.400000[" in of_sound


def test_tracks_that_begin_together_share_their_frames_with_single_files() -> None:
    words = args({"container": "hls", "height": 720}, {"container": "mp4", "height": 720})
    graph = values(words, "-filter_complex")[0]
    assert (graph.count("fps=fps="), graph.count("scale=")) == (1, 1)
    assert "start_time" not in graph


def test_sound_is_a_rendition_of_its_own_under_its_language() -> None:
    plan = planned(source(sound=audio(language="ger")), spec("hls"))
    assert [each.name for each in plan.renditions] == ["1080p", "720p", "480p", "360p", "audio-ger"]
    assert all((each.video is None) != (each.audio is None) for each in plan.renditions)


FILM = (
    audio(index=1, language="eng", default=False),
    audio(index=2, language="ger", default=True),
    audio(index=3, language="eng", default=False, duration_seconds=4.0),
    audio(index=4, language="<b>", default=False),
)


def test_each_track_of_sound_is_a_rendition_the_default_one_first_and_made_once_for_all_rungs() -> None:
    plan = planned(source(audio=FILM), spec("hls", audioTracks="all"))
    heard = {each.name: each.audio for each in plan.renditions if each.audio}
    assert [*heard] == ["audio-ger", "audio-eng", "audio-eng-2", "audio"]
    assert [audio.source_index for audio in heard.values()] == [2, 1, 3, 4]
    assert {audio.default for audio in heard.values()} == {None}
    assert plan.audio == heard["audio-ger"]
    words = args(
        {"container": "hls", "renditions": [{"height": 720}, {"height": 360}], "audioTracks": "all"}, audio=FILM
    )
    graphs = values(words, "-filter_complex")
    assert sorted(each[:5] for each in graphs) == ["[0:0]", "[0:1]", "[0:2]", "[0:3]", "[0:4]"]
    assert len(values(words, "-map")) == 6


def test_sound_that_ends_before_the_picture_is_followed_by_silence() -> None:
    """A browser waits for data of each track: where one has none left, the other stands still."""
    plan = planned(source(audio=FILM), spec("hls", audioTracks=[3]))
    assert sound(plan).duration_seconds == 10.0
    assert sound(plan).filters[-2:] == ("apad=pad_dur=6.000000", "atrim=end=10.000000")
    assert "apad" not in ",".join(sound(planned(source(audio=FILM), spec("hls"))).filters)


def test_a_picture_that_ends_long_before_the_sound_goes_on_with_its_last_frame() -> None:
    media = source(picture=video(duration_seconds=4.0, frames=100))
    plan = planned(media, spec("hls"))
    rungs = [picture(each) for each in plan.renditions if each.video]
    assert {(each.frames, each.held_frames, each.duration_seconds) for each in rungs} == {(250, 150, 10.0)}
    words = args({"container": "hls"}, picture=video(duration_seconds=4.0, frames=100))
    assert "fps=fps=25/1,tpad=stop=150:stop_mode=clone," in values(words, "-filter_complex")[0]
    (*_, last) = target.samples(planned(media, spec("hls", targetQuality=90)).renditions[0], media)
    assert (last.clip_start_seconds, picture(last).held_frames) == (0, 0)
    nearly = planned(source(picture=video(duration_seconds=9.2, frames=230)), spec("hls"))
    assert picture(nearly).held_frames == 0


def test_a_silent_source_has_no_rendition_of_sound() -> None:
    plan = planned(source(silent=True), spec("hls"))
    assert [each.name for each in plan.renditions] == ["1080p", "720p", "480p", "360p"]
    assert "no_audio" in warned(plan)


def test_what_rungs_have_in_common_is_told_once() -> None:
    plan = planned(source(picture=video(rotation_deg=90)), spec("hls"))
    assert [note.code for note in plan.warnings] == ["rotated"]
    assert [note.code for note in plan.reasons].count("size") == 4


def test_fields_become_frames_for_all_rungs_or_for_none() -> None:
    """Of "one frame rate": by the highest rung, though the lowest alone would keep the frame rate."""
    plan = planned(source(picture=video(interlaced=True)), spec("hls"))
    assert {(picture(each).deinterlace, picture(each).rate) for each in plan.renditions if each.video} == {
        ("send_field", "50/1")
    }


@pytest.mark.parametrize(("kind", "name"), [("hls", "master.m3u8"), ("dash", "manifest.mpd"), ("cmaf", "master.m3u8")])
def test_a_package_is_a_folder_with_names_of_ours(kind: str, name: str) -> None:
    plan = planned(source(), spec(None, container=kind))
    assert (plan.file_name, package(plan).playlist_name, package(plan).kind) == ("out-0", name, kind)
    asked = spec(None, container=kind, playlistName=name.replace("ma", "my", 1))
    assert package(planned(source(), asked)).playlist_name == name.replace("ma", "my", 1)


def test_a_folder_says_which_of_its_files_leads_to_the_others() -> None:
    told = {
        "hls": "master.m3u8", "dash": "manifest.mpd", "storyboard": "thumbnails.vtt", "thumbnails": "00001.jpg",
        "gif": None, "h264": None,
    }  # fmt: skip
    assert {name: planned(source(), spec(name)).opened_first for name in told} == told
    cmaf = spec(None, container="cmaf", playlistName="show.m3u8")
    assert planned(source(), cmaf).opened_first == "show.m3u8"


def test_ts_segments_are_written_without_moving_a_track() -> None:
    words = args({"container": "hls", "segmentFormat": "ts"})
    assert set(values(words, "-hls_segment_type")) == {"mpegts"}
    assert set(values(words, "-hls_segment_options")) == {"avoid_negative_ts=disabled"}
    assert set(values(words, "-avoid_negative_ts")) == {"disabled"}
    assert values(words, "-tag:v") == []


def test_hevc_is_tagged_for_apple() -> None:
    assert values(args({"container": "hls", "videoCodec": "hevc"}), "-tag:v") == ["hvc1"]


@pytest.mark.parametrize(
    ("members", "fault"),
    [
        ({"container": "mp4", "renditions": [{"height": 720}]}, ("/renditions", "unsupported_combination")),
        ({"container": "mp4", "segmentSeconds": 4}, ("/segmentSeconds", "unsupported_combination")),
        ({"container": "hls", "videoCodec": "copy"}, ("/videoCodec", "unsupported_combination")),
        ({"container": "hls", "videoCodec": "none"}, ("/videoCodec", "unsupported_combination")),
        ({"container": "hls", "audioCodec": "copy"}, ("/audioCodec", "unsupported_combination")),
        ({"container": "hls", "twoPass": True, "crf": 23}, ("/twoPass", "unsupported_combination")),
        ({"container": "hls", "height": 720, "renditions": [{"width": 9}]}, ("/height", "unsupported_combination")),
        ({"container": "hls", "segmentSeconds": 0.5}, ("/segmentSeconds", "out_of_range")),
        ({"container": "hls", "keyframeInterval": 7}, ("/keyframeInterval", "unsupported_combination")),
        (
            {"container": "dash", "keyframeInterval": 5, "segmentSeconds": 4},
            ("/keyframeInterval", "unsupported_combination"),
        ),
        ({"container": "dash", "segmentFormat": "ts"}, ("/segmentFormat", "unsupported_combination")),
        ({"container": "dash", "encryption": "aes-128"}, ("/encryption", "unsupported_combination")),
        ({"container": "mp4", "encryption": "aes-128"}, ("/encryption", "unsupported_combination")),
        (
            {"container": "hls", "segmentFormat": "ts", "videoCodec": "av1"},
            ("/segmentFormat", "unsupported_combination"),
        ),
        (
            {"container": "hls", "segmentFormat": "ts", "audioCodec": "libopus"},
            ("/segmentFormat", "unsupported_combination"),
        ),
        ({"container": "hls", "playlistName": "a.mpd"}, ("/playlistName", "invalid_value")),
        ({"container": "dash", "playlistName": "a/b.mpd"}, ("/playlistName", "invalid_value")),
        ({"container": "hls", "renditions": [{"resolution": "big"}]}, ("/renditions/0/resolution", "invalid_value")),
        (
            {"container": "hls", "renditions": [{}, {"resolution": "720p", "height": 720}]},
            ("/renditions/1/resolution", "unsupported_combination"),
        ),
        (
            {"container": "hls", "renditions": [{"crf": 20, "videoBitrate": 10**6}]},
            ("/renditions/0/crf", "unsupported_combination"),
        ),
        (
            {"container": "hls", "renditions": [{"maxBitrate": 10**5, "videoBitrate": 10**6}]},
            ("/renditions/0/maxBitrate", "unsupported_combination"),
        ),
        (
            {"container": "hls", "fit": "pad", "renditions": [{"height": 72}]},
            ("/renditions/0", "unsupported_combination"),
        ),
        ({"container": "hls", "renditions": [{"height": 8}]}, ("/renditions/0/height", "out_of_range")),
        ({"container": "hls", "renditions": [{"height": 720}] * 13}, ("/renditions", "out_of_range")),
    ],
)
def test_what_does_not_go_together_is_refused_at_its_member(members: dict[str, Json], fault: tuple[str, str]) -> None:
    assert fault in {(found.path, found.code) for found in rules.check(spec(None, **members))}
