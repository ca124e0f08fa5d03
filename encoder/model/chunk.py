"""The picture of an output in parts: each is made by itself, on any worker, and all are joined without encoding."""

from __future__ import annotations

from encoder.model.base import Record


class Chunk(Record):
    """A stretch of the picture of some outputs, which share its decode; exact seconds ("6006/5") from their start."""

    outputs: tuple[int, ...]
    place: int  # among the chunks of these outputs, from 0
    start_seconds: str
    end_seconds: str | None = None  # None: to the end of the picture


class Split(Record):
    """How the pictures of a job's outputs are made in parts.

    `key`: the hex of a SHA-256 over all that decides what its chunks hold: the plans, the identity of the source, the
    version of ffmpeg. Chunks of one key and one range are as good as each other, whoever made them.
    """

    key: str
    chunks: tuple[Chunk, ...]


class ChunkFile(Record):
    """One stream of a chunk. `name`: the rendition, "" of a file.

    `extradata`: the SHA-256 of what sets its decoder up, in hex: one and the same in all that are joined.
    `late_frames`: how many frames after the start of the chunk its first one is shown, of a picture that begins late.
    """

    output: int
    name: str
    size_bytes: int
    sha256: str
    frames: int
    extradata: str = ""
    late_frames: int = 0


class ChunkMade(Record):
    """What became of a chunk: the result of its task. `folder`: the key of the storage under which its files lie.

    `frames_decoded`: those of the source that are its own, and of no other chunk. `problem`: why it must not be joined,
    so that its outputs are encoded whole; "": it may be. `letters`: those of burnt-in text for which there was no font.
    """

    chunk: Chunk
    files: tuple[ChunkFile, ...]
    folder: str = ""
    frames_decoded: int
    decode_errors: int
    cpu_seconds: float
    seconds: float
    peak_memory_bytes: int | None = None
    first_frame_seconds: float | None = None  # until its first frame was encoded
    problem: str = ""
    letters: str = ""
