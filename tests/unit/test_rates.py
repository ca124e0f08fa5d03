"""Frame rates: believed from the intervals, constant in the output, whole frames in a GOP."""

from __future__ import annotations

from fractions import Fraction

import pytest

from encoder.ffmpeg import rates
from tests.lab.facts import video


def test_the_median_of_the_intervals_has_the_last_word() -> None:
    assert rates.source_rate(video(average_rate="1000/1", median_rate="30/1")) == 30
    assert rates.source_rate(video(average_rate="25/1", median_rate=None)) == 25
    assert rates.source_rate(video(average_rate="0/0", median_rate=None)) is None


@pytest.mark.parametrize(
    ("recorded", "made"),
    [("24000/1001", "24000/1001"), ("15", "15"), ("25/2", "25/2"), ("48", "48"), ("100", "50"), ("120", "60"),
     ("120000/1001", "60000/1001"), ("144", "36")],
)  # fmt: skip
def test_an_even_source_keeps_its_rate_or_an_exact_part_of_it(recorded: str, made: str) -> None:
    assert rates.output_rate(Fraction(recorded), even=True) == Fraction(made)


@pytest.mark.parametrize(
    ("recorded", "made"),
    [("26891/876", "30"), ("59.9", "60000/1001"), ("27", "25"), ("29.5", "30000/1001"), ("240", "60"), ("5", "5"),
     ("0.0001", "1")],
)  # fmt: skip
def test_an_uneven_source_gets_the_nearest_family_not_above_its_own(recorded: str, made: str) -> None:
    assert rates.output_rate(Fraction(recorded), even=False) == Fraction(made)


def test_a_rate_that_is_asked_for_is_exact() -> None:
    assert rates.asked_rate(29.97) == Fraction(30000, 1001)
    assert rates.asked_rate(23.976) == Fraction(24000, 1001)
    assert rates.asked_rate(12.5) == Fraction(25, 2)
    assert rates.asked_rate(30) == 30


@pytest.mark.parametrize(
    ("rate", "frames"),
    [("24000/1001", 48), ("24", 48), ("25", 50), ("50", 100), ("30000/1001", 60), ("30", 60), ("60000/1001", 120),
     ("60", 120), ("15", 30), ("1", 2)],
)  # fmt: skip
def test_a_gop_is_whole_frames_of_two_seconds(rate: str, frames: int) -> None:
    assert rates.gop_frames(Fraction(rate)) == frames
