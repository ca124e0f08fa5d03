"""Reads the tracks of a package from their bytes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from encoder.packaging.track import Segments, Track, Written


def read(folder: Path, tracks: Sequence[Track], *, segments: Segments) -> tuple[Written, ...]:
    """Each track of `tracks` as it lies in `folder / track.name`. Blocks: call it in a thread.

    Raises:
        errors.Permanent: `output_invalid`, a file is missing, cut short, or not what it should be.
    """
    raise NotImplementedError
