"""The parts of a command that only images have: what is not decoded, which frames are taken, how they are put together.

Pure.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

from encoder.model.plan import ImagesPlan, OutputPlan, Stretch

Chain = tuple[str, ...]

_TICK_SECONDS = 1e-6  # what printing a number may make of it
_BLACK = "blackframe=amount=0:threshold=40,metadata=mode=select:key=lavfi.blackframe.pblack:value=90:function=less"


def unneeded(decoded: Sequence[Stretch]) -> str:
    """A bitstream filter of the source, which drops what lies in none of the stretches that are decoded.

    They begin by the time of presentation, so that what an open GOP shows before its keyframe is left out too, and end
    by that of decoding: what a frame needs never comes after it there.
    """
    kept, end = _kept(decoded), decoded[-1].end_seconds
    return f"noise=drop='not({kept})'" if end == math.inf else f"noise=drop='not(lte(dts*tb,{end:.6f})*{kept})'"


def chosen(images: ImagesPlan) -> Chain:
    """Of all frames on the grid, those that are shown."""
    if images.step_frames is not None:
        return (f"select='{_stepping(Fraction(images.step_frames))}'",) if images.step_frames != "1/1" else ()
    if not images.frames:
        return ()
    wanted = "+".join(f"eq(n,{frame})" for frame in images.frames)
    return (f"trim=end_frame={images.frames[-1] + 1}", f"select='{wanted}'")  # nothing is decoded after the last


def arranged(output: OutputPlan, images: ImagesPlan) -> Chain:
    """The chosen pictures, as they go into files."""
    if images.typical:
        return (_typical(output.output, len(images.frames)),)
    if images.kind == "moving":
        return (_with_palette(output.output),) if output.container == "gif" else ()
    if images.kind == "still":
        return ("trim=end_frame=1",)
    # a source's length may be one frame off: then the last picture is shown once more, or one less is made
    held = () if images.frames else ("tpad=stop=1:stop_mode=clone",)
    steps = () if images.count is None else (*held, f"trim=end_frame={images.count}")
    sheets = (f"tile={images.columns}x{images.rows}",) if images.cells > 1 else ()
    return (*steps, *sheets, "setpts=round(N/FRAME_RATE/TB)")  # 3/10/0.1 is less than 3


def options(output: OutputPlan, images: ImagesPlan, path: Path) -> Iterator[str]:
    """The options of ffmpeg's muxers for images, in command order, with what they write at the end."""
    yield from ("-f", output.muxer)
    if images.kind == "moving":
        yield from ("-loop", "0", f"file:{path}")  # again and again
    elif images.kind == "still":
        yield from ("-update", "1", f"file:{path}")  # its name is no pattern
    else:
        yield f"file:{path}/{pattern(output)}"


def pattern(output: OutputPlan) -> str:
    """What ffmpeg calls the files of several: `ImagesPlan.file_name`, counted from 1."""
    names = "{index}" if output.images is None else output.images.names
    return f"{names.replace('{index}', '%05d')}.{output.extension}"


def _stepping(step: Fraction) -> str:
    """True of frame n if it is the one on show at some multiple of the step: floor(k * step) for some k.

    In whole numbers, exact for as long as a source may be; `fps=1/5:round=up` would show the same, but its rate is
    rounded to a millionth.
    """
    parts, whole = step.denominator, step.numerator
    return f"lt(ceil(n*{parts}/{whole})*{whole},(n+1)*{parts})"


def _kept(decoded: Sequence[Stretch]) -> str:
    """True of a packet that lies in a stretch. A tree, for every packet is asked."""
    if len(decoded) == 1:
        start = decoded[0].start_seconds
        return "1" if start == -math.inf else f"gte(pts*tb,{start - _TICK_SECONDS:.6f})"
    half = len(decoded) // 2
    return f"if(lte(dts*tb,{decoded[half - 1].end_seconds:.6f}),{_kept(decoded[:half])},{_kept(decoded[half:])})"


def _typical(number: int, frames: int) -> str:
    """The frame that is most like all of them; black ones count only where there are no others."""
    a, b, c, d = (f"i{number}{letter}" for letter in "abcd")
    return (
        f"split[{a}][{b}];[{a}]{_BLACK},thumbnail=n={frames}[{c}];[{b}]thumbnail=n={frames}[{d}];"
        f"[{c}][{d}]concat=n=2:v=1:a=0,trim=end_frame=1"
    )


def _with_palette(number: int) -> str:
    """The 256 colours that this clip needs."""
    a, b, c = (f"i{number}{letter}" for letter in "abc")
    return f"split[{a}][{b}];[{a}]palettegen[{c}];[{b}][{c}]paletteuse=diff_mode=rectangle"
