"""How alike two pictures are."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from tests.lab.media import ffmpeg_binary

SAME_DB = 30.0  # what an encode leaves; of the next frame of `testsrc2` it is below 25
_AVERAGE = re.compile(r"average:([0-9.]+|inf)")


def alike_db(folder: Path, one: bytes, other: bytes) -> float:
    """The PSNR of two images of one size."""
    paths = [folder / "one.webp", folder / "other.webp"]
    for path, data in zip(paths, (one, other), strict=True):
        path.write_bytes(data)
    inputs = [word for path in paths for word in ("-i", str(path))]
    command = [ffmpeg_binary(), "-nostdin", *inputs, "-lavfi", "psnr", "-f", "null", "-"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    found = _AVERAGE.search(said)
    assert found is not None, said[-500:]
    return float(found[1])
