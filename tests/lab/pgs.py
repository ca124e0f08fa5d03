"""Subtitles that are pictures, in the form of Blu-ray (PGS): ffmpeg makes none of text."""

from __future__ import annotations

import struct
from pathlib import Path

Size = tuple[int, int]

_PICTURE, _WINDOW, _PALETTE, _OBJECT, _END = 0x16, 0x17, 0x14, 0x15, 0x80
_CLOCK_HZ = 90_000
WHITE = (235, 128, 128)  # Y, Cr, Cb


def sup(path: Path, *boxes: tuple[float, float], size: Size = (320, 180), box: Size = (80, 40)) -> Path:
    """A file of boxes, each white and shown from one second to another, in the middle of the lowest part."""
    data, number = b"", 0
    for start, end in boxes:
        for seconds, shown in ((start, True), (end, False)):
            data += _set(round(seconds * _CLOCK_HZ), number, size, box, shown=shown)
            number += 1
    path.write_bytes(data)
    return path


def _set(at: int, number: int, size: tuple[int, int], box: tuple[int, int], *, shown: bool) -> bytes:
    x, y = (size[0] - box[0]) // 2, size[1] - box[1] - 10
    objects = struct.pack(">HBBHH", 0, 0, 0, x, y) if shown else b""
    state = 0x80 if shown else 0x00
    picture = struct.pack(">HHBHBBBB", *size, 0x10, number, state, 0, 0, int(shown)) + objects
    segments = [(_PICTURE, picture), (_WINDOW, struct.pack(">BBHHHH", 1, 0, x, y, *box))]
    if shown:
        lines = b"".join(_line(box[0]) for _ in range(box[1]))
        whole = struct.pack(">HBB", 0, 0, 0xC0) + (len(lines) + 4).to_bytes(3) + struct.pack(">HH", *box) + lines
        segments += [(_PALETTE, bytes([0, 0, 1, *WHITE, 255])), (_OBJECT, whole)]
    segments.append((_END, b""))
    return b"".join(b"PG" + struct.pack(">IIBH", at, 0, kind, len(body)) + body for kind, body in segments)


def _line(width: int) -> bytes:
    """A run of colour 1, and the end of the line."""
    run = bytes([0, 0xC0 | width >> 8, width & 0xFF, 1]) if width > 63 else bytes([0, 0x80 | width, 1])
    return run + b"\0\0"
