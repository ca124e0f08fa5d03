"""Which rungs a package gets, of which sources ("Ladder and grid" of encoding.md)."""

from __future__ import annotations

import pytest

from encoder.model.base import Json
from encoder.model.media import Media
from encoder.model.plan import OutputPlan
from tests.lab.facts import picture, planned, source, spec, video


def rungs(plan: OutputPlan) -> dict[str, tuple[int, int]]:
    """The pictures of a package: their names and sizes."""
    return {
        each.name: (each.video.width_px, each.video.height_px) for each in plan.renditions if each.video is not None
    }


def shown(width: int, height: int, **changes: object) -> Media:
    return source(picture=video(coded_width=width, coded_height=height, **changes))


def option(plan: OutputPlan, name: str) -> str:
    return dict(picture(plan).options)[name]


@pytest.mark.parametrize(
    ("media", "sizes"),
    [
        (shown(1920, 1080), {"1080p": (1920, 1080), "720p": (1280, 720), "480p": (854, 480), "360p": (640, 360)}),
        (shown(1280, 720), {"720p": (1280, 720), "480p": (854, 480), "360p": (640, 360)}),
        (shown(1920, 800), {"720p": (1728, 720), "480p": (1152, 480), "360p": (864, 360)}),
        (shown(720, 576, sample_aspect_ratio="64/45"), {"480p": (854, 480), "360p": (640, 360)}),
        (shown(1080, 1080), {"1080p": (1080, 1080), "720p": (720, 720), "480p": (480, 480), "360p": (360, 360)}),
    ],
)
def test_no_rung_is_larger_than_the_picture_that_is_shown(media: Media, sizes: dict[str, tuple[int, int]]) -> None:
    assert rungs(planned(media, spec("hls"))) == sizes


@pytest.mark.parametrize("media", [shown(1080, 1920), shown(1920, 1080, rotation_deg=90)])
def test_720p_is_the_short_side_of_a_portrait(media: Media) -> None:
    assert rungs(planned(media, spec("hls")))["720p"] == (720, 1280)


def test_a_turn_that_is_asked_for_makes_a_portrait_too() -> None:
    assert rungs(planned(shown(1920, 1080), spec("hls", rotate=90)))["720p"] == (720, 1280)


def test_what_is_left_out_is_told() -> None:
    plan = planned(shown(640, 480), spec("hls"))
    assert list(rungs(plan)) == ["480p", "360p"]
    told = [note.message for note in plan.reasons if note.code == "rung_left_out"]
    assert told == [
        "Shown at 640×480: a rung of 1080 would enlarge it.",
        "Shown at 640×480: a rung of 720 would enlarge it.",
    ]


def test_a_source_below_all_rungs_gets_one_at_its_size() -> None:
    plan = planned(shown(320, 180), spec("hls"))
    assert rungs(plan) == {"180p": (320, 180)}
    assert picture(plan.renditions[0]).bitrate_bps == 800_000  # of the smallest
    assert "source_size" in {note.code for note in plan.reasons}


def test_it_is_enlarged_only_on_request() -> None:
    assert list(rungs(planned(shown(320, 180), spec("dash", upscale=True)))) == ["1080p", "720p", "480p", "360p"]


def test_a_preset_s_rates_are_held_to_what_the_source_is_worth() -> None:
    plan = planned(shown(1920, 1080, bitrate_bps=2_000_000), spec("hls", preset="hls"))
    rates = [each.video.bitrate_bps for each in plan.renditions if each.video]
    assert rates == [2_600_000, 2_600_000, 1_500_000, 800_000]
    assert "bitrate_capped" in {note.code for note in plan.reasons}


def test_a_rate_that_the_caller_said_is_obeyed() -> None:
    wanted: Json = [{"resolution": "720p", "videoBitrate": 9_000_000}]
    plan = planned(shown(1920, 1080, bitrate_bps=2_000_000), spec("hls", preset="hls", renditions=wanted))
    assert picture(plan.renditions[0]).bitrate_bps == 9_000_000


def test_a_peak_is_half_as_much_again_and_its_buffer_twice_the_rate() -> None:
    rung = planned(shown(1920, 1080), spec("hls")).renditions[1]
    assert [option(rung, name) for name in ("-b:v", "-maxrate", "-bufsize")] == ["3000000", "4500000", "6000000"]
    peaked: Json = [{"height": 720, "videoBitrate": 3_000_000, "maxBitrate": 3_500_000}]
    assert option(planned(source(), spec("hls", renditions=peaked)).renditions[0], "-maxrate") == "3500000"


def test_a_quality_takes_the_place_of_a_preset_s_rates_and_keeps_its_sizes() -> None:
    plan = planned(source(), spec("hls", crf=21))
    assert len(rungs(plan)) == 4
    assert {picture(each).crf for each in plan.renditions if each.video} == {21}


def test_two_rungs_of_one_size_have_names_of_their_own() -> None:
    twice: Json = [{"height": 720, "videoBitrate": rate} for rate in (3_000_000, 2_000_000, 1_000_000)]
    assert list(rungs(planned(source(), spec("hls", renditions=twice)))) == ["720p", "720p-2", "720p-3"]


def test_without_renditions_there_is_one_as_the_output_says() -> None:
    plan = planned(source(), spec(None, container="hls", height=540, crf=20))
    assert rungs(plan) == {"540p": (960, 540)}
    assert picture(plan.renditions[0]).crf == 20
