"""Names of codecs as players ask for them (RFC 6381), from the bytes that configure the decoder."""

from __future__ import annotations

from typing import NamedTuple

from encoder.packaging.boxes import Reader, boxes, broken, find, maybe

_VISUAL, _SOUND = 78, 28  # bytes of a sample entry before its boxes (ISO/IEC 14496-12, 12.1.3, 12.2.3)
_AAC_OBJECT, _ESCAPE = 0x40, 31
_BT709 = (1, 1, 1, 0)  # primaries, transfer, matrix, full range: what is meant where nothing is said
_PLAIN = {"Opus": "opus", "fLaC": "flac", "ac-3": "ac-3", "ec-3": "ec-3", "wvtt": "wvtt"}
_HEVC_PROFILE_BYTES = 12


class Entry(NamedTuple):
    """A sample entry."""

    kind: str  # "avc1"
    codec: str  # "avc1.64001F"
    width_px: int | None = None
    height_px: int | None = None
    sample_rate_hz: int | None = None
    length_size: int = 4  # bytes before each NAL unit


def entry(stsd: bytes) -> Entry:
    """The one sample entry of a track.

    Raises:
        errors.Permanent: `output_invalid`, there is another number of them, or one that we do not write.
    """
    entries = list(boxes(stsd[8:]))
    if len(entries) != 1:
        raise broken(f"it has {len(entries)} sample entries")
    kind, body = entries[0]
    if kind in _OF_PICTURES:
        record, name = _OF_PICTURES[kind]
        within = body[_VISUAL:]
        width, height = Reader(body[24:28]).take("HH")
        config = find(within, record)
        return Entry(kind, name(kind, config, _colour(within)), width, height, length_size=_length_size(kind, config))
    if kind == "mp4a":
        return Entry(kind, _mpeg4_sound(find(body[_SOUND:], "esds")), sample_rate_hz=_sample_rate(body))
    if kind in _PLAIN:
        return Entry(kind, _PLAIN[kind], sample_rate_hz=_sample_rate(body))
    raise broken(f"it holds {kind!r}")


def avc(kind: str, profile: bytes) -> str:
    """`profile`: profile, constraints and level of an SPS or avcC."""
    return f"{kind}.{profile[:3].hex().upper()}"


def hevc(kind: str, profile: bytes) -> str:
    """`profile`: the twelve bytes of a profile_tier_level (ISO/IEC 14496-15, annex E.3)."""
    if len(profile) < _HEVC_PROFILE_BYTES:
        raise broken("its hvcC is too short")
    space, tier, idc = profile[0] >> 6, profile[0] >> 5 & 1, profile[0] & 31
    compatible = int(f"{int.from_bytes(profile[1:5]):032b}"[::-1], 2)
    constraints = [f"{byte:X}" for byte in profile[5:11].rstrip(b"\0")]
    letter = "" if space == 0 else chr(ord("A") + space - 1)
    return ".".join([kind, f"{letter}{idc}", f"{compatible:X}", f"{'LH'[tier]}{profile[11]}", *constraints])


def aac(object_type: int) -> str:
    return f"mp4a.40.{object_type}"


def _avc1(kind: str, config: bytes, colour: tuple[int, ...]) -> str:
    del colour
    return avc(kind, config[1:4])


def _hvc1(kind: str, config: bytes, colour: tuple[int, ...]) -> str:
    del colour
    return hevc(kind, config[1:13])


def _av01(kind: str, config: bytes, colour: tuple[int, ...]) -> str:
    """AV1 in ISOBMFF, 5: the part about colour only where it is not the usual one."""
    _, first, second = Reader(config).take("BBB")
    profile, level, tier = first >> 5, first & 31, second >> 7
    depth = (12 if second & 0x20 else 10) if second & 0x40 else 8
    name = f"{kind}.{profile}.{level:02}{'MH'[tier]}.{depth:02}"
    if colour == _BT709:
        return name
    mono, subsampling = second >> 4 & 1, f"{second >> 3 & 1}{second >> 2 & 1}{second & 3}"
    return f"{name}.{mono}.{subsampling}.{colour[0]:02}.{colour[1]:02}.{colour[2]:02}.{colour[3]}"


def _vp09(kind: str, config: bytes, colour: tuple[int, ...]) -> str:
    """VP Codec ISO Media File Format Binding, "Codecs Parameter String"."""
    del colour
    _, profile, level, third, *spoken = Reader(config).take("IBBBBBB")
    name = f"{kind}.{profile:02}.{level:02}.{third >> 4:02}"
    chroma, own = third >> 1 & 7, (*spoken, third & 1)
    return name if (chroma, own) == (1, _BT709) else f"{name}.{chroma:02}." + ".".join(f"{part:02}" for part in own)


_OF_PICTURES = {
    "avc1": ("avcC", _avc1),
    "avc3": ("avcC", _avc1),
    "hvc1": ("hvcC", _hvc1),
    "hev1": ("hvcC", _hvc1),
    "av01": ("av1C", _av01),
    "vp09": ("vpcC", _vp09),
}


def _length_size(kind: str, config: bytes) -> int:
    at = {"avc1": 4, "avc3": 4, "hvc1": 21, "hev1": 21}.get(kind)
    return 4 if at is None else (Reader(config[at : at + 1]).number("B") & 3) + 1


def _colour(within: bytes) -> tuple[int, ...]:
    told = maybe(within, "colr")
    if told is None or told[:4] != b"nclx":
        return _BT709
    *three, whole = Reader(told[4:]).take("HHHB")
    return (*three, whole >> 7)


def _sample_rate(body: bytes) -> int:
    return Reader(body[24:28]).number("I") >> 16


def _mpeg4_sound(esds: bytes) -> str:
    """ISO/IEC 14496-1, 7.2.6: ES_Descriptor, in it DecoderConfigDescriptor, in it DecoderSpecificInfo."""
    stream = _descriptor(esds[4:], 3)
    decoder = _descriptor(stream[3:], 4)
    kind = Reader(decoder).number("B")
    if kind != _AAC_OBJECT:
        return f"mp4a.{kind:02X}"
    first, second = Reader(_descriptor(decoder[13:], 5)).take("BB")
    object_type = first >> 3
    return aac(object_type if object_type != _ESCAPE else 32 + ((first & 7) << 3 | second >> 5))


def _descriptor(data: bytes, tag: int) -> bytes:
    """What is in the descriptor with which `data` begins."""
    reader, size = Reader(data), 0
    if reader.number("B") != tag:
        raise broken("its esds is not what it should be")
    for _ in range(4):
        byte = reader.number("B")
        size = size << 7 | byte & 0x7F
        if byte < 0x80:  # noqa: PLR2004  # the last byte of a length
            break
    return data[reader.at : reader.at + size]
