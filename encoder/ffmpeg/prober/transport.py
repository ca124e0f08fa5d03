"""What the tables of an MPEG transport stream say of its tracks (ISO/IEC 13818-1, 2.4.4). Never reads media."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

HEAD_BYTES = 1024**2
_SYNC = 0x47
_FORMS = ((188, 0), (192, 4), (204, 0))  # bytes of a packet, and where in it the sync byte stands
_SURE_PACKETS = 3
_HEADER = 4
_PAT, _PMT = 0x00, 0x02
_CRC = 4
_DOLBY_VISION = 0xB0  # Dolby Vision Streams Within the MPEG-2 Transport Stream, 3.2

Packet = tuple[int, bool, bytes]  # of which track, whether a section begins in it, what it carries


def dolby_vision(head: bytes) -> int | None:
    """The Dolby Vision profile of the first track that has one."""
    packets = list(_packets(head))
    tables = {pid for section in _sections(packets, 0) if section[0] == _PAT for pid in _tables(section)}
    for pid in sorted(tables):
        for section in _sections(packets, pid):
            for tag, content in _descriptors(section) if section[0] == _PMT else ():
                if tag == _DOLBY_VISION and len(content) >= _HEADER:
                    return content[2] >> 1  # after the version
    return None


def _packets(head: bytes) -> Iterator[Packet]:
    for size, sync in _FORMS:
        if len(head) >= size * _SURE_PACKETS and all(head[sync + size * n] == _SYNC for n in range(_SURE_PACKETS)):
            whole = range(sync, len(head) - 188 + 1, size)
            yield from (_packet(head[at : at + 188]) for at in whole if head[at] == _SYNC)
            return


def _packet(data: bytes) -> Packet:
    adapted, carries = data[3] & 0x20, data[3] & 0x10
    begins = _HEADER + (1 + data[_HEADER] if adapted else 0)
    return int.from_bytes(data[1:3]) & 0x1FFF, bool(data[1] & 0x40), data[begins:] if carries else b""


def _sections(packets: Sequence[Packet], wanted: int) -> Iterator[bytes]:
    """The tables that lie in the packets of one PID, put together."""
    gathered = b""
    for pid, begins, carried in packets:
        if pid != wanted or not carried:
            continue
        gathered = carried[1 + carried[0] :] if begins else gathered + carried if gathered else b""
        if len(gathered) >= _HEADER:
            end = 3 + (int.from_bytes(gathered[1:3]) & 0xFFF)
            if len(gathered) >= end > _CRC:
                yield gathered[: end - _CRC]
                gathered = b""


def _tables(section: bytes) -> Iterator[int]:
    """Where the tables of programmes lie."""
    for at in range(8, len(section) - 3, 4):
        if section[at : at + 2] != b"\x00\x00":  # that of the network
            yield int.from_bytes(section[at + 2 : at + 4]) & 0x1FFF


def _descriptors(section: bytes) -> Iterator[tuple[int, bytes]]:
    """Of all tracks of a programme: tag and content."""
    at = 12 + (int.from_bytes(section[10:12]) & 0xFFF)
    while at + 5 <= len(section):
        end = at + 5 + (int.from_bytes(section[at + 3 : at + 5]) & 0xFFF)
        at += 5
        while at + 2 <= min(end, len(section)):
            yield section[at], section[at + 2 : at + 2 + section[at + 1]]
            at += 2 + section[at + 1]
        at = end
