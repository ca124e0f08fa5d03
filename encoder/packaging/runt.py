"""Joins a last segment of a few frames to the one before it.

Sound is cut by its first packet, which holds AAC's priming and lies before 0: where it ends on a cut, one packet is
left over for a segment of its own. hls.js 1.7 never gets over it (`bufferStalledError`; of TS
`bufferAppendNoProgress`).
"""

from __future__ import annotations

from pathlib import Path

from encoder.model.base import replace
from encoder.packaging.boxes import places
from encoder.packaging.track import Segment, Written

SHORTEST_FRAMES = 5


def is_runt(track: Written) -> bool:
    return len(track.segments) > 1 and track.segments[-1].duration < SHORTEST_FRAMES * track.frame


def joined(folder: Path, track: Written) -> Written:
    """The track without its runt, on disk too. `folder`: of the track."""
    if not is_runt(track):
        return track
    *whole, last, runt = track.segments
    kept, gone = folder / last.name, folder / runt.name
    skipped = _ready(kept, gone) if track.container == "fmp4" else 0
    with kept.open("ab") as file:
        file.write(gone.read_bytes()[skipped:])
    gone.unlink()
    if track.container == "ts":  # only the picture at a segment's head is known by its place
        runt = replace(runt, i_frames=())
    return replace(track, segments=(*whole, _sum(last, runt, skipped)))


def _ready(kept: Path, gone: Path) -> int:
    """Take the index out of what is kept, for it will not be true. Where the fragments of `gone` begin."""
    with kept.open("r+b") as file:
        for place in places(file):
            if place.kind == "sidx":
                file.seek(place.start + 4)
                file.write(b"free")
    with gone.open("rb") as file:
        return next(place.start for place in places(file) if place.kind == "moof")


def _sum(last: Segment, runt: Segment, skipped: int) -> Segment:
    moved = last.size_bytes - skipped
    i_frames = (replace(frame, offset_bytes=frame.offset_bytes + moved) for frame in runt.i_frames)
    return replace(
        last,
        size_bytes=last.size_bytes + runt.size_bytes - skipped,
        duration=last.duration + runt.duration,
        i_frames=(*last.i_frames, *i_frames),
    )
