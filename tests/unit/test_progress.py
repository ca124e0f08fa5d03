"""Reading `-progress`."""

from __future__ import annotations

import random

from encoder.ffmpeg.progress import Meter, Progress

TWO = (
    b"frame=10\nfps=24.5\ntotal_size=1000\nout_time_us=1730000\nout_time_ms=1730000\nspeed=1.5x\nprogress=continue\n"
    b"frame=8\nfps=25\ntotal_size=900\nout_time_us=730000\nspeed=1.6x\nprogress=end\n"
)


def test_a_block_is_told_when_it_closes() -> None:
    told: list[Progress] = []
    meter = Meter(told.append)
    meter.feed(TWO[: TWO.index(b"frame=8")])
    assert told == [Progress(out_time_seconds=1.73, frame=10, fps=24.5, speed=1.5, size_bytes=1000)]
    assert not meter.ended


def test_what_counts_up_never_goes_back_and_what_does_not_follows() -> None:
    meter = Meter()
    meter.feed(TWO)
    assert meter.latest == Progress(out_time_seconds=1.73, frame=10, fps=25.0, speed=1.6, size_bytes=1000)
    assert meter.ended


def test_blocks_may_arrive_in_any_pieces() -> None:
    chance = random.Random(7)  # noqa: S311  # any fixed seed
    meter, rest = Meter(), TWO
    while rest:
        size = chance.randint(1, 9)
        meter.feed(rest[:size])
        rest = rest[size:]
    assert meter.latest is not None
    assert (meter.latest.frame, meter.ended) == (10, True)


def test_absent_and_absurd_values_are_unknown() -> None:
    meter = Meter()
    meter.feed(b"frame=0\nout_time_us=N/A\nspeed=N/A\ntotal_size=N/A\nfps=nan\nprogress=continue\n")
    assert meter.latest == Progress(frame=0)
    meter.feed(b"out_time_us=-9223372036854775808\nprogress=continue\n")
    assert meter.latest == Progress(frame=0)


def test_an_unknown_value_does_not_wipe_out_a_known_one() -> None:
    meter = Meter()
    meter.feed(b"frame=5\nout_time_us=2000000\nprogress=continue\nframe=N/A\nout_time_us=N/A\nprogress=continue\n")
    assert meter.latest is not None
    assert (meter.latest.frame, meter.latest.out_time_seconds) == (5, 2.0)


def test_other_lines_and_endless_ones_are_passed_over_in_bounded_memory() -> None:
    meter = Meter()
    for _ in range(1000):
        meter.feed(b"x" * 10_000)
    meter.feed(b"\n\xff\xfe\nhello\nframe=3\nprogress=end\n")
    assert meter.latest == Progress(frame=3)
    assert len(meter._rest) < 10_000
