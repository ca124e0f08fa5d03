"""The rules of docs/why/encoding.md for pictures, one test each, named by the rule."""

from __future__ import annotations

from dataclasses import replace

import pytest

from encoder.model.job import OutputSpec
from tests.lab.facts import (
    ABLE,
    hdr,
    picture,
    planned,
    refused,
    source,
    spec,
    video,
    warned,
)


def test_a_rotated_source_is_fitted_as_it_is_shown() -> None:
    plan = planned(source(picture=video(rotation_deg=90)), spec(height=720))
    assert (picture(plan).width_px, picture(plan).height_px) == (406, 720)
    assert "rotated" in warned(plan)


def test_rotate_turns_further() -> None:
    turned = picture(planned(source(), spec(rotate=90)))
    assert (turned.width_px, turned.height_px, turned.turn_deg) == (1080, 1920, 90)


def test_a_mirrored_source_is_told() -> None:
    plan = planned(source(picture=video(mirrored=True)), spec())
    assert "rotated" in warned(plan)


def test_pixels_become_square() -> None:
    made = picture(
        planned(source(picture=video(coded_width=720, coded_height=576, sample_aspect_ratio="64/45")), spec())
    )
    assert (made.width_px, made.height_px) == (1024, 576)


def test_a_small_source_is_not_enlarged_and_the_caller_is_told() -> None:
    plan = planned(source(picture=video(coded_width=640, coded_height=360)), spec(height=720))
    assert (picture(plan).width_px, picture(plan).height_px) == (640, 360)
    assert "not_upscaled" in warned(plan)


def test_a_picture_beyond_all_limits_is_refused_whichever_side_was_asked() -> None:
    portrait = source(picture=video(coded_width=720, coded_height=1280))
    assert refused(portrait, spec(width=8192, upscale=True)).code == "picture_too_large"


@pytest.mark.parametrize(
    ("preset", "asked", "size", "level"),
    [
        ("h264", "1", 720, "3.1"),
        ("h264", "4.1", 720, "4.1"),
        ("h264", "3.1", 1080, "4"),
        ("hevc", "3", 720, "3.1"),
        ("hevc", "1", 144, "2"),
    ],
)
def test_a_level_that_does_not_hold_the_picture_is_raised_and_told(
    preset: str, asked: str, size: int, level: str
) -> None:
    plan = planned(source(), spec(preset, level=asked, height=size))
    assert picture(plan).level == level
    assert ("level_raised" in warned(plan)) is (level != asked)


def test_fields_that_are_left_in_a_picture_are_told() -> None:
    plan = planned(source(picture=video(interlaced=True)), spec(deinterlace=False))
    assert (picture(plan).deinterlace, warned(plan)) == (None, {"fields_mixed"})


def test_an_encoder_gets_no_smaller_picture_than_it_takes() -> None:
    tiny = source(picture=video(coded_width=8, coded_height=8))
    assert picture(planned(tiny, spec("hevc"))).width_px == 16


def test_an_uneven_source_becomes_constant_and_the_caller_is_told() -> None:
    plan = planned(source(picture=video(variable_rate=True, median_rate="26891/876", frames=63)), spec())
    assert (picture(plan).rate, picture(plan).frames) == ("30/1", 300)
    assert "variable_frame_rate" in warned(plan)


def test_a_fast_source_is_halved() -> None:
    plan = planned(source(picture=video(rate="120/1", frames=1200)), spec())
    assert (picture(plan).rate, picture(plan).frames) == ("60/1", 600)


def test_an_asked_rate_is_obeyed() -> None:
    assert picture(planned(source(), spec(fps=29.97))).rate == "30000/1001"


def test_fields_become_frames_where_lines_are_kept() -> None:
    fields = video(interlaced=True)
    assert picture(planned(source(picture=fields), spec())).deinterlace == "send_field"
    assert picture(planned(source(picture=fields), spec())).rate == "50/1"
    low = picture(planned(source(picture=fields), spec(height=480)))
    assert (low.deinterlace, low.rate) == ("send_frame", "25/1")
    assert "deinterlaced" in warned(planned(source(picture=fields), spec()))


def test_a_film_on_video_gets_its_own_rate_unless_it_is_to_stay() -> None:
    film = source(picture=video(telecined=True, field_order="bb", rate="30000/1001", frames=300))
    plan = planned(film, spec(height=480))
    made = picture(plan)
    assert (made.telecine, made.deinterlace, made.rate, made.frames) == ("bff", None, "24000/1001", 240)
    assert "film_restored" in warned(plan)
    assert picture(planned(film, spec(deinterlace=True))).telecine == "bff"
    kept = picture(planned(film, spec(deinterlace=False)))
    assert (kept.telecine, kept.deinterlace, kept.rate) == (None, None, "30000/1001")
    assert picture(planned(film, spec(fps=25))).rate == "25/1"


def test_deinterlacing_can_be_forbidden_and_forced() -> None:
    assert picture(planned(source(picture=video(interlaced=True)), spec(deinterlace=False))).deinterlace is None
    assert picture(planned(source(), spec(height=480, deinterlace=True))).deinterlace == "send_frame"


