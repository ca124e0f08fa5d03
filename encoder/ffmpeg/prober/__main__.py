"""Enter the box, answer one question, end."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import av.subtitles.codeccontext  # what PyAV imports at need, when no file can be read any more
import av.subtitles.stream  # noqa: F401
import msgspec

from encoder.ffmpeg import box
from encoder.ffmpeg.prober import survey
from encoder.ffmpeg.question import Question


def main(argv: Sequence[str]) -> None:
    cut = argv.index("--")
    named, question = box.heard(argv[:cut]), msgspec.json.decode(argv[cut + 1], type=Question)
    # everything is loaded by now: Landlock leaves this process no file but its descriptors
    box.harden(named)
    box.confine(named)
    sys.stdout.buffer.write(msgspec.json.encode(survey.answer(question)))
    sys.stdout.flush()
    os._exit(0)  # what libav still holds is the kernel's to free, and quicker so


if __name__ == "__main__":
    main(sys.argv[1:])
