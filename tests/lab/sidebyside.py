"""A source made whole and in chunks, and everything in which the two may differ, as one row of a table."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from encoder.model.job import OutputSpec
from encoder.worker.context import Made
from tests.lab import seams
from tests.lab.chunking import Bench

MOST_VMAF = 0.5  # by which the two may be apart
MOST_DIP_DB = 0.5


@dataclass(frozen=True, kw_only=True)
class Row:
    """One picture of one output. `sound`: of the whole output, it is the same to the sample."""

    name: str
    chunks: int = 0
    frames: int
    missing: int
    times: int  # that are not the same
    keys: int  # seams without a keyframe
    sound: bool = False
    fault: str | None = None  # what the proof of the joined output says
    whole: float = 0.0  # VMAF
    joined: float = 0.0
    dip: float = 0.0  # dB

    @property
    def good(self) -> bool:
        same = not (self.missing or self.times or self.keys or self.fault) and self.sound
        return same and abs(self.whole - self.joined) <= MOST_VMAF and self.dip <= MOST_DIP_DB


async def exact(path: Path, folder: Path, output: OutputSpec, *, seconds: float) -> int | None:
    """How many frames that the encoder of chunks is given are not those of the whole. None: it cannot be in chunks."""
    bench = (await Bench.of(path, folder / "whole", output)).lossless()
    beside = bench.elsewhere(folder / "joined")
    if beside.split(seconds) is None:
        return None
    (whole,), (joined,) = await bench.whole(), await beside.in_chunks(seconds)
    wrong = 0
    for name, file in seams.files(whole, folder).items():
        one, other = seams.frames(file), seams.frames(seams.files(joined, folder)[name])
        wrong += abs(len(one) - len(other)) + sum(a != b for a, b in zip(one, other, strict=False))
    return wrong


async def compared(path: Path, folder: Path, output: OutputSpec, *, seconds: float, pictures: bool = True) -> list[Row]:
    """A row for each picture of an output; none where it cannot be made in chunks. `pictures`: their quality too."""
    bench = await Bench.of(path, folder / "whole", output)
    beside = bench.elsewhere(folder / "joined")
    split = beside.split(seconds)
    if split is None:
        return []
    (whole,), (joined,) = await bench.whole(), await beside.joined(split, await beside.chunks(split))
    here, there = seams.files(whole, folder), seams.files(joined, folder)
    references = await _references(bench, folder) if pictures else {}
    same = all(seams.sound(here[name]) == seams.sound(there[name]) for name in here)
    found = [
        _found(name, joined, (here[name], there[name]), references.get(name), folder)
        for name in here
        if _is_drawn(whole, name)
    ]
    proven = await beside.proven(joined)
    shutil.rmtree(folder)
    return [replace(row, chunks=len(split.chunks), sound=same, fault=None if proven else "refused") for row in found]


async def _references(bench: Bench, folder: Path) -> dict[str, Path]:
    """What each picture's encoder was given, as files."""
    (made,) = await bench.lossless().elsewhere(folder / "exact").whole()
    return seams.files(made, folder)


def _is_drawn(made: Made, name: str) -> bool:
    return any(stream.name == name and stream.video is not None for stream in made.plan.streams)


def _found(name: str, joined: Made, files: tuple[Path, Path], reference: Path | None, folder: Path) -> Row:
    """What differs in one picture."""
    stream = next(each for each in joined.plan.streams if each.name == name)
    assert stream.video is not None
    assert joined.parts is not None, joined.notes
    one, other = map(seams.track, files)
    rate = Fraction(stream.video.rate)
    places = [round(Fraction(at) * rate) for at in joined.parts.seams[name]]
    keyed = {round((key - other.stamps[0]) * rate) for key in other.keys}
    row = Row(
        name=name,
        frames=len(one.stamps),
        missing=len(one.stamps) - len(other.stamps),
        times=sum(a != b for a, b in zip(one.stamps, other.stamps, strict=False)),
        keys=len({*places} - keyed),
    )
    if reference is None:
        return row
    whole, cut = (seams.quality(file, reference, folder) for file in files)
    return replace(row, whole=whole.vmaf, joined=cut.vmaf, dip=seams.dip(whole, cut, places))
