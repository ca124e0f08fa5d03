from __future__ import annotations

import pytest

from encoder.cli import exits, text


@pytest.mark.parametrize(
    "hostile",
    [
        "\x1b[2Jgone",
        "\x1b]8;;http://x\x07link",
        "a\r\nb",
        "\x9b31mred",
        "tab\there",
        "evil\u202egpj.exe",
        "\u2066isolate",
        "line\u2028separator",
        "\x00",
        "zero\u200bwidth",
        "tag\U000e0041",
        "half\ud83d",
    ],
)
def test_clean_leaves_nothing_that_a_terminal_obeys(hostile: str) -> None:
    cleaned = text.clean(hostile)
    assert "·" in cleaned
    assert all(char.isprintable() for char in cleaned)


def test_clean_leaves_ordinary_text_of_any_script_alone() -> None:
    assert text.clean("Urlaub 日本 עברית 🎬 [link=x].mov") == "Urlaub 日本 עברית 🎬 [link=x].mov"


@pytest.mark.parametrize(
    ("size_bytes", "told"),
    [
        (None, "–"),
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1 kB"),
        (1_234_567, "1.23 MB"),
        (2.5e9, "2.5 GB"),
        (9e15, "9e+03 TB"),
    ],
)
def test_sizes_are_told_in_decimal_units(size_bytes: float | None, told: str) -> None:
    assert text.size(size_bytes) == told


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(None, "–"), (0.4211, "0.421 s"), (41.27, "41.3 s"), (59.99, "60 s"), (187, "3:07"), (3723, "1:02:03")],
)
def test_durations_are_told_as_people_write_them(seconds: float | None, told: str) -> None:
    assert text.duration(seconds) == told


def test_what_is_left_and_how_fast_it_goes_is_told_no_finer_than_it_is_known() -> None:
    assert [text.left(seconds) for seconds in (0.54, 21.4, 187)] == ["1 s left", "21 s left", "3:07 left"]
    assert [text.frames(fps) for fps in (0.573, 23.976, 1250.4)] == ["0.573 fps", "24 fps", "1250 fps"]
    assert [text.times(speed) for speed in (0.0239, 4.13, 52.16)] == ["0.02×", "4.1×", "52.2×"]


@pytest.mark.parametrize(
    ("seconds", "told"), [(-3, "0 s"), (59.9, "59 s"), (60, "1 min"), (3599, "59 min"), (7200, "2 h"), (200_000, "2 d")]
)
def test_an_age_has_one_unit_and_is_never_negative(seconds: float, told: str) -> None:
    assert text.ago(seconds) == told


def test_rates_are_told_in_bits() -> None:
    assert text.rate(2_500_000) == "2.5 Mbit/s"
    assert text.rate(None) == "–"


def test_one_is_not_many() -> None:
    assert [text.count(number, "check") for number in (0, 1, 2)] == ["0 checks", "1 check", "2 checks"]


@pytest.mark.parametrize(
    ("status", "code"),
    [(400, 2), (401, 3), (403, 3), (404, 2), (409, 1), (413, 2), (422, 2), (429, 4), (500, 4), (503, 4), (408, 4)],
)
def test_the_exit_code_tells_what_to_do_about_a_refusal(status: int, code: int) -> None:
    assert exits.of_status(status) == code


@pytest.mark.parametrize(
    ("statuses", "code"),
    [((), 0), (("completed",), 0), (("completed", "cancelled"), 6), (("cancelled", "failed", "completed"), 1)],
)
def test_the_exit_code_of_several_jobs_is_that_of_the_worst(statuses: tuple[str, ...], code: int) -> None:
    assert exits.of_jobs(statuses) == code


def test_the_exit_code_tells_how_a_job_ended() -> None:
    assert [exits.of_job(status) for status in ("completed", "failed", "cancelled")] == [0, 1, 6]
