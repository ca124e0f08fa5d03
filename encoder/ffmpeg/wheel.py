"""The one ffmpeg that we know: the binary of the pinned wheel."""

from __future__ import annotations

from pathlib import Path

import imageio_ffmpeg

from encoder import errors


def binary() -> Path:
    """Where it lies. The wheel's own look-up would start it, with all that stands in our environment, to see whether
    it runs, and else take any other ffmpeg of the machine.

    Raises:
        errors.Unfit: there is none for this platform.
    """
    found = sorted((Path(imageio_ffmpeg.__file__).parent / "binaries").glob("ffmpeg-*"))
    if not found:
        raise errors.Unfit("The wheel imageio-ffmpeg holds no ffmpeg for this platform: set ENCODER_FFMPEG.")
    return found[0]
