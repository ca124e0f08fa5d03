"""Whether a picture needs none before it, told by its own bytes: a container's flag is no proof.

x265's open GOPs make CRA pictures, which are flagged as keys; leading pictures after them need what came before.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_START_CODE = re.compile(rb"\x00\x00\x01")
_AVC_SLICES, _AVC_IDR = range(1, 6), {5}
_HEVC_SLICES, _HEVC_IDR = range(32), {19, 20}  # IDR_W_RADL, IDR_N_LP
_OBU_FRAME_HEADER, _OBU_FRAME = 3, 6
_HEVC = ("hvc1", "hev1")


def is_independent(kind: str, data: bytes, *, length_size: int) -> bool:
    """`kind`: of the sample entry. `length_size`: of NAL units; 0: start codes, as in TS. Sound always is."""
    if kind in ("avc1", "avc3", *_HEVC):
        return _idr(kind in _HEVC, data, units(data, length_size))
    if kind == "av01":
        return _av1_key(data)
    if kind == "vp09":
        return _vp9_key(data)
    return True


def units(data: bytes, length_size: int) -> Iterator[int]:
    """Where each NAL unit begins."""
    if length_size == 0:
        yield from (found.end() for found in _START_CODE.finditer(data) if found.end() < len(data))
        return
    at = 0
    while at + length_size < len(data):
        yield at + length_size
        at += length_size + int.from_bytes(data[at : at + length_size])


def unit_kind(header: int, *, hevc: bool) -> int:
    return header >> 1 & 0x3F if hevc else header & 0x1F


def _idr(hevc: bool, data: bytes, starts: Iterator[int]) -> bool:  # noqa: FBT001  # one of two standards
    slices, idr = (_HEVC_SLICES, _HEVC_IDR) if hevc else (_AVC_SLICES, _AVC_IDR)
    kinds = (unit_kind(data[at], hevc=hevc) for at in starts)
    return next((kind in idr for kind in kinds if kind in slices), False)


def _av1_key(data: bytes) -> bool:
    """The first frame header: not an old frame shown again, and of type KEY_FRAME (AV1, 5.9.2)."""
    at = 0
    while at < len(data):
        header = data[at]
        at += 2 if header & 4 else 1  # with or without an extension
        size = len(data) - at
        if header & 2:
            size, at = _leb128(data, at)
        if header >> 3 & 15 in (_OBU_FRAME, _OBU_FRAME_HEADER):
            return at < len(data) and data[at] >> 5 == 0
        at += size
    return False


def _leb128(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift, byte in enumerate(data[at : at + 8]):
        value |= (byte & 0x7F) << 7 * shift
        if byte < 0x80:  # noqa: PLR2004  # the last byte
            return value, at + shift + 1
    return len(data), len(data)


def _vp9_key(data: bytes) -> bool:
    """The uncompressed header: frame_marker, profile, show_existing_frame, frame_type (VP9, 6.2)."""
    head = int.from_bytes(data[:1])
    bits = f"{head:08b}"
    after = 5 if bits[2:4] == "11" else 4  # profile 3 has a reserved bit
    return bits[:2] == "10" and bits[after : after + 2] == "00"
