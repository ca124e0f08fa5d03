"""A film with subtitles."""

from __future__ import annotations

import functools
from pathlib import Path

from tests.lab.media import clip, made

LINES = """\
1
00:00:00,500 --> 00:00:01,503
One <i>two</i>, %{x} [in];out,'q' ÄÖ

2
00:00:01,503 --> 00:00:03,000
<font color="#ff0000">Three</font>
four

3
00:00:02,000 --> 00:00:03,500
{\\an8}Above <b>all</b>

"""


@functools.cache
def script() -> Path:
    path = made("lines.srt", "-f", "lavfi", "-i", "nullsrc", "-frames:v", "0", "-f", "null")
    path.write_text(LINES)
    return path


@functools.cache
def film() -> Path:
    """Four seconds with the same lines twice: SubRip in English, ASS in German, which is the default and forced."""
    return made(
        "titled.mkv", "-i", str(clip(seconds=4, size="160x90", name="four.mp4")),
        "-i", str(script()), "-i", str(script()), "-map", "0", "-map", "1", "-map", "2", "-c", "copy",
        "-c:s:0", "srt", "-c:s:1", "ass", "-metadata:s:s:0", "language=eng", "-metadata:s:s:1", "language=ger",
        "-disposition:s:1", "default+forced",
    )  # fmt: skip
