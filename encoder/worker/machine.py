"""What the machine, or the cgroup that we are in, lets us have."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

KEPT_BYTES = 512 * 1024**2  # for the worker itself, the prober and the kernel
_CGROUPS = Path("/sys/fs/cgroup")
_OURS = Path("/proc/self/cgroup")


def memory_bytes(*, cgroups: Path = _CGROUPS, ours: Path = _OURS) -> int:
    """Memory for encoders: the least limit that holds here, without what is kept for ourselves, but never none."""
    installed = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    least = min((installed, *_limits(cgroups, ours)))
    return max(least - KEPT_BYTES, least // 2)


def _limits(cgroups: Path, ours: Path) -> Iterator[int]:
    """Of our cgroup and all above it (cgroups(7), v2; where v1 is mounted, of its memory controller)."""
    for line in _text(ours).splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers in ("", "memory"):
            folder = cgroups / controllers / path.lstrip("/")
            for each in (folder, *folder.parents):
                for name in ("memory.max", "memory.limit_in_bytes"):
                    if (limit := _text(each / name).strip()).isdecimal():
                        yield int(limit)
                if each == cgroups:
                    break


def _text(file: Path) -> str:
    try:
        return file.read_text("ascii", errors="replace")
    except OSError:
        return ""
