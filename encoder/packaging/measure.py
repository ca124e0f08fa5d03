"""Reads the tracks of a package from their bytes."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import BinaryIO

from encoder import errors
from encoder.files.beneath import open_file
from encoder.model.base import replace
from encoder.packaging import fragments, transport
from encoder.packaging.boxes import broken
from encoder.packaging.cipher import Lock, unlocked
from encoder.packaging.track import INIT, SUFFIXES, Segments, Track, Written


def read(
    folder: Path, tracks: Sequence[Track], *, segments: Segments, locks: Mapping[str, Lock] = MappingProxyType({})
) -> tuple[Written, ...]:
    """Each track of `tracks` as it lies in `folder / track.name`. Blocks: call it in a thread.

    `locks`: what opens the files that are encrypted.

    Raises:
        errors.Permanent: `output_invalid`, a file is missing, cut short, or not what it should be.
    """
    written = tuple(_read(folder, track, segments, locks) for track in tracks)
    if locks:
        written = tuple(_as_stored(folder, track) for track in written)
    return transport.from_common_start(written) if segments == "ts" else written


def _read(folder: Path, track: Track, segments: Segments, locks: Mapping[str, Lock]) -> Written:
    """As `read`; of TS, times are as they stand there."""
    here, names = [""], _numbered(folder / track.name, SUFFIXES[segments])

    def of_track(name: str) -> BinaryIO:
        here[0] = name
        return opened(folder, f"{track.name}/{name}", locks)

    try:
        if not names:
            raise broken("it has no segments")
        if segments == "ts":
            return transport.read_track(track, names, of_track)
        with of_track(INIT) as file:
            init = fragments.read_init(file)
        return fragments.read_track(track, init, names, of_track)
    except errors.Permanent as error:
        raise broken(f"{track.name}/{here[0]}: {error.message}") from error


def _numbered(folder: Path, suffix: str) -> list[str]:
    """The segments of a track, by their number."""
    try:
        names = [path.name for path in folder.iterdir() if path.suffix == suffix and path.stem.isascii()]
    except OSError:
        return []
    return sorted((name for name in names if name.removesuffix(suffix).isdigit()), key=lambda name: (len(name), name))


def opened(folder: Path, name: str, locks: Mapping[str, Lock]) -> BinaryIO:
    """A file of a package, decrypted if `locks` has what opens it. Raises as `read`."""
    try:
        file = os.fdopen(open_file(folder, PurePosixPath(name)), "rb")
    except OSError as error:
        raise broken("it is missing, or no file") from error
    if name not in locks:
        return file
    with file:
        return unlocked(file, locks[name])


def _as_stored(folder: Path, track: Written) -> Written:
    """What is fetched of an encrypted track, and that its I-frames cannot be by themselves."""
    sizes = [(folder / track.name / segment.name).stat().st_size for segment in track.segments]
    pairs = zip(track.segments, sizes, strict=True)
    return replace(track, segments=tuple(replace(each, size_bytes=size, i_frames=()) for each, size in pairs))
