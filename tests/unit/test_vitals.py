"""When silence means that a child stands still."""

from __future__ import annotations

import os

from encoder.ffmpeg import vitals
from encoder.ffmpeg.progress import Progress
from encoder.ffmpeg.vitals import Stillness, Vitals


def _look(
    still: Stillness, now: float, *, cpu: float = 0, io: int = 0, said: int = 0, frame: int | None = None
) -> float:
    progress = None if frame is None else Progress(frame=frame)
    return still.seconds(now, Vitals(cpu_seconds=cpu, io_bytes=io), said_bytes=said, progress=progress)


def test_stillness_grows_while_nothing_moves() -> None:
    still = Stillness(since=0.0)
    assert _look(still, 1, cpu=1.0, io=500, frame=1) == 0
    assert _look(still, 60, cpu=1.0, io=500, frame=1) == 59
    assert _look(still, 121, cpu=1.0, io=500, frame=1) == 120


def test_a_new_frame_ends_it() -> None:
    still = Stillness(since=0.0)
    _look(still, 1, frame=1)
    assert _look(still, 100, frame=2) == 0


def test_io_ends_it_when_ffmpeg_reports_nothing() -> None:
    still = Stillness(since=0.0)
    _look(still, 1, io=1000, frame=1)
    assert _look(still, 100, io=2000, frame=1) == 0


def test_processor_time_ends_it() -> None:
    still = Stillness(since=0.0)
    _look(still, 1, cpu=0, frame=1)
    assert _look(still, 100, cpu=5, frame=1) == 0


def test_repeating_the_same_report_is_no_life() -> None:
    still = Stillness(since=0.0)
    _look(still, 1, cpu=10.0, io=1000, said=100, frame=1)
    # each report costs a little processor time and is written to us
    assert _look(still, 61, cpu=10.02, io=5000, said=4100, frame=1) == 60
    assert _look(still, 121, cpu=10.04, io=9000, said=8100, frame=1) == 120


def test_the_kernel_tells_of_a_living_process() -> None:
    seen = vitals.read(os.getpid())
    assert seen.cpu_seconds > 0
    assert seen.io_bytes > 0
    assert seen.peak_memory_bytes > 1_000_000


def test_a_process_that_is_gone_has_no_vitals() -> None:
    assert vitals.read(2**22 + 1) == Vitals()
