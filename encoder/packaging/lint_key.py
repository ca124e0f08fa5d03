"""Finds what opens the segments of an encrypted package, as a player would: by its playlists."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import m3u8

from encoder.model.plan import KEY_FILE
from encoder.packaging.boxes import broken
from encoder.packaging.cipher import METHOD, Lock
from encoder.packaging.findings import Findings
from encoder.packaging.lint_hls import parsed
from encoder.packaging.track import PLAYLIST, Segments, Track

_KEY_BYTES = 16
_VECTOR = re.compile(r"0[xX]([0-9a-fA-F]{32})")


def locks(found: Findings, tracks: Sequence[Track], *, segments: Segments) -> dict[str, Lock]:
    """By the names of the files; none for a segment that says none.

    Raises:
        errors.Permanent: `output_invalid`, there is no key, or a playlist cannot be read.
    """
    key = found.bytes(KEY_FILE)
    if len(key) != _KEY_BYTES:
        raise broken(f"{KEY_FILE} has {len(key)} bytes")
    opening: dict[str, Lock] = {}
    for track in tracks:
        place = f"{track.name}/{PLAYLIST}"
        for segment in parsed(found, place, segments).segments:
            vector = _vector(found, place, segment.key)
            if vector is not None:
                opening[f"{track.name}/{segment.uri}"] = Lock(key, vector)
            found.must("key", vector is not None, f"{track.name}/{segment.uri}: nothing opens it")
    vectors = [lock.vector for lock in opening.values()]
    found.must("key", len(set(vectors)) == len(vectors), "two segments have one vector")
    return opening


def keys_of(folder: Path, track: Track, *, segments: Segments) -> dict[str, Lock]:
    """What opens the files of one encrypted track. Raises as `locks`."""
    return locks(Findings(folder), [track], segments=segments)


def _vector(found: Findings, place: str, key: m3u8.Key | None) -> bytes | None:
    if key is None or key.method != METHOD or found.name(key.uri or "", by=place) != KEY_FILE:
        return None
    told = _VECTOR.fullmatch(key.iv or "")
    return bytes.fromhex(told[1]) if told else None
