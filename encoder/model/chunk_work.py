"""What the tasks are told that make a picture in parts, and where in the platform's storage they meet."""

from __future__ import annotations

from uuid import UUID

from encoder.model.base import Record
from encoder.model.chunk import Chunk, Split
from encoder.model.extent import Needed
from encoder.model.plan import Pass

CHUNK, ASSEMBLE = "chunk", "assemble"  # kinds of tasks


class BesideFile(Record):
    """What a plan needs beside the source, by the name that the plan has for it: a watermark, subtitles."""

    name: str
    size_bytes: int
    sha256: str


class ChunkWork(Record):
    """`args` of a task that makes one chunk. `outputs`: those that fail with it.

    `key`: of its split; `keys`: of what it holds of each output. `identity`: of the source's bytes, which must be those
    that were planned for.
    """

    outputs: tuple[int, ...]
    key: str
    keys: tuple[str, ...]
    identity: str
    chunk: Chunk
    frames: int  # of the first of its outputs, by which progress is weighed
    beside: tuple[BesideFile, ...] = ()
    needed: Needed | None = None  # of the source; None: all of it


class AssembleWork(Record):
    """`args` of the task behind the chunks. `keys`: by output, what its chunks hold. `passes`: of the outputs that are
    made there, from the source alone."""

    split: Split
    keys: dict[str, str]
    identity: str
    passes: tuple[Pass, ...] = ()
    chunks: int  # in all, those of earlier runs too
    beside: tuple[BesideFile, ...] = ()


def place_of_job(job: UUID) -> str:
    """Below it lies all that the tasks of a job exchange; no output of any job has a name that begins so."""
    return f"jobs/{job}/chunks"


def place_of_split(job: UUID, key: str) -> str:
    return f"{place_of_job(job)}/{key}"


def place_of_chunk(job: UUID, key: str, chunk: Chunk, token: str) -> str:
    """`token`: of the attempt, `<task>-<epoch>`, so that no attempt writes where another one did."""
    return f"{place_of_split(job, key)}/{chunk.outputs[0]}-{chunk.place}/{token}"


def place_of_source(job: UUID, key: str) -> str:
    """Of a copy of the source, where the source itself cannot be read in parts."""
    return f"{place_of_split(job, key)}/whole"


def place_of_beside(job: UUID, key: str) -> str:
    return f"{place_of_split(job, key)}/beside"
