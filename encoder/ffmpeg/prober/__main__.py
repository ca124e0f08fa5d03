"""Enter the box, answer one question, end."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from encoder.ffmpeg import box


def main(argv: Sequence[str]) -> None:
    cut = argv.index("--")
    named = box.heard(argv[:cut])
    # first of all: one that is frozen while it loads, and then left alone, would stand still for ever
    box.tie_to_parent(named)

    import av.subtitles.codeccontext  # noqa: PLC0415  # what PyAV imports at need, when no file can be read any more
    import av.subtitles.stream  # noqa: F401, PLC0415
    import msgspec  # noqa: PLC0415

    from encoder.ffmpeg.prober import survey  # noqa: PLC0415
    from encoder.ffmpeg.question import Question  # noqa: PLC0415

    question = msgspec.json.decode(argv[cut + 1], type=Question)
    # everything is loaded by now: Landlock leaves this process no file but its descriptors
    box.harden(named)
    box.confine(named)
    sys.stdout.buffer.write(msgspec.json.encode(survey.answer(question)))
    sys.stdout.flush()
    os._exit(0)  # what libav still holds is the kernel's to free, and quicker so


if __name__ == "__main__":
    main(sys.argv[1:])
