"""The end of a log."""

from __future__ import annotations

from encoder.ffmpeg.child import LOG_BYTES, Tail
from encoder.ffmpeg.launcher import Gathered


def test_the_tail_keeps_the_last_bytes_of_any_flood() -> None:
    tail = Tail(limit_bytes=10)
    for number in range(1000):
        tail.feed(f"{number:04}\n".encode())
    assert tail.text() == "0998\n0999\n"


def test_one_endless_line_takes_no_more_memory_than_many() -> None:
    tail = Tail()
    for _ in range(100):
        tail.feed(b"x" * 65536)
        assert len(tail._kept) <= 3 * LOG_BYTES
    assert tail.text() == "x" * LOG_BYTES


def test_terminal_codes_and_overwritten_lines_become_plain_ones() -> None:
    """D13"""
    tail = Tail()
    tail.feed(b"\x1b[1;31mError\x1b[0m one\rtwo\r\nthree\x07\x00\ttab\n\xff\n")
    assert tail.text() == "Error one\ntwo\nthree\ttab\n\ufffd\n"


def test_what_is_gathered_ends_at_the_limit_and_the_rest_is_still_taken() -> None:
    heard = Gathered(limit_bytes=10)
    for _ in range(5):
        heard.feed(b"abcd")
    assert heard.data == b"abcdabcdab"
