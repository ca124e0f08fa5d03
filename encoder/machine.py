"""What the machine, or the container that we are in, lets us have: cores and memory (cgroups(7), v2 and v1)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil
from pathlib import Path

KEPT_BYTES = 512 * 1024**2  # for the worker itself, the prober and the kernel
_CGROUPS = Path("/sys/fs/cgroup")
_OURS = Path("/proc/self/cgroup")


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A limit on memory, and the cgroup whose limit it is: all that is in there counts."""

    limit_bytes: int
    folder: Path

    def used_bytes(self) -> int:
        """What nobody could take back: files that are only cached are none of it."""
        if used := _number(self.folder / "memory.current"):
            cached = ("active_file", "inactive_file", "slab_reclaimable")
        else:
            used = _number(self.folder / "memory.usage_in_bytes") or 0
            cached = ("total_active_file", "total_inactive_file", "")
        counted = dict(line.split() for line in _text(self.folder / "memory.stat").splitlines())
        return used - sum(int(counted.get(name, 0)) for name in cached)


def cores(*, cgroups: Path = _CGROUPS, ours: Path = _OURS) -> int:
    """Those that we may run on, or fewer where our share of their time is that of fewer."""
    allowed = len(os.sched_getaffinity(0))
    return min((allowed, *(max(1, ceil(share)) for share in _shares(cgroups, ours))))


def memory_bytes(limit_bytes: int | None = None, *, cgroups: Path = _CGROUPS, ours: Path = _OURS) -> int:
    """Memory for encoders: the least limit that holds here, without what is kept for ourselves, but never none.

    `limit_bytes`: one more, that was told.
    """
    installed = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    limit = held(cgroups=cgroups, ours=ours)
    told = [] if limit_bytes is None else [limit_bytes]
    least = min((installed, *told, *([] if limit is None else [limit.limit_bytes])))
    return max(least - KEPT_BYTES, least // 2)


def held(*, cgroups: Path = _CGROUPS, ours: Path = _OURS) -> Held | None:
    """The least limit on memory, of our cgroup and all above it; None where there is none."""
    found = []
    for folder in _folders("memory", cgroups, ours):
        for name in ("memory.max", "memory.limit_in_bytes"):
            limit = _number(folder / name)
            if limit is not None and limit < 1 << 60:  # v1 says no limit by a number that none could have
                found.append(Held(limit_bytes=limit, folder=folder))
    return min(found, key=lambda each: each.limit_bytes, default=None)


def _shares(cgroups: Path, ours: Path) -> Iterator[float]:
    """In cores: how much of a second each cgroup may run in a second."""
    for folder in _folders("cpu", cgroups, ours):
        quota, _, period = _text(folder / "cpu.max").strip().partition(" ")
        if not quota:
            quota, period = _text(folder / "cpu.cfs_quota_us").strip(), _text(folder / "cpu.cfs_period_us").strip()
        if quota.isdecimal() and period.isdecimal():  # `max`, or -1: no quota
            yield int(quota) / int(period)


def _folders(controller: str, cgroups: Path, ours: Path) -> Iterator[Path]:
    """Of our cgroup and all above it: v2's, and that of the controller where v1 is mounted."""
    for line in _text(ours).splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers == "" or controller in controllers.split(","):
            folder = cgroups / controllers / path.lstrip("/")
            for each in (folder, *folder.parents):
                yield each
                if each == cgroups:
                    break


def _number(file: Path) -> int | None:
    text = _text(file).strip()
    return int(text) if text.isdecimal() else None


def _text(file: Path) -> str:
    try:
        return file.read_text("ascii", errors="replace")
    except OSError:
        return ""
