"""docs/why/encoding.md, "Packages": CODECS comes from the bytes, and a key is one by its bytes."""

from __future__ import annotations

import struct

import pytest

from encoder import errors
from encoder.packaging import codec
from encoder.packaging.independent import is_independent


def box(kind: str, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I4s", 8 + len(body), kind.encode()) + body


def sample_entry(kind: str, *inside: bytes, video: bool = True) -> bytes:
    """An stsd's body with one entry."""
    if video:
        fixed = bytes(24) + struct.pack(">HH", 1280, 720) + bytes(50)
    else:
        fixed = bytes(24) + struct.pack(">I", 48000 << 16)
    return bytes(8) + box(kind, fixed, *inside)


def colour(*parts: int) -> bytes:
    return box("colr", b"nclx", struct.pack(">HHHB", *parts))


HVCC = bytes.fromhex("01 01 60000000 B00000000000 5D F000FCFDF8F800000F 00")
ESDS = bytes.fromhex("00000000 03808080220002000480808014401500000000010C8E00010C8E05808080021190068080800102")


@pytest.mark.parametrize(
    ("kind", "inside", "name"),
    [
        ("avc1", [box("avcC", bytes.fromhex("0164001FFFE1"))], "avc1.64001F"),
        ("avc1", [box("avcC", bytes.fromhex("0142C00DFFE1"))], "avc1.42C00D"),
        ("hvc1", [box("hvcC", HVCC)], "hvc1.1.6.L93.B0"),  # the usual example of ISO/IEC 14496-15
        ("hvc1", [box("hvcC", bytes.fromhex("01 22 20000000 900000000000 99 F000FCFDF8F800000F"))], "hvc1.2.4.H153.90"),
        ("av01", [box("av1C", bytes.fromhex("81040C00"))], "av01.0.04M.08"),
        ("av01", [box("av1C", bytes.fromhex("8108CC00"))], "av01.0.08H.10"),
        ("av01", [box("av1C", bytes.fromhex("81044C00")), colour(9, 16, 9, 0)], "av01.0.04M.10.0.110.09.16.09.0"),
        ("vp09", [box("vpcC", bytes.fromhex("01000000 00 1E 82 010101"))], "vp09.00.30.08"),
        ("vp09", [box("vpcC", bytes.fromhex("01000000 02 1F A2 091009"))], "vp09.02.31.10.01.09.16.09.00"),
    ],
)
def test_a_codec_of_pictures_is_named_as_the_standards_do(kind: str, inside: list[bytes], name: str) -> None:
    entry = codec.entry(sample_entry(kind, *inside))
    assert (entry.codec, entry.width_px, entry.height_px) == (name, 1280, 720)


@pytest.mark.parametrize(
    ("kind", "inside", "name"),
    [
        ("mp4a", [box("esds", ESDS)], "mp4a.40.2"),
        ("mp4a", [box("esds", ESDS.replace(b"\x11\x90", b"\x29\x90"))], "mp4a.40.5"),
        ("mp4a", [box("esds", ESDS.replace(b"\x40\x15", b"\x6b\x15"))], "mp4a.6B"),
        ("Opus", [box("dOps", bytes(11))], "opus"),
    ],
)
def test_a_codec_of_sound_is_named_as_the_standards_do(kind: str, inside: list[bytes], name: str) -> None:
    entry = codec.entry(sample_entry(kind, *inside, video=False))
    assert (entry.codec, entry.sample_rate_hz) == (name, 48000)


@pytest.mark.parametrize(
    "stsd",
    [
        bytes(8),
        sample_entry("mp4v", box("esds", ESDS)),
        sample_entry("avc1"),
        sample_entry("hvc1", box("hvcC", bytes(5))),
        sample_entry("mp4a", box("esds", ESDS[:12]), video=False),
        sample_entry("avc1", box("avcC", bytes(8)))[:-3],
    ],
)
def test_what_cannot_be_named_is_refused(stsd: bytes) -> None:
    with pytest.raises(errors.Permanent, match="output_invalid"):
        codec.entry(stsd)


def units(*heads: str) -> bytes:
    return b"".join(struct.pack(">I", len(bytes.fromhex(head))) + bytes.fromhex(head) for head in heads)


@pytest.mark.parametrize(
    ("kind", "data", "independent"),
    [
        ("avc1", units("0910", "06FF", "67FF", "68FF", "6588"), True),  # delimiter, SEI, parameters, IDR
        ("avc1", units("0910", "06FF", "4188", "6588"), False),  # another slice comes first
        ("avc1", units("67FF", "68FF"), False),  # no picture at all
        ("hvc1", units("4001", "4201", "4401", "2601"), True),  # IDR_W_RADL
        ("hvc1", units("2801"), True),  # IDR_N_LP
        ("hvc1", units("4001", "4201", "4401", "2A01"), False),  # CRA, as x265's open GOPs make them
        ("av01", bytes.fromhex("1200 0A01FF 3202 10FF"), True),  # delimiter, sequence, shown key frame
        ("av01", bytes.fromhex("1200 3202 30FF"), False),  # inter frame
        ("av01", bytes.fromhex("1200 1A01 A8"), False),  # an old frame shown again
        ("vp09", bytes.fromhex("82498342"), True),
        ("vp09", bytes.fromhex("8649"), False),
        ("vp09", bytes.fromhex("B124"), True),  # profile 3 has a bit more
        ("mp4a", b"", True),
    ],
)
def test_a_head_needs_no_other_by_its_own_bytes(kind: str, data: bytes, independent: bool) -> None:
    assert is_independent(kind, data, length_size=4) is independent
    if kind in ("avc1", "hvc1"):
        annex_b = b"".join(b"\0\0\1" + unit for unit in _split(data))
        assert is_independent(kind, annex_b, length_size=0) is independent


def _split(data: bytes) -> list[bytes]:
    found = []
    while data:
        size = int.from_bytes(data[:4])
        found.append(data[4 : 4 + size])
        data = data[4 + size :]
    return found
