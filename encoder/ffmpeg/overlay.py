"""A watermark or subtitles over a picture: which inputs it takes, and the step of a chain that lays it there. Pure.

Sizes are relative: a logo is as wide, in shares of the picture, on each output of a job.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction

from encoder.ffmpeg.formats import MOST_PIXELS
from encoder.model.plan import BurntPlan, OutputPlan, VideoPlan, WatermarkPlan

Size = tuple[int, int]

_MARGIN = 0.02  # of the short side
_ACROSS = {"left": "{m}", "center": "(W-w)/2", "right": "W-w-{m}"}
_DOWN = {"top": "{m}", "center": "(H-h)/2", "bottom": "H-h-{m}"}
POSITIONS = (
    "top-left", "top", "top-right",
    "left", "center", "right",
    "bottom-left", "bottom", "bottom-right",
)  # fmt: skip


def inputs(outputs: Iterable[OutputPlan]) -> tuple[WatermarkPlan, ...]:
    """The different watermark files of these outputs, in the order in which a command opens them."""
    videos = (each.video for output in outputs for each in output.streams)
    marks = {video.watermark.file: video.watermark for video in videos if video is not None and video.watermark}
    return tuple(marks.values())


def opened(marks: Iterable[WatermarkPlan]) -> Iterator[str]:
    """How watermarks are opened: as the pictures that they are and nothing else, by the names that we gave them."""
    for mark in marks:
        yield from ("-protocol_whitelist", "file", "-format_whitelist", mark.demuxer, "-max_pixels", str(MOST_PIXELS))
        yield from ("-f", mark.demuxer, "-i", f"file:{mark.file}")


def captioned(video: VideoPlan, burnt: BurntPlan, at: Size, source: int, *, lead_seconds: Fraction) -> tuple[str, ...]:
    """The steps that lay subtitles which are pictures, a stream of input `source`, over a picture of the size `at`.

    `lead_seconds`: how much of the source is decoded before the output begins. Subtitles of the picture's own shape
    fill it; others were made for one with bars above and below, and go as far down as it does.
    """
    width, height = at
    deep = "p10" if "10" in video.pixel_format else ""
    shown = f"if(lt(abs(iw/ih-{burnt.shape}),0.02),{height},2*trunc({width}*ih/iw/2))"
    steps = (
        *((f"setpts=PTS-{float(lead_seconds):.6f}/TB",) if lead_seconds else ()),
        (
            f"scale=w={width}:h='{shown}':flags=bicubic"
            f":out_color_matrix={video.color_matrix}:out_range={video.color_range}"
        ),
        f"format=yuva420{deep or 'p'}{'le' if deep else ''}",
    )
    return (
        f"format={video.pixel_format}",
        (
            f"null[m{{n}}];[{source}:{burnt.source_index}]{','.join(steps)}[w{{n}}];"
            f"[m{{n}}][w{{n}}]overlay=x=0:y=H-h:eof_action=pass:format=yuv420{deep}"
        ),
    )


def laid(video: VideoPlan, mark: WatermarkPlan, at: Size, place: int) -> tuple[str, ...]:
    """The steps that lay a watermark, input `place` of the command, over a picture of the size `at`.

    `{n}` stands for a number that no other step has: labels are one name-space.
    """
    margin = max(1, round(_MARGIN * min(at)))
    box = max(2, round(mark.scale * at[0])), max(2, at[1] - 2 * margin)
    down, _, across = mark.position.partition("-")
    if not across:
        down, across = (down, "center") if down in _DOWN else ("center", down)
    x, y = _ACROSS[across].format(m=margin), _DOWN[down].format(m=margin)
    deep = "p10" if "10" in video.pixel_format else ""
    logo = (
        "format=rgba",
        f"colorchannelmixer=aa={mark.opacity:.4f}",
        (
            f"scale=w={box[0]}:h={box[1]}:force_original_aspect_ratio=decrease:flags=bicubic"
            f":out_color_matrix={video.color_matrix}:out_range={video.color_range}"
        ),
        f"format=yuva420{deep or 'p'}{'le' if deep else ''}",
    )
    return (
        f"format={video.pixel_format}",
        f"null[m{{n}}];[{place}:v]{','.join(logo)}[w{{n}}];[m{{n}}][w{{n}}]overlay=x={x}:y={y}:format=yuv420{deep}",
    )
