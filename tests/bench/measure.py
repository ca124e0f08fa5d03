"""How the benches measure and say it."""

from __future__ import annotations

import os
import statistics
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self

_LOOK_S = 0.02


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


class Busy:
    """How many of so many cores a process' children, and `itself`, would keep busy alone. Ends with its block.

    It is seen from their threads that compute, or would if there were a core: whoever else is at work slows down what
    one thread does as much as what several do.
    """

    def __init__(self, pid: int, *, cores: int, itself: bool = False) -> None:
        self._pid = pid
        self._own = (pid,) if itself else ()
        self._cores = cores
        self._wanted: list[int] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, name="busy")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def lap(self) -> float:
        """Of the time in which there was something to compute, since the beginning or the last lap."""
        wanted, self._wanted = self._wanted, []
        return round(statistics.fmean(wanted), 2) if wanted else 0.0

    def _look(self) -> None:
        while not self._over.wait(_LOOK_S):
            running = sum(map(_running, (*self._own, *_family(self._pid))))
            if running:
                self._wanted.append(min(running, self._cores))


def _family(pid: int) -> Iterator[int]:
    """Its children, and theirs."""
    for told in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):  # it has ended
            for child in map(int, told.read_text().split()):
                yield child
                yield from _family(child)


def _running(pid: int) -> int:
    states = []
    for told in Path(f"/proc/{pid}/task").glob("*/stat"):
        with suppress(OSError):  # it has ended
            states.append(told.read_text().rpartition(")")[2].split()[0])
    return states.count("R")
