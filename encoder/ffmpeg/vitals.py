"""What /proc tells of a running process, and when its silence means that it stands still."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from encoder.ffmpeg.progress import Progress

_TICK_SECONDS = 1 / os.sysconf("SC_CLK_TCK")
_LEAST_CPU_SECONDS = 3 * _TICK_SECONDS
_LEAST_CPU_SHARE = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Vitals:
    """All zero when the process is gone, or when /proc does not say."""

    cpu_seconds: float = 0.0
    io_bytes: int = 0  # read and written, caches and pipes included
    peak_memory_bytes: int = 0


def read(pid: int) -> Vitals:
    folder = Path(f"/proc/{pid}")
    times = _text(folder / "stat").rpartition(")")[2].split()
    io = _numbers(_text(folder / "io"))
    return Vitals(
        cpu_seconds=(int(times[11]) + int(times[12])) * _TICK_SECONDS if times else 0.0,
        io_bytes=io.get("rchar", 0) + io.get("wchar", 0),
        peak_memory_bytes=_numbers(_text(folder / "status")).get("VmHWM", 0) * 1024,
    )


def held_bytes(pid: int) -> int:
    """Memory that nobody could take back from it: none of its files."""
    numbers = _numbers(_text(Path(f"/proc/{pid}/status")))
    return (numbers.get("RssAnon", 0) + numbers.get("RssShmem", 0)) * 1024


@dataclass(slots=True, kw_only=True)
class Stillness:
    """How long nothing has moved: neither what ffmpeg reports nor what the kernel counts.

    Its report alone does not tell: while `faststart` rewrites a file, ffmpeg says nothing new. Nor do the counters
    alone: a run that hangs still wakes up to write its report, a little CPU and some bytes each time.
    """

    since: float  # monotonic
    _vitals: Vitals = field(default_factory=Vitals)
    _position: tuple[object, ...] = ()

    def seconds(self, now: float, vitals: Vitals, *, said_bytes: int, progress: Progress | None) -> float:
        """Take a new look; `said_bytes`: how much of its I/O was talk to us."""
        position = _position(progress, vitals.io_bytes - said_bytes)
        busy = vitals.cpu_seconds - self._vitals.cpu_seconds
        if position != self._position or busy > max(_LEAST_CPU_SECONDS, _LEAST_CPU_SHARE * (now - self.since)):
            self.since, self._vitals, self._position = now, vitals, position
        return now - self.since


def _position(progress: Progress | None, io_bytes: int) -> tuple[object, ...]:
    said = (progress.out_time_seconds, progress.frame, progress.size_bytes) if progress else ()
    return (*said, io_bytes)


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace")
    except OSError:
        return ""


def _numbers(text: str) -> dict[str, int]:
    """`name: 12 kB` lines; others are passed over."""
    found: dict[str, int] = {}
    for line in text.splitlines():
        name, _, value = line.partition(":")
        first = value.split()[:1]
        if first and first[0].isdecimal():
            found[name] = int(first[0])
    return found
