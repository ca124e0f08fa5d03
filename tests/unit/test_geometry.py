"""Sizes: of the presented picture, even, never larger than the source unless asked."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from encoder.ffmpeg.geometry import Fitted, fitted
from encoder.ffmpeg.rules import FITS
from encoder.model.base import Json
from tests.lab.facts import spec


def fit(shown: tuple[int, int], **members: Json) -> Fitted:
    return fitted(shown, spec(None, container="mp4", **members))


def test_nothing_asked_keeps_the_size() -> None:
    assert fit((1920, 1080)) == Fitted(size=(1920, 1080), scale=(1920, 1080))


def test_an_odd_source_loses_a_line_not_gains_one() -> None:
    assert fit((853, 481)).size == (852, 480)


def test_a_height_lets_the_width_follow() -> None:
    assert fit((1920, 1080), height=720).size == (1280, 720)
    assert fit((1920, 1080), height=480).size == (854, 480)


def test_width_and_height_are_a_box() -> None:
    assert fit((1920, 800), width=1280, height=720).size == (1280, 534)
    assert fit((1080, 1920), width=1280, height=720).size == (406, 720)


def test_a_small_source_is_not_enlarged() -> None:
    assert fit((640, 360), height=720) == Fitted(size=(640, 360), scale=(640, 360), too_small=True)


def test_a_small_source_is_enlarged_when_asked() -> None:
    assert fit((640, 360), height=720, upscale=True) == Fitted(size=(1280, 720), scale=(1280, 720))


def test_cover_fills_the_box_and_overhangs() -> None:
    assert fit((1920, 1080), width=720, height=720, fit="cover") == Fitted(size=(720, 720), scale=(1280, 720))


def test_cover_of_a_small_source_keeps_the_shape_of_the_box() -> None:
    assert fit((640, 360), width=720, height=720, fit="cover").size == (360, 360)


def test_pad_gives_the_whole_box() -> None:
    assert fit((1920, 1080), width=720, height=720, fit="pad") == Fitted(size=(720, 720), scale=(720, 406))


def test_pad_puts_a_small_source_in_the_middle_unenlarged() -> None:
    small = fit((320, 180), width=640, height=640, fit="pad")
    assert (small.size, small.scale, small.too_small) == ((640, 640), (320, 180), True)


def test_stretch_ignores_the_shape() -> None:
    assert fit((1920, 1080), width=640, height=640, fit="stretch").size == (640, 640)


@given(
    shown=st.tuples(st.integers(16, 8192), st.integers(16, 4320)),
    width=st.none() | st.integers(16, 8192),
    height=st.none() | st.integers(16, 8192),
    how=st.sampled_from(FITS),
    upscale=st.booleans(),
)
def test_any_size_is_even_and_stays_in_its_bounds(
    shown: tuple[int, int], width: int | None, height: int | None, how: str, *, upscale: bool
) -> None:
    if how != "contain" and (width is None or height is None):
        return
    box = {side: value for side, value in (("width", width), ("height", height)) if value is not None}
    result = fit(shown, fit=how, upscale=upscale, **box)
    assert all(side % 2 == 0 and side >= 2 for side in (*result.size, *result.scale))
    if not upscale:
        assert all(side <= max(2, has) for side, has in zip(result.scale, shown, strict=True))
    for asked, side in ((width, result.size[0]), (height, result.size[1])):
        assert asked is None or side <= max(2, asked)
    if how == "cover":
        assert all(big >= small for big, small in zip(result.scale, result.size, strict=True))


@pytest.mark.parametrize("how", FITS)
def test_a_box_of_the_very_size_changes_nothing(how: str) -> None:
    assert fit((1280, 720), width=1280, height=720, fit=how) == Fitted(size=(1280, 720), scale=(1280, 720))
