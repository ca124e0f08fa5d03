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


def test_before_the_first_frame_nothing_is_guessed() -> None:
    live = progress.encode(planned(source(), spec()), Progress(out_time_seconds=3.0), elapsed_s=4.0)
    assert live.progress == pytest.approx(0.1)
    assert (live.speed, live.eta_seconds) == (None, None)


def test_sound_goes_by_its_time() -> None:
    live = progress.encode(planned(source(), spec("audio-aac")), Progress(out_time_seconds=5.0), elapsed_s=1.0)
    assert live.progress == pytest.approx(0.5)
    assert live.eta_seconds == pytest.approx(1.0)


def test_a_transfer_goes_by_bytes_and_an_unknown_size_is_unknown() -> None:
    assert progress.transfer("fetching", 50, 100, 2.0).progress == pytest.approx(0.05)
    assert progress.transfer("uploading", 50, 100, 2.0).eta_seconds == pytest.approx(2.0)
    assert progress.transfer("fetching", 50, None, 2.0).progress is None
