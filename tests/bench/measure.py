"""How the benches measure and say it."""

from __future__ import annotations

import os
import statistics
from collections.abc import Sequence
from pathlib import Path


def row(what: str, value: str, note: str = "") -> None:
    """One line of the report."""
    print(f"{what:<58} {value:>22}   {note}", flush=True)


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` of the values lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def cpu_s(pid: int) -> float:
    """What a process has computed until now, its threads together."""
    told = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(told[11]) + int(told[12])) / os.sysconf("SC_CLK_TCK")


def memory_bytes(pid: int | str, member: str) -> int:
    """What /proc says of a process: `VmRSS` now, `VmHWM` at its peak."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(member + ":"):
            return int(line.split()[1]) * 1024
    raise LookupError(member)
