"""How far an output is: one number over all stages, never a guess."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import replace

from encoder.ffmpeg.codecs import COPY
from encoder.ffmpeg.progress import Progress
from encoder.model.plan import OutputPlan
from encoder.model.way import overall as overall  # noqa: PLC0414  # stages tell by it
from encoder.store.rows import Live

# how a rate is measured: since the oldest of the marks, which are so far apart
MARK_S = 1.0
RATE_MARKS = 10


class Meter:
    """How a transfer goes, by bytes. What it moved in the last ten seconds or so tells how long the rest will take."""

    def __init__(self, stage: str, *, clock: Callable[[], float]) -> None:
        self._stage = stage
        self._clock = clock
        self._marks = deque([(clock(), 0)], maxlen=RATE_MARKS)  # when, and how many bytes by then

    def live(self, done_bytes: int, size_bytes: int | None) -> Live:
        """What is shown when `done_bytes` have gone, of `size_bytes` if that is known."""
        rate = self._rate(done_bytes)
        return Live(
            stage=self._stage,
            progress=overall(self._stage, done_bytes / size_bytes if size_bytes else None),
            eta_seconds=max(size_bytes - done_bytes, 0) / rate if size_bytes and rate else None,
            transferred_bytes=done_bytes,
            total_bytes=size_bytes,
            bytes_per_second=rate,
        )

    def _rate(self, done_bytes: int) -> float | None:
        now = self._clock()
        if done_bytes < self._marks[-1][1]:  # it began anew
            self._marks.clear()
            self._marks.append((now, done_bytes))
        since, had = self._marks[0]
        if now - self._marks[-1][0] >= MARK_S:
            self._marks.append((now, done_bytes))
        return (done_bytes - had) / (now - since) if now > since else None


def measure(now: Progress, *, stage: str = "measuring") -> Live:
    """Progress of a measuring before an encode: no share of the whole, for it takes a hundredth of the time."""
    return Live(stage=stage, progress=overall(stage, 0.0), speed=now.speed)


def encode(
    plan: OutputPlan, now: Progress, elapsed_s: float, *, stage: str = "encoding", run: int = 0, runs: int = 1
) -> Live:
    """Progress of an encode whose first output is `plan`: by its frames, for sound runs ahead of a picture's lookahead.

    Sound alone, and copies, go by media time. An unknown length makes an unknown progress. `stage`: `joining` of what
    is made of chunks. `run`: of so many over the whole picture, from 0; `elapsed_s` is since the first began.
    """
    live = chunk(plan, now, elapsed_s, run=run, runs=runs)
    return replace(live, stage=stage, progress=overall(stage, live.progress))


def within(live: Live, begin: float, end: float) -> Live:
    """What `chunk` told, of one that is no task of its own: from one share of the picture to another."""
    share = None if live.progress is None else begin + (end - begin) * live.progress
    return replace(live, progress=overall("encoding", share), eta_seconds=None)


def chunk(plan: OutputPlan, now: Progress, elapsed_s: float, *, run: int = 0, runs: int = 1) -> Live:
    """As `encode`, of a chunk: `progress` is the share of its own frames that are encoded."""
    video, length_s = plan.video, plan.duration_seconds
    done: float | None = None
    if video is not None and video.encoder != COPY and video.frames:
        done = (now.frame or 0) / video.frames
    elif length_s and now.out_time_seconds is not None:
        done = now.out_time_seconds / length_s
    if done is not None:
        done = (run + min(done, 1.0)) / runs
    frames = (now.frame or 0) + run * ((video.frames if video else None) or 0)
    return Live(
        stage="encoding",
        progress=done,
        fps=frames / elapsed_s if frames and elapsed_s > 0 else None,
        speed=done * length_s / elapsed_s if done and length_s and elapsed_s > 0 else None,
        eta_seconds=elapsed_s * max(1 - done, 0.0) / done if done else None,
    )
