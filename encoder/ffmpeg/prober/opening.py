"""How the prober opens a file: as ffmpeg would, by the formats that are asked for and nothing else."""

from __future__ import annotations

from collections.abc import Iterable

import av
from av.container import InputContainer

from encoder.ffmpeg.box import SOURCE_FD
from encoder.ffmpeg.formats import MOST_PIXELS
from encoder.ffmpeg.prober.source import SourceFile

_STREAMS_OPENED = 1000  # more than we take, so that too many are told from none


def opened(formats: Iterable[str], file: SourceFile | None = None) -> InputContainer:
    """Descriptor 3; by way of `file`, where it matters what of it is read."""
    av.logging.restore_default_callback()  # to stderr, where our caller reads it
    # what libav says of holes is no word about the file
    av.logging.set_libav_level(av.logging.PANIC if file is not None and file.arriving else av.logging.ERROR)
    options = {
        "format_whitelist": ",".join(formats),
        "max_streams": str(_STREAMS_OPENED),
        "max_pixels": str(MOST_PIXELS),
        "skip_loop_filter": "all",  # to open decodes some frames: a fifth less time
    }
    if file is not None:
        return av.open(file, "r", metadata_errors="replace", options=options)
    options |= {"fd": str(SOURCE_FD), "protocol_whitelist": "fd"}
    return av.open("fd:", metadata_errors="replace", options=options)
