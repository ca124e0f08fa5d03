"""The arguments with which the proof decodes a whole result. Pure, as `command` is, and by the same rule."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from encoder.ffmpeg import containers, image_graph
from encoder.ffmpeg.box import SOURCE_FD
from encoder.ffmpeg.formats import input_options
from encoder.ffmpeg.watch import strip as strip_of
from encoder.model.plan import OutputPlan

INPUT_OPTIONS = input_options()


def whole(*, source_args: Sequence[str] = INPUT_OPTIONS, strip: Path | None = None, text: bool = False) -> list[str]:
    """The arguments that decode a whole result, which is descriptor 3, and complain about anything in it.

    `strip`: where a strip of its picture goes, for `watch`. `text`: it has subtitles.
    """
    # each line by itself, for `checks.decode` tells the decoder's from the null muxer's
    everything = ["-map", "0:v?", "-map", "0:a?", "-fps_mode", "passthrough"]
    everything += ["-map", "0:s", "-c:s", "srt"] if text else []  # the null muxer has no encoder of its own for them
    # every bit is read and every picture made; only its edges are not smoothed, a sixth of the work, for nobody looks
    quick = ("-skip_loop_filter", "all")
    seen = [] if strip is None else strip_of("0:v:0", strip)
    return ["-v", "repeat+error", "-xerror", *quick, *source_args, *everything, "-f", "null", "-", *seen]


def images(plan: OutputPlan, path: Path, *, by_descriptor: bool = True) -> list[str]:
    """As `whole`, for images: the file, or those of the folder `path`, as what they should be and nothing else.

    One file is descriptor 3, several are opened by their names.
    """
    demuxer = "webp_anim" if plan.muxer == "webp" else containers.CONTAINERS[plan.container].demuxer
    opened = ("-fd", str(SOURCE_FD), "-i", "fd:") if by_descriptor else ("-i", f"file:{path}")
    if plan.is_folder:
        by_descriptor, demuxer = False, "image2"
        opened = ("-start_number", "1", "-i", f"file:{path}/{image_graph.pattern(plan)}")
    allowed = ("-protocol_whitelist", "fd" if by_descriptor else "file", "-format_whitelist", demuxer)
    passed = ("-map", "0:v", "-fps_mode", "passthrough", "-f", "null", "-")
    return ["-v", "repeat+error", "-xerror", *allowed, "-f", demuxer, *opened, *passed]
