"""Soft telecine: a film of MPEG-2 whose flags ask for fields to be repeated, as on DVDs (ISO/IEC 13818-2, 6.3.10)."""

from __future__ import annotations

import re
from collections.abc import Callable

_CODE = re.compile(rb"\x00\x00\x01([\x00\xb3\xb5\xb8])")
_PICTURE, _SEQUENCE, _EXTENSION, _GROUP = 0x00, 0xB3, 0xB5, 0xB8
_SEQUENCE_EXTENSION, _PICTURE_EXTENSION = 1, 8
_TOP_FIRST, _REPEAT, _PROGRESSIVE_FRAME, _PROGRESSIVE_SEQUENCE = 0x80, 0x02, 0x80, 0x08
RATES = {"25": 3, "30000/1001": 4}  # frame_rate_code


def flagged(film: bytes, rate: str, repeats: Callable[[int], bool]) -> bytes:
    """A raw MPEG-2 stream, called one of `rate`; the n-th shown frame lasts three fields if `repeats(n)`, else two."""
    data = bytearray(film)
    group = shown = most = 0
    for found in _CODE.finditer(film):
        at, kind = found.end(), found[1][0]
        if kind == _SEQUENCE:
            data[at + 3] = data[at + 3] & 0xF0 | RATES[rate]
        elif kind == _GROUP:
            group, most = group + most, 0
        elif kind == _PICTURE:
            shown = int.from_bytes(film[at : at + 2]) >> 6  # temporal_reference, within the group
            most = max(most, shown + 1)
        elif film[at] >> 4 == _SEQUENCE_EXTENSION:
            data[at + 1] &= ~_PROGRESSIVE_SEQUENCE
        elif film[at] >> 4 == _PICTURE_EXTENSION:
            _repeat(data, at, repeats, group + shown)
    return bytes(data)


def _repeat(data: bytearray, at: int, repeats: Callable[[int], bool], place: int) -> None:
    """Which field is first follows from how many were shown before."""
    fields = sum(2 + repeats(before) for before in range(place))
    data[at + 3] = data[at + 3] & ~(_TOP_FIRST | _REPEAT) | _TOP_FIRST * (fields % 2 == 0) | _REPEAT * repeats(place)
    data[at + 4] |= _PROGRESSIVE_FRAME
