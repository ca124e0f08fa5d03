"""Times of streams that jump, as ffmpeg makes them run on: recordings joined end to end, clocks that were set anew.

Only in formats that may jump (AVFMT_TS_DISCONT), and by its rule (`ts_discontinuity_detect`, `-dts_delta_threshold`):
else what we count on would be another timeline than that of the result.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import av
from av.container import InputContainer

_MAY_JUMP = 0x0200  # AVFMT_TS_DISCONT
_SECOND = 1_000_000
_FARTHEST = 10 * _SECOND  # either way
_BACK = _SECOND // 10  # before the last one
_TIMED = ("audio", "video")


class Jumps:
    """All packets of a file, in the order in which they are read."""

    def __init__(self, container: InputContainer) -> None:
        self._may_jump = bool(container.format.flags & _MAY_JUMP)
        self._offset = 0
        self._last: dict[int, int] = {}  # by stream
        self._next: dict[int, int] = {}
        self._latest: int | None = None

    @property
    def found(self) -> bool:
        return self._offset != 0

    def level(self, packet: av.Packet[Any]) -> None:
        """Move a packet to where ffmpeg shows it."""
        if not self._may_jump or packet.stream.type not in _TIMED:
            return
        time_base = Fraction(packet.time_base) * _SECOND
        if packet.dts is not None:
            self._follow(packet.stream_index, round(packet.dts * time_base), round((packet.duration or 0) * time_base))
        shift = round(self._offset / time_base)
        if shift:
            packet.pts = None if packet.pts is None else packet.pts + shift
            packet.dts = None if packet.dts is None else packet.dts + shift

    def _follow(self, index: int, stored: int, lasts: int) -> None:
        dts = stored + self._offset
        expected = self._next.get(index, self._latest)
        jump = 0 if expected is None else dts - expected
        if abs(jump) > _FARTHEST or dts + _BACK < self._last.get(index, dts):
            self._offset -= jump
            dts -= jump
        self._last[index], self._next[index], self._latest = dts, dts + lasts, dts
