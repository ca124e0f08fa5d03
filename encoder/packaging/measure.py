"""Reads the tracks of a package from their bytes."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from encoder import errors
from encoder.files.beneath import open_file
from encoder.packaging import fragments, transport
from encoder.packaging.boxes import broken
from encoder.packaging.track import INIT, SUFFIXES, Segments, Track, Written


def read(folder: Path, tracks: Sequence[Track], *, segments: Segments) -> tuple[Written, ...]:
    """Each track of `tracks` as it lies in `folder / track.name`. Blocks: call it in a thread.

    Raises:
        errors.Permanent: `output_invalid`, a file is missing, cut short, or not what it should be.
    """
    written = tuple(read_one(folder, track, segments=segments) for track in tracks)
    return transport.from_common_start(written) if segments == "ts" else written


def read_one(folder: Path, track: Track, *, segments: Segments) -> Written:
    """As `read`; of TS, times are as they stand there."""
    here, names = [""], _numbered(folder / track.name, SUFFIXES[segments])

    def opened(name: str) -> BinaryIO:
        here[0] = name
        return _open(folder, f"{track.name}/{name}")

    try:
        if not names:
            raise broken("it has no segments")
        if segments == "ts":
            return transport.read_track(track, names, opened)
        with opened(INIT) as file:
            init = fragments.read_init(file)
        return fragments.read_track(track, init, names, opened)
    except errors.Permanent as error:
        raise broken(f"{track.name}/{here[0]}: {error.message}") from error


def _numbered(folder: Path, suffix: str) -> list[str]:
    """The segments of a track, by their number."""
    try:
        names = [path.name for path in folder.iterdir() if path.suffix == suffix and path.stem.isascii()]
    except OSError:
        return []
    return sorted((name for name in names if name.removesuffix(suffix).isdigit()), key=lambda name: (len(name), name))


def _open(folder: Path, name: str) -> BinaryIO:
    try:
        return os.fdopen(open_file(folder, PurePosixPath(name)), "rb")
    except OSError as error:
        raise broken("it is missing, or no file") from error
