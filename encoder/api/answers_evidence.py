"""What the API tells of what can be seen and heard of an output."""

from __future__ import annotations

from encoder.model.base import Record
from encoder.model.evidence import Series
from encoder.model.plan import Loudness, Note


class StillAnswer(Record):
    """The same moment in both; `source` and `output` are the paths of its pictures. `frame` counts from 0.

    `source` null: it could not be shown in time, or the output's picture is a copy of it.
    """

    frame: int
    seconds: float
    source_seconds: float
    source: str | None
    output: str | None


class StreamEvidenceAnswer(Record):
    """A file, `name` "", or a rendition of a package.

    `series`: of each track the bytes in each stretch of `binSeconds`. `keyframes`: seconds; of very many every second,
    fourth, … `loudness`: of each track of sound, where a loudness was asked for.
    """

    name: str
    bin_seconds: float
    series: tuple[Series, ...]
    keyframes: tuple[float, ...]
    stills: tuple[StillAnswer, ...]
    loudness: tuple[Loudness, ...]


class EvidenceAnswer(Record):
    """What was kept when the output was proven.

    `toneMap`: the stills of HDR are SDR, `planned` as the output is, or for `display` alone; null: nothing was HDR.
    """

    streams: tuple[StreamEvidenceAnswer, ...]
    tone_map: str | None
    notes: tuple[Note, ...]
