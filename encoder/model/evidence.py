"""What can be seen and heard of a finished output, made while it and its source lay on one disk."""

from __future__ import annotations

from uuid import UUID

from encoder.model.base import Record
from encoder.model.plan import Loudness, Note

TOLD, PICTURES = "evidence.json", "stills"  # the two files that it is kept in


def prefix(job: UUID, output: int) -> str:
    """Where the evidence of an output lies in the platform's storage: what removes the job removes it too."""
    return f"jobs/{job}/evidence/{output}"


class Extent(Record):
    """Where a picture (WebP) lies in the file that holds all of them."""

    offset: int
    size_bytes: int


class Still(Record):
    """The same moment of a source and of what was made of it. Pictures are numbers of `Evidence.pictures`.

    `source` None: it could not be shown, or the output holds its very frames.
    """

    frame: int  # of the output, from 0
    seconds: float  # in the output
    source_seconds: float  # from the first moment of the source
    source: int | None = None
    output: int | None = None


class Series(Record):
    """The bytes of one track's packets, by the time at which they are shown."""

    kind: str  # video, audio, subtitles
    bytes: tuple[int, ...]


class StreamEvidence(Record):
    """Of a file, or of one rendition of a package, which `name` tells.

    `keyframes`: seconds; of very many only every second, fourth, …
    """

    name: str = ""
    bin_seconds: float
    series: tuple[Series, ...] = ()
    keyframes: tuple[float, ...] = ()
    stills: tuple[Still, ...] = ()
    loudness: tuple[Loudness, ...] = ()  # of each track of sound, where it was measured


class Evidence(Record):
    """All that was kept of one output. `notes`: what is not there, or is not quite what it seems, and why.

    `tone_map`: HDR in the stills was made SDR, `planned` as in the output, or `display` only to be seen.
    """

    streams: tuple[StreamEvidence, ...] = ()
    pictures: tuple[Extent, ...] = ()
    tone_map: str | None = None
    notes: tuple[Note, ...] = ()
