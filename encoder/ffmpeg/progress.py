"""What ffmpeg says with `-progress`, as it goes."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

N = TypeVar("N", int, float)

_LONGEST_LINE_BYTES = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a run is. Each number is the highest that was said: with several outputs ffmpeg's own go back."""

    out_time_seconds: float | None = None
    frame: int | None = None
    fps: float | None = None
    speed: float | None = None  # media seconds per second
    size_bytes: int | None = None


class Meter:
    """Reads the `-progress` stream: `key=value` lines in blocks, each closed by `progress=continue` or `=end`.

    Takes any bytes: what is no such line is passed over, and no more than one line is kept.
    """

    def __init__(self, tell: Callable[[Progress], None] | None = None) -> None:
        self.latest: Progress | None = None
        self.ended = False  # `progress=end` was seen
        self._tell = tell
        self._rest = b""
        self._block: dict[str, str] = {}

    def feed(self, data: bytes) -> None:
        *lines, rest = (self._rest + data).split(b"\n")
        self._rest = rest[-_LONGEST_LINE_BYTES:]
        for line in lines:
            self._read(line.decode("ascii", "replace"))

    def _read(self, line: str) -> None:
        key, equals, value = line.partition("=")
        if not equals:
            return
        if key != "progress":
            self._block[key] = value.strip()
            return
        self.ended = value.strip() == "end"
        self.latest = _later(self.latest, _measured(self._block))
        self._block = {}
        if self._tell:
            self._tell(self.latest)


def _measured(block: dict[str, str]) -> Progress:
    # `out_time_ms` holds microseconds too (trac 7345); before the first frame it is N/A or hugely negative
    micros = _number(block.get("out_time_us"))
    return Progress(
        out_time_seconds=None if micros is None else micros / 1e6,
        frame=_whole(block.get("frame")),
        fps=_number(block.get("fps")),
        speed=_number(block.get("speed", "").removesuffix("x")),
        size_bytes=_whole(block.get("total_size")),
    )


def _number(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if math.isfinite(number) and number >= 0 else None


def _whole(text: str | None) -> int | None:
    number = _number(text)
    return None if number is None else int(number)


def _later(before: Progress | None, now: Progress) -> Progress:
    """`now`, where nothing that counts up goes back."""
    if before is None:
        return now
    return replace(
        now,
        out_time_seconds=_higher(before.out_time_seconds, now.out_time_seconds),
        frame=_higher(before.frame, now.frame),
        size_bytes=_higher(before.size_bytes, now.size_bytes),
    )


def _higher(before: N | None, now: N | None) -> N | None:
    return max((number for number in (before, now) if number is not None), default=None)
