"""How far an output is told to be."""

from __future__ import annotations

import pytest

from encoder.ffmpeg.progress import Progress
from encoder.worker import progress
from tests.lab.facts import planned, source, spec


def test_a_picture_goes_by_its_frames_though_the_sound_is_ahead() -> None:
    plan = planned(source(), spec())  # 250 frames, 10 s
    live = progress.encode(plan, Progress(out_time_seconds=8.0, frame=50), elapsed_s=4.0)
    assert live.progress == pytest.approx(0.1 + 0.8 * 0.2)
    assert [live.fps, live.speed, live.eta_seconds] == pytest.approx([12.5, 0.5, 16.0])


def test_what_is_joined_of_chunks_is_as_far_as_they_were() -> None:
    """Seen to fail where the copy of a picture counts as its encode: an output went back from nine tenths to one."""
    live = progress.encode(planned(source(), spec()), Progress(frame=50), elapsed_s=4.0, stage="joining")
    assert live.stage == "joining"
    assert live.progress == pytest.approx(0.9)


def test_before_the_first_frame_nothing_is_guessed() -> None:
    live = progress.encode(planned(source(), spec()), Progress(out_time_seconds=3.0), elapsed_s=4.0)
    assert live.progress == pytest.approx(0.1)
    assert (live.speed, live.eta_seconds) == (None, None)


def test_sound_goes_by_its_time() -> None:
    live = progress.encode(planned(source(), spec("audio-aac")), Progress(out_time_seconds=5.0), elapsed_s=1.0)
    assert live.progress == pytest.approx(0.5)
    assert live.eta_seconds == pytest.approx(1.0)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_transfer_goes_by_bytes() -> None:
    clock = Clock()
    meter = progress.Meter("fetching", clock=clock)
    clock.now = 2.0
    live = meter.live(50, 100)
    assert (live.stage, live.transferred_bytes, live.total_bytes) == ("fetching", 50, 100)
    assert [live.progress, live.bytes_per_second, live.eta_seconds] == pytest.approx([0.05, 25.0, 2.0])


def test_of_a_transfer_of_unknown_size_only_bytes_and_rate_are_told() -> None:
    clock = Clock()
    meter = progress.Meter("fetching", clock=clock)
    clock.now = 2.0
    live = meter.live(50, None)
    assert (live.transferred_bytes, live.bytes_per_second) == (50, 25.0)
    assert (live.progress, live.total_bytes, live.eta_seconds) == (None, None, None)


def test_the_rate_of_a_transfer_is_that_of_late() -> None:
    clock = Clock()
    meter = progress.Meter("uploading", clock=clock)
    gone = 0
    for second in range(1, 61):
        clock.now = float(second)
        gone += 1000 if second <= 30 else 10
        live = meter.live(gone, 100_000)
    assert live.bytes_per_second == pytest.approx(10.0)
    assert live.eta_seconds == pytest.approx((100_000 - gone) / 10)


def test_a_transfer_that_begins_anew_has_no_negative_rate() -> None:
    clock = Clock()
    meter = progress.Meter("fetching", clock=clock)
    clock.now = 5.0
    meter.live(5000, 10_000)
    clock.now = 6.0
    assert meter.live(100, 10_000).bytes_per_second is None
    clock.now = 7.0
    assert meter.live(400, 10_000).bytes_per_second == pytest.approx(300.0)
