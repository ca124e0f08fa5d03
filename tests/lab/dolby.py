"""Dolby Vision as far as a container tells of it: its configuration in the sample entry of an HEVC track."""

from __future__ import annotations

from pathlib import Path

_PARENTS = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd", b"hvc1")


def with_dolby_vision(source: Path, folder: Path, profile: int) -> Path:
    """`source`, an MP4 of one HEVC track whose `moov` is its last box, said to be of a Dolby Vision profile."""
    data = bytearray(source.read_bytes())
    compatible = 0 if profile == 5 else 1  # with HDR10
    told = bytes([1, 0, profile << 1, 1 << 3 | 0b101, compatible << 4]) + bytes(19)
    box = (len(told) + 8).to_bytes(4) + (b"dvcC" if profile <= 7 else b"dvvC") + told
    places = [data.index(b"moov") - 4]
    for kind in _PARENTS[1:]:
        places.append(data.index(kind, places[-1]) - 4)
    end = places[-1] + int.from_bytes(data[places[-1] : places[-1] + 4])
    data[end:end] = box
    for place in places:
        data[place : place + 4] = (int.from_bytes(data[place : place + 4]) + len(box)).to_bytes(4)
    path = folder / f"dolby-{profile}.mp4"
    path.write_bytes(data)
    return path
