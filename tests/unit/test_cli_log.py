"""Reading a log of which one is shown the end, again and again."""

from __future__ import annotations

from encoder.cli.log import Reading


def test_each_line_is_told_once_and_only_when_it_is_whole() -> None:
    reading = Reading()
    assert list(reading.lines(0, "a\nb")) == ["a"]
    assert list(reading.lines(0, "a\nbc\nd")) == ["bc"]
    assert list(reading.lines(0, "a\nbc\nd")) == []
    assert list(reading.lines(2, "bc\nde", last=True)) == ["de"]


def test_what_was_passed_over_is_said_but_not_at_first() -> None:
    reading = Reading()
    assert list(reading.lines(100, "x\ny\n")) == ["x", "y"]
    assert list(reading.lines(110, "z\n")) == ["… 6 characters were passed over …", "z"]


def test_an_ffmpeg_that_was_started_anew_is_read_from_its_first_word() -> None:
    reading = Reading()
    assert list(reading.lines(0, "first run\n")) == ["first run"]
    assert list(reading.lines(0, "2\n")) == ["… ffmpeg was started anew …", "2"]
