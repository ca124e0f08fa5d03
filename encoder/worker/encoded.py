"""Counts one pass of ffmpeg: media as it goes, and in the end how fast it was and what it took."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from encoder.ffmpeg.codecs import COPY
from encoder.ffmpeg.launcher import Exit
from encoder.ffmpeg.progress import Progress
from encoder.metrics import encode
from encoder.model.plan import OutputPlan

_SOUND = "none"  # the height of what has no picture


class Encoded:
    """`streams`: those that the pass makes. What is only copied is not counted.

    `first_frame_at`: when the first frame of a picture was there, by `clock`.
    """

    def __init__(self, streams: Iterable[OutputPlan], *, clock: Callable[[], float]) -> None:
        sizes = [_size(stream) for stream in streams if _is_encoded(stream)]
        self._series = [encode.media_seconds.of(codec, height) for _, codec, height in sizes]
        self._largest = max(sizes)[1:] if sizes else None
        self._media_s = 0.0
        self._clock = clock
        self.first_frame_at: float | None = None

    def goes_on(self, now: Progress) -> None:
        """Of the run that writes the outputs: one decode, so that all are as far."""
        if now.frame and self.first_frame_at is None and self._largest is not None:
            self.first_frame_at = self._clock()
        more_s = (now.out_time_seconds or 0.0) - self._media_s
        if more_s > 0:
            self._media_s += more_s
            for series in self._series:
                series.inc(more_s)

    def ended(self, runs: Sequence[Exit]) -> None:
        """The pass has ended well, in one or two runs."""
        if self._largest is None:
            return
        codec, height = self._largest
        wall_s = sum(run.wall_seconds for run in runs)
        encode.cpu_seconds.of(codec).inc(sum(run.cpu_seconds for run in runs))
        if self._media_s and wall_s:
            encode.speed.of(codec, height).observe(self._media_s / wall_s)
        peaks = [run.peak_memory_bytes for run in runs if run.peak_memory_bytes is not None]
        if peaks:
            encode.peak_memory.of(codec, height).observe(max(peaks))


def _is_encoded(stream: OutputPlan) -> bool:
    made = stream.video or stream.audio
    return made is not None and made.encoder != COPY


def _size(stream: OutputPlan) -> tuple[int, str, str]:
    """Pixels, to find the largest; then codec and height, as labels."""
    video, audio = stream.video, stream.audio
    if video is not None:
        return (
            video.width_px * video.height_px,
            encode.codec_of(video.codec),
            encode.height_of(video.width_px, video.height_px),
        )
    return 0, encode.codec_of(audio.codec if audio else None), _SOUND