def test_frames_are_counted_exactly_only_where_the_source_was() -> None:
    assert picture(planned(source(), spec())).frames_limit == 1
    uncounted = picture(planned(source(picture=video(frames=None, duration_seconds=600.0)), spec()))
    assert uncounted.frames_limit == 6 * 25
    assert picture(planned(source(picture=video(frames=None)), spec(clip={"start": 1, "end": 2}))).frames_limit == 0


def test_a_source_without_any_times_is_refused() -> None:
    timeless = video(average_rate=None, median_rate=None)
    assert refused(source(picture=timeless), spec()).code == "unsupported_format"


def test_keyframes_come_every_second_gop_or_as_asked() -> None:
    assert picture(planned(source(), spec())).gop_frames == 100
    assert picture(planned(source(), spec(keyframeInterval=1.5))).gop_frames == 37


def test_hdr_is_tone_mapped_and_the_caller_is_told() -> None:
    plan = planned(source(picture=hdr()), spec())
    made = picture(plan)
    assert (made.tone_map, made.pixel_format, made.color_transfer) == ("smpte2084", "yuv420p", "bt709")
    assert "hdr_to_sdr" in warned(plan)


def test_hdr_is_kept_in_ten_bits_on_request() -> None:
    made = picture(planned(source(picture=hdr()), spec("hevc", toneMap=False)))
    assert (made.tone_map, made.pixel_format) == (None, "yuv420p10le")
    assert (made.color_primaries, made.color_transfer, made.color_matrix) == ("bt2020", "smpte2084", "bt2020nc")


@pytest.mark.parametrize(
    "output",
    [spec(toneMap=False), spec("hevc", toneMap=False, pixelFormat="yuv420p"),
     spec("hevc", toneMap=False, profile="main")],
)  # fmt: skip
def test_hdr_in_eight_bits_is_refused(output: OutputSpec) -> None:
    assert refused(source(picture=hdr()), output).code == "unsupported_hdr"


def test_hdr_without_the_filters_for_it_is_refused() -> None:
    poor = replace(ABLE, filters=frozenset({"tonemap"}))
    assert refused(source(picture=hdr()), spec(), poor).code == "unsupported_hdr"


def test_ten_bits_without_hdr_transfer_are_no_hdr() -> None:
    made = picture(planned(source(picture=video(bit_depth=10, pixel_format="yuv420p10le")), spec()))
    assert (made.tone_map, made.pixel_format) == (None, "yuv420p")


def test_dolby_vision_without_a_base_is_refused() -> None:
    assert refused(source(picture=hdr(dolby_vision_profile=5)), spec()).code == "unsupported_hdr"
    assert planned(source(picture=hdr(dolby_vision_profile=8)), spec()).video is not None


@pytest.mark.parametrize(
    ("told", "taken"), [(None, 1000), (0.005, 1000), (50.0, 1000), (100.0, 100), (400.0, 400), (10_001.0, 1000)]
)
def test_a_brightest_light_that_cannot_be_is_not_believed(told: float | None, taken: int) -> None:
    """HDR side data: `peak` is ours where the metadata is absurd."""
    assert picture(planned(source(picture=hdr(hdr_peak_nits=told)), spec())).peak_nits == taken


def test_side_data_that_cannot_be_goes_even_where_hdr_is_kept() -> None:
    kept = spec("hevc", toneMap=False)
    assert picture(planned(source(picture=hdr(hdr_peak_nits=0.005)), kept)).strip_hdr
    assert not picture(planned(source(picture=hdr(hdr_peak_nits=1000.0)), kept)).strip_hdr


def test_dolby_vision_of_av1_without_a_base_is_refused() -> None:
    alone = hdr(codec="av1", dolby_vision_profile=10, color_transfer=None)
    assert refused(source(picture=alone), spec()).code == "unsupported_hdr"
    assert planned(source(picture=hdr(codec="av1", dolby_vision_profile=10)), spec()).video is not None


@pytest.mark.parametrize(("pixels", "may_be"), [("bgra", True), ("yuva444p12le", True), ("yuv420p", False)])
def test_transparent_pixels_are_shown_on_black(pixels: str, may_be: bool) -> None:  # a table
    assert picture(planned(source(picture=video(pixel_format=pixels)), spec())).transparent is may_be


def test_side_data_of_hdr_is_stripped_from_sdr() -> None:
    assert picture(planned(source(picture=video(hdr_side_data=True)), spec())).strip_hdr


@pytest.mark.parametrize(("lines", "matrix"), [(480, "smpte170m"), (576, "smpte170m"), (720, "bt709")])
def test_untagged_colours_are_guessed_by_lines(lines: int, matrix: str) -> None:
    untagged = video(color_matrix=None, coded_width=640, coded_height=lines)
    assert picture(planned(source(picture=untagged), spec())).matrix_in == matrix


def test_tagged_and_rgb_colours_are_not_guessed() -> None:
    assert picture(planned(source(picture=video(color_matrix="bt470bg")), spec())).matrix_in is None
    assert picture(planned(source(picture=video(color_matrix=None, pixel_format="bgr0")), spec())).matrix_in is None


def test_a_ten_bit_profile_means_ten_bits() -> None:
    assert picture(planned(source(), spec("hevc", profile="main10"))).pixel_format == "yuv420p10le"
