"""What an image file is by its own bytes: size, frames, and whether it is there to its end. Pure.

Only our own results are read here, after ffmpeg made them and beside a decoder that opens them; no source ever is.
"""

from __future__ import annotations

from collections.abc import Callable

from encoder.model.base import Record

_CENTISECONDS, _MILLISECONDS = 100, 1000
_FRAME_HEADERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


class Image(Record):
    """One image file."""

    format: str  # jpeg, png, webp, gif
    width_px: int
    height_px: int
    frames: int = 1
    seconds: float = 0.0  # that a moving one plays
    whole: bool  # it ends as its format says, and nothing follows


class ImageSeen(Record):
    """One file of an output. `image`: None where its bytes are none. `name`: "" where the output is that one file."""

    name: str
    image: Image | None


class ImagesSeen(Record):
    """All files of an output."""

    images: tuple[ImageSeen, ...]
    cues: str | None = None  # the text of the file of cues, if there is one


class NoImageError(ValueError):
    """The bytes are no image of a format that we make."""


def read(data: bytes) -> Image:
    """The facts of one file.

    Raises:
        NoImageError: it is none.
    """
    for sign, reader in _READERS.items():
        if data.startswith(sign):
            try:
                return reader(data)
            except (IndexError, ValueError) as error:
                raise NoImageError(str(error)) from error
    raise NoImageError("no image begins so")


def _jpeg(data: bytes) -> Image:
    """ITU-T T.81, annex B: segments of a marker and a length, until the frame header that has the size."""
    at = 2
    while True:
        marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4])
        if data[at] != 0xFF or length < 2:  # noqa: PLR2004  # the length counts itself
            raise NoImageError("a segment is broken")
        if marker in _FRAME_HEADERS:
            height, width = (int.from_bytes(data[at + place : at + place + 2]) for place in (5, 7))
            return Image(format="jpeg", width_px=width, height_px=height, whole=data.endswith(b"\xff\xd9"))
        at += 2 + length


def _png(data: bytes) -> Image:
    """PNG specification, 5 and 11.2.1: the header comes first, an empty chunk last."""
    if data[12:16] != b"IHDR":
        raise NoImageError("it does not begin with its header")
    return Image(
        format="png",
        width_px=int.from_bytes(data[16:20]),
        height_px=int.from_bytes(data[20:24]),
        whole=data[-8:-4] == b"IEND",
    )


def _webp(data: bytes) -> Image:
    """RFC 9649: a RIFF file whose first chunk has the size, and a chunk for each frame if it moves."""
    if data[8:12] != b"WEBP":
        raise NoImageError("it is another kind of RIFF")
    chunks = list(_riff_chunks(data))
    kind, first = chunks[0]
    width, height = _WEBP_SIZES[kind](first)
    steps = [int.from_bytes(content[12:15], "little") for name, content in chunks if name == b"ANMF"]
    return Image(
        format="webp",
        width_px=width,
        height_px=height,
        frames=len(steps) or 1,
        seconds=sum(steps) / _MILLISECONDS,
        whole=int.from_bytes(data[4:8], "little") + 8 == len(data),
    )


def _riff_chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    chunks, at = [], 12
    while at + 8 <= len(data):
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        chunks.append((data[at : at + 4], data[at + 8 : at + 8 + size]))
        at += 8 + size + size % 2
    if not chunks or chunks[0][0] not in _WEBP_SIZES:
        raise NoImageError("it has no picture")
    return chunks


def _lossy_size(chunk: bytes) -> tuple[int, int]:
    """RFC 6386, 9.1: fourteen bits each, after the start code."""
    if chunk[3:6] != b"\x9d\x01\x2a":
        raise NoImageError("its picture has no start")
    return int.from_bytes(chunk[6:8], "little") & 0x3FFF, int.from_bytes(chunk[8:10], "little") & 0x3FFF


def _lossless_size(chunk: bytes) -> tuple[int, int]:
    bits = int.from_bytes(chunk[1:5], "little")
    return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1


def _extended_size(chunk: bytes) -> tuple[int, int]:
    return int.from_bytes(chunk[4:7], "little") + 1, int.from_bytes(chunk[7:10], "little") + 1


_WEBP_SIZES: dict[bytes, Callable[[bytes], tuple[int, int]]] = {
    b"VP8 ": _lossy_size,
    b"VP8L": _lossless_size,
    b"VP8X": _extended_size,
}


def _gif(data: bytes) -> Image:
    """GIF89a: a screen, then blocks, each in pieces that say how long they are, and a byte that ends it."""
    at = 13 + _table_bytes(data[10])
    frames, centiseconds = 0, 0
    while data[at] != 0x3B:  # noqa: PLR2004  # the trailer
        if data[at] == 0x21:  # noqa: PLR2004  # an extension
            if data[at + 1] == 0xF9:  # noqa: PLR2004  # how the next frame is shown
                centiseconds += int.from_bytes(data[at + 4 : at + 6], "little")
            at = _after_pieces(data, at + 2)
        elif data[at] == 0x2C:  # noqa: PLR2004  # a frame
            frames += 1
            at = _after_pieces(data, at + 11 + _table_bytes(data[at + 9]))
        else:
            raise NoImageError("a block is broken")
    return Image(
        format="gif",
        width_px=int.from_bytes(data[6:8], "little"),
        height_px=int.from_bytes(data[8:10], "little"),
        frames=frames,
        seconds=centiseconds / _CENTISECONDS,
        whole=at + 1 == len(data),
    )


def _table_bytes(flags: int) -> int:
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _after_pieces(data: bytes, at: int) -> int:
    while data[at]:
        at += 1 + data[at]
    return at + 1


_READERS: dict[bytes, Callable[[bytes], Image]] = {
    b"\xff\xd8": _jpeg,
    b"\x89PNG\r\n\x1a\n": _png,
    b"RIFF": _webp,
    b"GIF8": _gif,
}
