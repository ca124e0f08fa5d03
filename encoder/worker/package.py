"""What an output consists of when it leaves: one file, or a folder of files whose manifests must appear last."""

from __future__ import annotations

import hashlib
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from encoder import errors
from encoder.destinations.protocol import Destination, Parcel
from encoder.files.threads import in_thread
from encoder.model.content import content_type
from encoder.model.paths import path_fault
from encoder.model.result import Piece


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One proven local file of an output."""

    piece: Piece
    path: Path
    content_type: str

    def parcel(self, token: str) -> Parcel:
        return Parcel(
            path=self.path,
            size_bytes=self.piece.size_bytes,
            sha256=self.piece.sha256,
            content_type=self.content_type,
            token=token,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """`body` may appear in any order, several files at once; then `manifests`, one after the other."""

    body: tuple[Item, ...] = ()
    manifests: tuple[Item, ...]

    @classmethod
    def of_file(cls, path: Path, *, size_bytes: int, sha256: str, content_type: str) -> Package:
        """An output that is one file."""
        piece = Piece(name="", size_bytes=size_bytes, sha256=sha256)
        return cls(manifests=(Item(piece=piece, path=path, content_type=content_type),))

    @property
    def pieces(self) -> tuple[Piece, ...]:
        return tuple(item.piece for item in (*self.body, *self.manifests))

    @property
    def size_bytes(self) -> int:
        return sum(piece.size_bytes for piece in self.pieces)

    @property
    def sha256(self) -> str:
        """Of the one file; else of the list of all files, sorted, as `sha256sum` writes it."""
        pieces = sorted(self.pieces, key=lambda piece: piece.name)
        if len(pieces) == 1 and not pieces[0].name:
            return pieces[0].sha256
        listed = "".join(f"{piece.sha256}  {piece.name}\n" for piece in pieces)
        return hashlib.sha256(listed.encode()).hexdigest()


async def pack(folder: Path, *, manifests: Sequence[str]) -> Package:
    """All files below `folder`; `manifests`: those that point to others, in the order in which they may appear.

    Raises:
        errors.Permanent: `output_invalid`, a manifest is missing, or there is what no encoder of ours makes.
    """
    names = await in_thread(names_below, folder)
    if missing := [name for name in manifests if name not in names]:
        raise errors.Permanent("output_invalid", f"The package has no {missing[0]}.", check="package.missing")
    body = sorted(names.difference(manifests))
    return Package(
        body=tuple([await in_thread(item_of, folder, name) for name in body]),
        manifests=tuple([await in_thread(item_of, folder, name) for name in manifests]),
    )


def place_of(piece: Piece, destination: Destination) -> Destination:
    """Where one piece of an output belongs."""
    return destination.within(piece.name) if piece.name else destination


def names_below(folder: Path) -> set[str]:
    """All files. Whoever took ffmpeg over may leave a link to what we can read, or a name that others obey.

    Raises:
        errors.Permanent: `output_invalid`, there is such a thing.
    """
    found = {path.relative_to(folder).as_posix(): path.lstat().st_mode for path in folder.rglob("*")}
    for name, mode in found.items():
        if path_fault(name) is not None or not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
            message = "The package holds what is no file, or has a name that is none."
            raise errors.Permanent("output_invalid", message, check="package.unnamed")
    return {name for name, mode in found.items() if stat.S_ISREG(mode)}


def digest(path: Path) -> str:
    """SHA-256 of a file, hex. Blocks."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def item_of(folder: Path, name: str) -> Item:
    """One file of a folder, read once."""
    path = folder / name
    return Item(
        piece=Piece(name=name, size_bytes=path.stat().st_size, sha256=digest(path)),
        path=path,
        content_type=content_type(name),
    )
