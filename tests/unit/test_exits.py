"""What the end of a process means: the table of failure classes."""

from __future__ import annotations

import signal

import pytest

from encoder import errors
from encoder.ffmpeg.exits import Exit, Reason, classify

NO_SPACE = "[out#0/mp4 @ 0x1] Error writing trailer: No space left on device"
NO_MEMORY = "Error while filtering: Cannot allocate memory"
NOT_MEDIA = "[in#0 @ 0x1] Error opening input: Invalid data found when processing input\nError opening input files"
NOT_LISTED = "[hls @ 0x1] Format not on whitelist 'mov,matroska'\nfd:: Invalid argument"
DAMAGED = "[vist#0:0/h264] Decode error rate 0.5 exceeds maximum 0.01"
REFUSED = "[libx264 @ 0x1] width not divisible by 2 (3x3)\nError while opening encoder - maybe incorrect parameters"
MISSING = "[vost#0:0 @ 0x1] Unknown encoder 'libnope'"


def _ended(code: int, log: str = "", reason: Reason = Reason.ERROR) -> Exit:
    return Exit(code=code, reason=reason, log=log, cpu_seconds=0, wall_seconds=0)


@pytest.mark.parametrize(
    ("code", "log", "kind", "named"),
    [
        (183, NOT_MEDIA, errors.Permanent, "unsupported_format"),
        (234, NOT_LISTED, errors.Permanent, "unsupported_format"),
        (228, "", errors.Resource, "disk_full"),
        (244, "", errors.Resource, "out_of_memory"),
        (229, "", errors.Permanent, "output_too_large"),
        (69, DAMAGED, errors.Permanent, "source_damaged"),
        (255, "Exiting normally, received signal 15.", errors.Crash, "encoder_crashed"),
        (187, REFUSED, errors.Permanent, "encoder_refused"),
        (234, REFUSED, errors.Permanent, "encoder_refused"),
        (183, f"{REFUSED}\nfd:: Invalid data found when processing input", errors.Permanent, "encoder_refused"),
        (8, MISSING, errors.Permanent, "encoder_not_available"),
        (137, "", errors.Crash, "encoder_oom"),
        (153, "", errors.Permanent, "output_too_large"),
        (139, "", errors.Crash, "encoder_crashed"),
        (120, "box: [Errno 2] No such file or directory", errors.Crash, "encoder_crashed"),
        (251, "Input/output error", errors.Crash, "encoder_crashed"),
    ],
)
def test_a_code_means(code: int, log: str, kind: type[errors.Failure], named: str) -> None:
    """D14"""
    failure = classify(_ended(code, log))
    assert (type(failure), failure.code) == (kind, named)


@pytest.mark.parametrize(
    ("log", "named"),
    [
        (NO_SPACE, "disk_full"),
        (NO_MEMORY, "out_of_memory"),
        (NOT_MEDIA, "unsupported_format"),
        (NOT_LISTED, "unsupported_format"),
        (DAMAGED, "source_damaged"),
        (REFUSED, "encoder_refused"),
        (MISSING, "encoder_not_available"),
        ("av_interleaved_write_frame(): File too large", "output_too_large"),
        ("nobody knows", "encoder_crashed"),
    ],
)
def test_code_1_of_older_builds_is_told_apart_by_the_log(log: str, named: str) -> None:
    """D14"""
    assert classify(_ended(1, log)).code == named


@pytest.mark.parametrize(
    ("number", "kind", "named"),
    [
        (signal.SIGKILL, errors.Crash, "encoder_oom"),
        (signal.SIGSEGV, errors.Crash, "encoder_crashed"),
        (signal.SIGABRT, errors.Crash, "encoder_crashed"),
        (signal.SIGTERM, errors.Crash, "encoder_crashed"),
        (signal.SIGXFSZ, errors.Permanent, "output_too_large"),
        (signal.SIGXCPU, errors.Permanent, "deadline_exceeded"),
    ],
)
def test_a_signal_means(number: signal.Signals, kind: type[errors.Failure], named: str) -> None:
    """D14"""
    failure = classify(_ended(-number, reason=Reason.SIGNAL))
    assert (type(failure), failure.code) == (kind, named)
    assert number.name in failure.message


def test_what_the_watchdogs_ended_is_not_judged_by_the_signal_that_they_used() -> None:
    assert classify(_ended(-signal.SIGKILL, reason=Reason.STALLED)).code == "encoder_stalled"
    assert classify(_ended(255, reason=Reason.WALL)).code == "deadline_exceeded"


def test_every_meaning_stands_in_the_catalogue_with_its_class() -> None:
    meanings = [classify(_ended(code, log)) for code in range(1, 256) for log in ("", NO_SPACE, NOT_MEDIA, REFUSED)]
    for failure in meanings:
        assert errors.CATALOGUE[failure.code].kind is failure.kind


def test_the_message_carries_the_telling_line_not_the_closing_words() -> None:
    log = "[libx264 @ 0x1] bad profile\nTerminating thread with return code -22\nframe=    0\nConversion failed!\n"
    assert classify(_ended(1, log)).message.endswith("([libx264 @ 0x1] bad profile)")


def test_the_message_is_short_whatever_the_log_says() -> None:
    assert len(classify(_ended(1, "x" * 100_000)).message) < 300
