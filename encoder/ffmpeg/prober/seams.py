"""Where a picture was joined: whether each part begins with what needs nothing before it, and what sets decoders up."""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from collections.abc import Iterator
from fractions import Fraction

from av.stream import Stream

_NEAR_SECONDS = 0.002  # time stamps in milliseconds, and a moment that is rounded: far less than a frame
_HVCC_ARRAYS_AT = 22  # ISO/IEC 14496-15, 8.3.3.1.2
_SETS = (32, 33, 34)  # VPS, SPS, PPS
_LEAST_HVCC = _HVCC_ARRAYS_AT + 1


class Seams:
    """`moments`: in seconds from the picture's first frame. `keyed`: at how many of them a part begins as it should."""

    def __init__(self, moments: tuple[float, ...], time_base: Fraction) -> None:
        self._moments = sorted(moments)
        self._tick = float(time_base)
        self._first: int | None = None
        self.keyed = 0

    def at(self, stamp: int) -> bool:
        """Whether a key frame of that time stands at a seam; the first one is the picture's first frame."""
        if self._first is None:
            self._first = stamp
            return False
        after = (stamp - self._first) * self._tick
        place = bisect_left(self._moments, after - _NEAR_SECONDS)
        return place < len(self._moments) and self._moments[place] <= after + _NEAR_SECONDS

    def take(self, begins: bool) -> None:  # noqa: FBT001  # its only word
        """A key frame at a seam; whether it needs nothing before it."""
        self.keyed += begins


def setup_of(stream: Stream) -> str:
    """SHA-256 of what sets the decoder of a picture up, hex; "" for what has none.

    Of HEVC only its parameter sets: x265 writes into the same record on how many cores of what kind it ran.
    """
    context = getattr(stream, "codec_context", None)
    data = bytes(context.extradata or b"") if context is not None and stream.type == "video" else b""
    if not data:
        return ""
    hevc = context is not None and context.codec.canonical_name == "hevc"
    if hevc and data[0] == 1 and len(data) >= _LEAST_HVCC:
        data = b"".join((data[:_HVCC_ARRAYS_AT], *_parameter_sets(data)))
    return hashlib.sha256(data).hexdigest()


def _parameter_sets(record: bytes) -> Iterator[bytes]:
    """Those of an hvcC, each with its length before it."""
    at = _LEAST_HVCC
    for _ in range(record[_HVCC_ARRAYS_AT]):
        kind, count = record[at] & 0x3F, int.from_bytes(record[at + 1 : at + 3])
        at += 3
        for _ in range(count):
            end = at + 2 + int.from_bytes(record[at : at + 2])
            if kind in _SETS:
                yield record[at:end]
            at = end
