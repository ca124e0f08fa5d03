"""What holds the processes of one run together."""

from __future__ import annotations

import signal
from collections.abc import Callable

from encoder import errors
from encoder.ffmpeg.child import Child


class Leash:
    """Kills every child of one run at once, and lets none be born after; or lets them all stand still for a while.

    Knows what those that are gone have cost together, and which took the most memory (None: none lived for a second).
    For the thread of the loop only.
    """

    def __init__(self) -> None:
        self.cut = False
        self.frozen = False
        self.cpu_seconds = 0.0
        self.peak_memory_bytes: int | None = None
        self._children: set[Child] = set()

    def kill(self) -> None:
        """SIGKILL to each group, before this returns."""
        self.cut = True
        self._signal(signal.SIGKILL)

    def freeze(self) -> None:
        """SIGSTOP to each group, and to those that are born until `thaw`. A kill reaches them all the same."""
        self.frozen = True
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let them go on where they stood."""
        if self.frozen:
            self.frozen = False
            self._signal(signal.SIGCONT)

    def check(self) -> None:
        """Raises:
        errors.LeaseLost: the leash was cut.
        """
        if self.cut:
            raise errors.LeaseLost("The run was cut off: it may start nothing more.")

    def take(self, born: Callable[[], Child]) -> Child:
        """A child that `born` starts, held until it is gone."""
        self.check()
        child = born()
        self._children.add(child)
        if self.frozen:
            child.signal(signal.SIGSTOP)
        child.exited.add_done_callback(lambda _: self._children.discard(child))
        return child

    def note(self, *, cpu_seconds: float, peak_memory_bytes: int | None) -> None:
        """A child is gone, and has cost so much."""
        self.cpu_seconds += cpu_seconds
        self.peak_memory_bytes = max(self.peak_memory_bytes or 0, peak_memory_bytes or 0) or None

    def _signal(self, number: signal.Signals) -> None:
        for child in self._children:
            child.signal(number)
