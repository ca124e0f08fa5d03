"""Pictures that were made in chunks, joined without encoding: what must fit, and how ffmpeg is given the list. Pure.

The list is ours and names files of ours, in the order of their places: by their names the tenth would come before the
second. Each lies exactly where its frames do: what is rounded is the sum of all before it, never the length of one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import pairwise

from encoder.model.base import Record
from encoder.model.chunk import Chunk, ChunkFile, ChunkMade
from encoder.model.plan import Joint, OutputPlan

_MICROSECONDS = 1_000_000
_HEAD = "ffconcat version 1.0"
_UNNAMED = "picture"  # of a file, whose stream has no name
_FORMATS = "concat,mov"


class Parts(Record):
    """What is known of a joined output before it is looked at, and what it is judged by.

    `frames`: of each of its pictures. `seams`: for each, when its second chunk begins, its third, …, in seconds from
    its first frame on.
    """

    frames_decoded: int
    decode_errors: int
    frames: dict[str, int]
    seams: dict[str, tuple[float, ...]]


def file_name(chunk: Chunk, output: int, name: str) -> str:
    """What one stream of a chunk is called, below the folder in which chunks lie."""
    return f"{chunk.place:04}/{output}/{name or _UNNAMED}"


def script_name(output: int, name: str) -> str:
    """What the list of a stream's chunks is called; it lies beside them."""
    return f"chunks-{output}-{name}.txt" if name else f"chunks-{output}.txt"


def of_output(output: int, made: Iterable[ChunkMade]) -> list[ChunkMade]:
    """The chunks of one output, in their order."""
    return sorted((each for each in made if output in each.chunk.outputs), key=lambda each: each.chunk.place)


def fault(output: OutputPlan, made: Sequence[ChunkMade]) -> str | None:
    """Why an output cannot be joined of its chunks, in their order; None: it can."""
    problem = next((each.problem for each in made if each.problem), None)
    if problem is not None:
        return problem
    if [each.chunk.place for each in made] != [*range(len(made))] or not _adjoin([each.chunk for each in made]):
        return "Its chunks are not those from the first to the last."
    return next((why for stream in drawn(output) if (why := _misfit(stream, made)) is not None), None)


def drawn(output: OutputPlan) -> list[OutputPlan]:
    """The streams of an output that are pictures: those of which chunks are made."""
    return [stream for stream in output.streams if stream.video is not None]


def parts(output: OutputPlan, made: Sequence[ChunkMade]) -> Parts:
    """What is known of an output whose chunks fit, in their order."""
    counts = {stream.name: [_file(stream, each).frames for each in made] for stream in drawn(output)}
    rates = {stream.name: Fraction(stream.video.rate) for stream in drawn(output) if stream.video is not None}
    return Parts(
        frames_decoded=sum(each.frames_decoded for each in made),
        decode_errors=sum(each.decode_errors for each in made),
        frames={name: sum(each) for name, each in counts.items()},
        seams={name: tuple(float(at / rates[name]) for at in _sums(each)[:-1]) for name, each in counts.items()},
    )


def joint(stream: OutputPlan, made: Sequence[ChunkMade], folder: str) -> Joint:
    """One picture of an output whose chunks fit. `folder`: where they lie, below that of the run; "": there."""
    late = _file(stream, made[0]).late_frames / _rate(stream)
    script = script_name(stream.output, stream.name)
    return Joint(
        output=stream.output,
        name=stream.name,
        script=f"{folder}/{script}" if folder else script,
        late_seconds=f"{late.numerator}/{late.denominator}",
    )


def script(stream: OutputPlan, made: Sequence[ChunkMade]) -> str:
    """The list of a picture's chunks, in their order."""
    ends = [round(at * _MICROSECONDS / _rate(stream)) for at in _sums([_file(stream, each).frames for each in made])]
    lines = [_HEAD]
    for each, (begin, end) in zip(made, pairwise([0, *ends]), strict=True):
        micros = end - begin
        lines.append(f"file {file_name(each.chunk, stream.output, stream.name)}")
        lines.append(f"duration {micros // _MICROSECONDS}.{micros % _MICROSECONDS:06}")
    return "\n".join([*lines, ""])


def opened(joint: Joint) -> Iterator[str]:
    """How a list of chunks is opened: as one that we wrote, which names files beside it and nothing else."""
    yield from ("-protocol_whitelist", "file", "-format_whitelist", _FORMATS)
    # what sets the decoder up is the same in all: nothing needs to be converted
    yield from ("-f", "concat", "-safe", "1", "-auto_convert", "0")
    if Fraction(joint.late_seconds):
        yield from ("-itsoffset", f"{float(Fraction(joint.late_seconds)):.6f}")
    yield from ("-i", f"file:{joint.script}")


def _adjoin(chunks: Sequence[Chunk]) -> bool:
    """Whether they are all there is: from 0 to the end, each where the one before ends."""
    ends = [chunk.end_seconds for chunk in chunks]
    starts = [Fraction(chunk.start_seconds) for chunk in chunks]
    inner = [None if end is None else Fraction(end) for end in ends[:-1]]
    return bool(chunks) and starts[0] == 0 and inner == starts[1:] and ends[-1] is None


def _misfit(stream: OutputPlan, made: Sequence[ChunkMade]) -> str | None:
    """Why one stream does not fit together."""
    files = [found for each in made for found in each.files if _is_of(found, stream)]
    if len(files) != len(made):
        return "Some of its chunks have no file."
    if len({file.extradata for file in files}) != 1:
        return "Its chunks need decoders that are set up differently."
    for each, file in zip(made[:-1], files, strict=False):
        length = (Fraction(each.chunk.end_seconds or 0) - Fraction(each.chunk.start_seconds)) * _rate(stream)
        if file.frames + file.late_frames != length or (file.late_frames and each.chunk.place):
            return f"Chunk {each.chunk.place} has {file.frames} frames in the place of {length}."
    return None if files[-1].frames else "Its last chunk has no frame."


def _is_of(file: ChunkFile, stream: OutputPlan) -> bool:
    return (file.output, file.name) == (stream.output, stream.name)


def _file(stream: OutputPlan, made: ChunkMade) -> ChunkFile:
    return next(file for file in made.files if _is_of(file, stream))


def _rate(stream: OutputPlan) -> Fraction:
    return Fraction(stream.video.rate) if stream.video is not None else Fraction(1)


def _sums(counts: Sequence[int]) -> list[int]:
    """How many there are with each."""
    return [sum(counts[: place + 1]) for place in range(len(counts))]
