"""Whether a result is black or stands still where its source does not: both looked at as strips of tiny grey pictures.

The strip of a result costs next to nothing: it comes out of the decode that the proof makes anyway. The source is
looked at only where that strip is black or still for seconds, and only there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from encoder.ffmpeg import codecs
from encoder.ffmpeg.formats import decoder_options
from encoder.model.plan import OutputPlan

PER_SECOND = 4
_WIDTH, _HEIGHT = 16, 9
_CELLS = _WIDTH * _HEIGHT
MOST_BYTES = 12 * 3600 * PER_SECOND * _CELLS  # of a strip
LEAST_SECONDS = 2.0  # shorter is a cut, a fade, a held frame
_EDGE_SECONDS = 0.5  # what two clocks may be apart at either end of a stretch
_MOST_SECONDS = 20.0  # of the source, for each doubt
# levels of 255. Between "still" and "moves", and "black" and "bright", lies what an encoder may smooth away
_STILL, _MOVES = 1, 10
_BLACK, _BRIGHT = 6, 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """A stretch of a result that is black or still, in its own time."""

    kind: str
    start_seconds: float
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """The doubtful stretches of a result, each with whether the source is so too; None: it could not be seen."""

    doubts: tuple[tuple[Doubt, bool | None], ...] = ()


def strip(track: str, path: Path, *before: str) -> list[str]:
    """The arguments of a further output of a run: the strip of `track`, at `path`. `before`: filters of the whole."""
    chain = (f"fps={PER_SECOND}", *before, f"scale={_WIDTH}:{_HEIGHT}:flags=area", "format=gray")
    return ["-map", track, "-vf", ",".join(chain), "-an", "-y", "-f", "rawvideo", f"file:{path}"]


def source(plan: OutputPlan, doubt: Doubt, path: Path, *, source_args: Sequence[str]) -> list[str]:
    """The arguments that make the strip of the source, descriptor 3, where a result is in doubt."""
    start = plan.clip_start_seconds + doubt.start_seconds + _EDGE_SECONDS
    seconds = min(doubt.seconds - 2 * _EDGE_SECONDS, _MOST_SECONDS)
    track = f"0:{plan.video.source_index}" if plan.video else "0:v"
    part = ("-ss", f"{start:.3f}", "-t", f"{seconds:.3f}")
    blackened = ("premultiply=inplace=1",) if plan.video and plan.video.transparent else ()
    return ["-v", "error", *part, *decoder_options(plan.video), *source_args, *strip(track, path, *blackened)]


def applies(plan: OutputPlan) -> bool:
    """Not to copies, which have the source's own frames, nor where what moves may be cut off."""
    return plan.video is not None and plan.video.encoder != codecs.COPY and not plan.video.crop


def doubts(data: bytes) -> tuple[Doubt, ...]:
    """The longest black and the longest still stretch of a strip, if they last."""
    pictures = _pictures(data)
    black = [max(picture) <= _BLACK for picture in pictures]
    still = [_apart(one, other) <= _STILL for one, other in pairwise(pictures)]
    found = (_longest("black", black), _longest("still", still))
    return tuple(doubt for doubt in found if doubt is not None)


def is_so(doubt: Doubt, data: bytes) -> bool | None:
    """Whether the source is black or still where the result is; None: there is too little of it to tell."""
    pictures = _pictures(data)
    if len(pictures) < 2:  # noqa: PLR2004  # one stands always still
        return None
    if doubt.kind == "black":
        return not all(max(picture) >= _BRIGHT for picture in pictures)
    return sum(_apart(one, other) >= _MOVES for one, other in pairwise(pictures)) < (len(pictures) - 1) / 2


def _pictures(data: bytes) -> list[bytes]:
    return [data[at : at + _CELLS] for at in range(0, len(data) - _CELLS + 1, _CELLS)]


def _apart(one: bytes, other: bytes) -> int:
    return max(abs(here - there) for here, there in zip(one, other, strict=True))


def _longest(kind: str, signs: Sequence[bool]) -> Doubt | None:
    start, length = max(_stretches(signs), key=lambda stretch: stretch[1], default=(0, 0))
    seconds = length / PER_SECOND
    return Doubt(kind=kind, start_seconds=start / PER_SECOND, seconds=seconds) if seconds >= LEAST_SECONDS else None


def _stretches(signs: Sequence[bool]) -> Iterator[tuple[int, int]]:
    """Start and length of each stretch of signs that are true."""
    begun: int | None = None
    for at, sign in enumerate((*signs, False)):
        if sign and begun is None:
            begun = at
        elif not sign and begun is not None:
            yield begun, at - begun
            begun = None
