"""What we ask the prober, and what it answers. Both sides read this; only the prober's side knows PyAV."""

from __future__ import annotations

from encoder.model.base import Record
from encoder.model.extent import Extent
from encoder.model.media import Media, Opened


class Question(Record):
    """`formats`: the demuxers that may open the file. `every_packet`: walk to the end and count, for the proof.

    `entries`: tell where the picture can be entered, if the walk comes to its end in time. `ends`: tell where a copy of
    it can end, near these moments, in seconds from the file's first one. `seams`: count, with every packet, at how many
    of these moments a picture stands that needs none before it, in seconds from the picture's first frame.

    `spans`, of `streams`, in such seconds too (None: to the end): tell nothing but which bytes ffmpeg reads for each.
    `there`: what of the file has arrived; (): all of it.
    """

    formats: tuple[str, ...]
    every_packet: bool = False
    entries: bool = False
    ends: tuple[float, ...] = ()
    seams: tuple[float, ...] = ()
    spans: tuple[tuple[float, float | None], ...] = ()
    streams: tuple[int, ...] = ()
    there: tuple[Extent, ...] = ()


class Refusal(Record):
    """Why the file is no source for us. `code` is permanent in the catalogue."""

    code: str
    message: str


class Answer(Record):
    """One of these; `entries` and `cuts` come with `media`. `missing`: what must arrive before it can be told."""

    media: Media | None = None
    entries: dict[int, tuple[float, ...]] = {}  # msgspec copies an empty default
    cuts: dict[int, tuple[float, ...]] = {}
    opened: Opened | None = None
    extents: tuple[tuple[Extent, ...], ...] | None = None
    missing: Extent | None = None
    refusal: Refusal | None = None
