"""Dolby Vision as far as a container tells of it: its configuration beside an HEVC track."""

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


_PACKET, _TABLE_PID = 188, 0x1000  # where ffmpeg puts the table of its first programme
_TABLE, _FIRST_TRACK = 5, 12  # in the packet; in the table, as ffmpeg writes it


def with_dolby_vision_in_table(source: Path, folder: Path, profile: int) -> Path:
    """`source`, an MPEG-TS by ffmpeg with one HEVC track first, said to be of a Dolby Vision profile."""
    told = bytes([1, 0, profile << 1, 1 << 3 | 0b101, (0 if profile == 5 else 1) << 4])
    descriptor = bytes([0xB0, len(told)]) + told
    data = bytearray(source.read_bytes())
    for at in range(0, len(data), _PACKET):
        if int.from_bytes(data[at + 1 : at + 3]) & 0x1FFF == _TABLE_PID:
            table = _with_descriptor(bytes(data[at + _TABLE : at + _PACKET]), descriptor)
            data[at + _TABLE : at + _PACKET] = table.ljust(_PACKET - _TABLE, b"\xff")
    path = folder / f"dolby-{profile}.ts"
    path.write_bytes(data)
    return path


def _with_descriptor(section: bytes, descriptor: bytes) -> bytes:
    table = bytearray(section[: 3 + (int.from_bytes(section[1:3]) & 0xFFF) - 4])
    lengths = _FIRST_TRACK + 3
    table[lengths + 2 : lengths + 2] = descriptor
    for place in (1, lengths):
        table[place : place + 2] = (int.from_bytes(table[place : place + 2]) + len(descriptor)).to_bytes(2)
    return bytes(table) + _crc(table).to_bytes(4)


def _crc(data: bytes | bytearray) -> int:
    """As ISO/IEC 13818-1, annex A, has it."""
    register = 0xFFFFFFFF
    for byte in data:
        register ^= byte << 24
        for _ in range(8):
            register = (register << 1 ^ (0x04C11DB7 if register >> 31 else 0)) & 0xFFFFFFFF
    return register
