"""Check 13 of docs/encoding.md: whether a package keeps what its manifests promise."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

from encoder.model.proof import Check
from encoder.packaging.track import Kind, Segments, Track


def check(
    folder: Path,
    tracks: Sequence[Track],
    *,
    kind: Kind,
    segments: Segments,
    playlist_name: str,
    segment_seconds: Fraction,
    duration_seconds: float | None,
) -> Check:
    """Check `package`, after `write`. Everything is read anew from `folder`. Blocks: call it in a thread.

    `segment_seconds`, `duration_seconds`: as planned. `measured["faults"]` has a member for each part that failed,
    with the place and what was found there.
    """
    raise NotImplementedError
