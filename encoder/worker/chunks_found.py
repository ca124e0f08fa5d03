"""Chunks that are made already: found by what they hold, whoever made them, in whichever run of the job."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from encoder.ffmpeg import chunks
from encoder.model.base import replace
from encoder.model.chunk import Chunk, ChunkMade, Split
from encoder.model.chunk_work import ChunkWork
from encoder.model.plan import Plan
from encoder.store.rows import Part

Keys = Mapping[int, str]  # by output: what its chunks hold


def keys_of(plan: Plan, split: Split, identity: str) -> dict[int, str]:
    """Of each output that is made in chunks by itself, so that it is found also where its neighbours are done."""
    return {number: chunks.key([plan.output(number)], identity) for number in sorted(outputs_of(split))}


def outputs_of(split: Split) -> frozenset[int]:
    """Those whose picture is made in chunks."""
    return frozenset(number for chunk in split.chunks for number in chunk.outputs)


def before(parts: Sequence[Part]) -> list[Chunk]:
    """The chunks that there are, of whatever."""
    return [work.chunk for work, _ in _read(parts)]


def matching(split: Split, keys: Keys, parts: Sequence[Part]) -> dict[Chunk, ChunkMade]:
    """For each chunk of `split` what was made of the same range and holds the same, perhaps of more outputs.

    Of two the later one: its maker did not find the earlier one any more.
    """
    there = list(_read(parts))
    return {
        chunk: replace(made, chunk=replace(chunk, outputs=made.chunk.outputs))
        for chunk in split.chunks
        for work, made in there
        if _holds(work, chunk, keys)
    }


def _holds(work: ChunkWork, chunk: Chunk, keys: Keys) -> bool:
    mine = work.chunk
    held = dict(zip(work.outputs, work.keys, strict=True))
    same = (mine.start_seconds, mine.end_seconds) == (chunk.start_seconds, chunk.end_seconds)
    return same and all(held.get(number) == keys[number] for number in chunk.outputs)


def _read(parts: Sequence[Part]) -> list[tuple[ChunkWork, ChunkMade]]:
    return [
        (msgspec.convert(part.args, ChunkWork), msgspec.convert(part.result, ChunkMade))
        for part in parts
        if part.result is not None
    ]
