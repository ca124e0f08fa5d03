"""Where a stream can be entered: the keyframes from which on it decodes just as if it had been read from its beginning.

A container's key flag promises less. What H.264 and HEVC flag may be an open GOP or a refresh that takes some frames,
and of most older codecs nothing tells the two apart: there is no entry in what is not known to be one.
"""

from __future__ import annotations

import math
from array import array
from fractions import Fraction
from typing import Any

import av
from av.video.stream import VideoStream

from encoder.ffmpeg.prober.nal import Idr

_ORIGINAL = ("vp8", "vp9", "av1")  # their keyframes forget all that was before
_LONE = ("mjpeg", "prores", "dnxhd")  # each frame stands by itself
_LEAST_APART_SECONDS = Fraction(1, 2)  # nearer ones save next to nothing
_MOST = 10_000


class Entries:
    """The entries of one stream, packet by packet."""

    def __init__(self, stream: VideoStream) -> None:
        self._time_base = Fraction(stream.time_base or 1)
        self._idr = Idr.of(stream)
        codec = stream.codec_context.codec.canonical_name
        self._sure = self._idr is not None or codec in (*_ORIGINAL, *_LONE)
        self._stamps: array[int] = array("q")
        self._apart = _LEAST_APART_SECONDS / self._time_base
        self._next: float | Fraction = -math.inf
        self._begun = self._timed = False

    def take(self, packet: av.Packet[Any]) -> None:
        """The next packet."""
        if packet.pts is None or not self._in_time(packet.pts, packet.dts):
            self._sure = False
            return
        # an edit list with several parts, or another configuration from here on: what is skipped would be missed
        if self._begun and (packet.is_discard or packet.has_sidedata("new_extradata")):
            self._sure = False
        self._begun = self._begun or not packet.is_discard
        if self._sure and packet.is_keyframe and not packet.is_discard and packet.pts >= self._next:
            self._enter(packet.pts, packet)

    def _in_time(self, pts: int, dts: int | None) -> bool:
        """Whether it is decoded before it is shown. Matroska tells no times of decoding, and guesses begin late."""
        untimed, self._timed = self._timed and dts is None, dts is not None
        return not untimed and (dts is None or dts <= pts)

    def _enter(self, pts: int, packet: av.Packet[Any]) -> None:
        if self._idr is not None and not self._idr.begins(bytes(packet)):
            return
        self._stamps.append(pts)
        if len(self._stamps) >= _MOST:
            del self._stamps[1::2]
            self._apart *= 2
        self._next = self._stamps[-1] + self._apart

    def seconds(self, origin: float) -> tuple[float, ...]:
        """When they are shown, after the file's first moment; none where one cannot be sure."""
        return tuple(float(stamp * self._time_base) - origin for stamp in self._stamps) if self._sure else ()
