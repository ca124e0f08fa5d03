"""Which picture belongs to which moment: a WebVTT file that players show while one seeks. Pure.

Each cue names a file beside it, and of a sheet the cell: `00001.jpg#xywh=160,0,160,90`. Cues begin at 0, leave no gap
and go on to the end (docs/why/encoding.md, "Images").
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction

from encoder.model.base import Record
from encoder.model.plan import ImagesPlan, OutputPlan

_HEAD = "WEBVTT"
_TIME = r"(\d{2,}):([0-5]\d):([0-5]\d)\.(\d{3})"
_CUE = re.compile(rf"{_TIME} --> {_TIME}\n([^\s#]+)(?:#xywh=(\d+),(\d+),(\d+),(\d+))?")


class Cue(Record):
    """From one millisecond to another, a file, and of it a cell: left, top, width, height. None: all of it."""

    start_ms: int
    end_ms: int
    name: str
    cell: tuple[int, int, int, int] | None = None


class NoCuesError(ValueError):
    """The text is no file of such cues."""


def planned(plan: OutputPlan) -> tuple[Cue, ...]:
    """The cues that a plan means; none where it has no timeline."""
    images, video = plan.images, plan.video
    if images is None or video is None or images.cues is None or images.count is None or images.step_frames is None:
        return ()
    step = Fraction(images.step_frames) / Fraction(video.rate)
    end = Fraction(images.timeline_frames or 0) / Fraction(video.rate)
    size = video.width_px, video.height_px
    return tuple(
        Cue(
            start_ms=_milliseconds(place * step),
            end_ms=_milliseconds(min((place + 1) * step, end)),
            name=images.file_name(place // images.cells, plan.extension),
            cell=_cell(images, place % images.cells, size) if images.cells > 1 else None,
        )
        for place in range(images.count)
    )


def written(cues: tuple[Cue, ...]) -> str:
    """The file."""
    return "\n\n".join([_HEAD, *(_text(cue) for cue in cues)]) + "\n"


def read(text: str) -> tuple[Cue, ...]:
    """The cues of a file.

    Raises:
        NoCuesError: there is anything else in it.
    """
    head, *blocks = text.removesuffix("\n").split("\n\n")
    if head != _HEAD:
        raise NoCuesError("it does not begin as WebVTT does")
    return tuple(_parsed(blocks))


def _parsed(blocks: list[str]) -> Iterator[Cue]:
    for block in blocks:
        match = _CUE.fullmatch(block)
        if match is None:
            raise NoCuesError("a cue is broken")
        times, name, cell = match.groups()[:8], match[9], match.groups()[9:]
        left, top, width, height = (int(side or 0) for side in cell)
        yield Cue(
            start_ms=_read_time(*times[:4]),
            end_ms=_read_time(*times[4:]),
            name=name,
            cell=None if cell[0] is None else (left, top, width, height),
        )


def _cell(images: ImagesPlan, place: int, size: tuple[int, int]) -> tuple[int, int, int, int]:
    row, column = divmod(place, images.columns)
    return column * size[0], row * size[1], *size


def _text(cue: Cue) -> str:
    cell = "" if cue.cell is None else f"#xywh={','.join(str(side) for side in cue.cell)}"
    return f"{_told(cue.start_ms)} --> {_told(cue.end_ms)}\n{cue.name}{cell}"


def _milliseconds(seconds: Fraction) -> int:
    return round(seconds * 1000)


def _told(milliseconds: int) -> str:
    seconds, rest = divmod(milliseconds, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{rest:03}"


def _read_time(hours: str, minutes: str, seconds: str, rest: str) -> int:
    return ((int(hours) * 60 + int(minutes)) * 60 + int(seconds)) * 1000 + int(rest)
