"""Whether a packet begins with a picture that needs none before it, told by NAL unit types (H.264 7.4.1, H.265 7.4.2).

A container's key flag is no proof: x265's open GOPs make CRA pictures, which are flagged as keys and are none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from av.stream import Stream

_START_CODE = re.compile(rb"\x00\x00\x01")
_H264_SLICES, _H264_IDR = range(1, 6), 5
_HEVC_SLICES, _HEVC_IDR = range(32), (19, 20)  # IDR_W_RADL, IDR_N_LP
_LENGTH_SIZE_AT = {"h264": 4, "hevc": 21}  # where avcC and hvcC say how long their lengths are
_SMALLEST_RECORD = 7


@dataclass(frozen=True, slots=True)
class Idr:
    """How to read the packets of one H.264 or HEVC stream. `length_size`: 0 for start codes (Annex B)."""

    codec: str
    length_size: int

    @classmethod
    def of(cls, stream: Stream) -> Idr | None:
        """None for codecs without NAL units."""
        context = getattr(stream, "codec_context", None)
        codec = context.codec.canonical_name if context else ""
        if context is None or codec not in _LENGTH_SIZE_AT:
            return None
        return cls(codec, length_size(codec, context.extradata or b""))

    def begins(self, data: bytes) -> bool:
        """Whether the first slice in `data` is of an IDR picture."""
        units = _lengths(data, self.length_size) if self.length_size else _start_codes(data)
        kinds = (self._kind(data[at]) for at in units if at < len(data))
        slices, idr = (_H264_SLICES, (_H264_IDR,)) if self.codec == "h264" else (_HEVC_SLICES, _HEVC_IDR)
        return next((kind in idr for kind in kinds if kind in slices), False)

    def _kind(self, header: int) -> int:
        return header & 0x1F if self.codec == "h264" else (header >> 1) & 0x3F


def length_size(codec: str, extradata: bytes) -> int:
    """Bytes before each unit, from avcC or hvcC; 0: the stream is Annex B."""
    at = _LENGTH_SIZE_AT[codec]
    configured = len(extradata) >= max(_SMALLEST_RECORD, at + 1) and extradata[0] == 1
    return (extradata[at] & 3) + 1 if configured else 0


def _lengths(data: bytes, size: int) -> Iterator[int]:
    at = 0
    while at + size < len(data):
        yield at + size
        at += size + int.from_bytes(data[at : at + size])


def _start_codes(data: bytes) -> Iterator[int]:
    return (found.end() for found in _START_CODE.finditer(data))
