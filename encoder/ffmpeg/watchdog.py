"""Ends one ffmpeg before the kernel ends a whole container for its memory, and all that runs in there with it.

Since Kubernetes 1.28 a container whose memory is used up is killed as one (kubernetes#117793): a source that takes more
than was predicted would take its neighbours along.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from encoder.ffmpeg import vitals

SHARE = 0.9
LOOK_EVERY_S = 0.1  # x264 fills a gigabyte of pictures in half a second


class Watchdog:
    """One for all children of a process.

    `limit_bytes`: what may be held here; `used`: how much is, of a cgroup; None: ourselves and our children.
    """

    def __init__(self, limit_bytes: int, used: Callable[[], int] | None = None) -> None:
        self._most_bytes = int(limit_bytes * SHARE)
        self._used = used or self._of_ours
        self._pids: set[int] = set()
        self._doomed: int | None = None

    @contextmanager
    def over(self, pid: int) -> Iterator[None]:
        """Watch a child, until it is gone."""
        self._pids.add(pid)
        try:
            yield
        finally:
            self._pids.remove(pid)
            if self._doomed == pid:
                self._doomed = None

    def dooms(self, pid: int) -> bool:
        """Whether this child has to go now: hardly anything is left, and no other holds more. One at a time."""
        if self._doomed is not None or self._used() < self._most_bytes:
            return False
        if max(self._pids, key=vitals.held_bytes) == pid:
            self._doomed = pid
        return self._doomed == pid

    def _of_ours(self) -> int:
        return sum(map(vitals.held_bytes, (os.getpid(), *self._pids)))
