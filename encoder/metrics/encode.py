"""Of ffmpeg: how fast it is, what it takes, how it ends. A ladder of one decode counts as its largest picture."""

from __future__ import annotations

from encoder.metrics.family import OTHER, counter, gauge, histogram

FAMILIES = frozenset({"h264", "hevc", "av1", "vp9", "vp8", "aac", "opus", "mp3"})
_PAIRS = 20  # of codec and height that one process meets

speed = histogram(
    "encode_speed_ratio",
    "Seconds of media per second of an encode, of two passes both.",
    "codec",
    "height",
    most=_PAIRS,
    buckets=(0.1, 0.25, 0.5, 1, 2, 4, 8, 16),
)
media_seconds = counter(
    "encoded_media_seconds_total",
    "Media that ffmpeg has encoded, as it goes; those of failed attempts too.",
    "codec",
    "height",
    most=_PAIRS,
)
cpu_seconds = counter("ffmpeg_cpu_seconds_total", "Time of processors that encodes took.", "codec", most=10)
peak_memory = histogram(
    "ffmpeg_peak_memory_bytes",
    "The most that an encode held.",
    "codec",
    "height",
    most=_PAIRS,
    buckets=tuple(2.0**power for power in range(27, 35)),  # 128 MiB to 16 GiB
)
running = gauge("ffmpeg_running", "Processes of ffmpeg and of the prober.")
exits = counter(
    "ffmpeg_exits_total",
    "How they ended: `ok`, `error`, `stalled`, `wall` (too long), `memory`, `signal`, `cancelled` (also by a drain).",
    "reason",
    most=9,
)


def codec_of(family: str | None) -> str:
    """The label of what is encoded: eight families, else `other`."""
    return family if family in FAMILIES else OTHER


def height_of(*sides_px: int) -> str:
    """The label of a picture by its smaller side, however it is turned."""
    least = min(sides_px, default=0)
    return next((str(height) for height in (2160, 1440, 1080, 720) if least >= height), "sd")
