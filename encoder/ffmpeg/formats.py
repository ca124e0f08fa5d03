"""What a source may be, said to ffmpeg and to the prober in the same words.

A format that is not listed is not even looked at, in any version of ffmpeg: no playlist, no concat script, no
session description, nothing that names other files or hosts. The only protocol is `fd`: an open descriptor.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from encoder.ffmpeg.box import SOURCE_FD
from encoder.model.plan import VideoPlan

DEMUXERS = (
    "mov", "matroska", "mpegts", "mpeg", "avi", "flv", "asf", "ogg", "mxf", "gxf", "nut", "rm", "dv", "ivf",
    "wav", "w64", "aiff", "au", "caf", "mp3", "aac", "ac3", "eac3", "flac", "wv", "tta", "amr",
    "h264", "hevc", "mpegvideo", "m4v", "obu", "av1", "yuv4mpegpipe",
    "gif", "apng", "png_pipe", "jpeg_pipe", "webp_pipe",
)  # fmt: skip

# the demuxer that must read what a muxer of ours wrote
DEMUXER_OF = {
    "mp4": "mov", "mov": "mov", "ipod": "mov", "matroska": "matroska", "webm": "matroska", "mpegts": "mpegts",
    "mp3": "mp3", "adts": "aac", "flac": "flac", "ogg": "ogg", "opus": "ogg", "wav": "wav", "gif": "gif",
    "webvtt": "webvtt",
}  # fmt: skip

MOST_SIDE_PX = 8192
MOST_PIXELS = MOST_SIDE_PX * 4320
MOST_STREAMS = 64
MOST_ALLOCATED_BYTES = 512 * 1024**2


def decoder_options(video: VideoPlan | None) -> tuple[str, ...]:
    """Before a source is opened: what decodes a track of it, where ffmpeg's own choice does not see all."""
    return () if video is None or video.decoder is None else (f"-c:{video.source_index}", video.decoder)


def input_options(path: Path | None = None, *, formats: Sequence[str] = DEMUXERS) -> tuple[str, ...]:
    """How ffmpeg opens the source, up to and with `-i`: as descriptor 3, the only thing that it may open.

    `path`: for builds without the `fd` protocol (before 6.0), which open the file by its name, ours; then the formats
    and the box alone keep them from other files.
    """
    opened = ("-fd", str(SOURCE_FD), "-i", "fd:") if path is None else ("-i", f"file:{path}")
    return (
        "-protocol_whitelist", "fd" if path is None else "file",
        "-format_whitelist", ",".join(formats),
        "-max_pixels", str(MOST_PIXELS),
        "-max_streams", str(MOST_STREAMS),
        *opened,
    )  # fmt: skip
