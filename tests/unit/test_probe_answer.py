"""The prober's output is not believed to be well formed."""

from __future__ import annotations

import json
import signal
from typing import Any

import pytest

from encoder import errors
from encoder.ffmpeg.exits import Exit, Reason
from encoder.ffmpeg.probe import heard

MEDIA: dict[str, Any] = {"format": "mov", "sizeBytes": 10, "durationSeconds": 1.5}


def _ended(code: int = 0, log: str = "", reason: Reason = Reason.OK) -> Exit:
    return Exit(code=code, reason=reason, log=log, cpu_seconds=0, wall_seconds=0)


def test_a_good_answer_is_heard() -> None:
    answer = heard(_ended(), json.dumps({"media": MEDIA}).encode())
    assert answer.media is not None
    assert answer.media.duration_seconds == 1.5


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b'{"media": {"format": "mov"}}',
        b'{"media": {"format": "mov", "sizeBytes": "many"}}',
        b'{"media": {"format": "mov", "sizeBytes": 1, "durationSeconds": NaN}}',
        b'{"media": {"format": "mov", "sizeBytes": 1e999}}',
        b'{"media": []}',
        b"[" * 100_000,
        b'{"media": {"format": "' + b"x" * 1_000_000,
        b"\xff\xfe",
    ],
)
def test_any_other_is_a_crash_of_the_prober(data: bytes) -> None:
    """D18"""
    with pytest.raises(errors.Crash) as caught:
        heard(_ended(), data)
    assert caught.value.code == "encoder_crashed"


def test_a_refusal_is_permanent() -> None:
    with pytest.raises(errors.Permanent) as caught:
        heard(_ended(), b'{"refusal": {"code": "encrypted_source", "message": "no"}}')
    assert caught.value.code == "encrypted_source"


@pytest.mark.parametrize(
    ("log", "code"),
    [
        ("[mjpeg @ 0x1] Picture size 12000x8000 exceeds specified max pixel count 35389440", "resolution_too_large"),
        ("[mov @ 0x1] moov atom not found", "source_truncated"),
    ],
)
def test_what_only_the_log_tells_is_heard(log: str, code: str) -> None:
    with pytest.raises(errors.Permanent) as caught:
        heard(_ended(log=log), json.dumps({"media": MEDIA}).encode())
    assert caught.value.code == code


def test_a_prober_that_crashed_is_a_crash_and_one_that_ran_out_of_time_is_not() -> None:
    """D14"""
    with pytest.raises(errors.Crash):
        heard(_ended(-signal.SIGSEGV, reason=Reason.SIGNAL), b"")
    with pytest.raises(errors.Permanent) as caught:
        heard(_ended(-signal.SIGKILL, reason=Reason.WALL), b"")
    assert caught.value.code == "deadline_exceeded"
