"""What Debian's ffprobe and ffmpeg say of a file: older than the libraries that made and proved it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

IS_HERE = shutil.which("ffprobe") is not None or os.getuid() == 0  # root has had the chance to install it
_SHOWN = ("-v", "error", "-show_streams", "-show_format", "-of", "json")


def look(path: Path) -> dict[str, Any]:
    """Its `format` and `streams`, as ffprobe writes them; it must have no complaint."""
    ended = subprocess.run(["ffprobe", *_SHOWN, f"file:{path}"], capture_output=True, check=True, text=True)
    assert ended.stderr == ""
    return dict(json.loads(ended.stdout))


def least_ssim(result: Path, source: Path, by_hand: str) -> float:
    """How alike the picture of `result` and the first one of `source` are in that frame where they are it least.

    `by_hand`: the filters that make of the source, as it is stored, what the result should show. Frames are counted.
    """
    counted = "settb=1/1000,setpts=N"
    graph = f"[1:v:0]{by_hand},format=yuv420p,{counted}[w];[0:v]{counted}[g];[g][w]ssim=stats_file=-"
    inputs = [word for path in (result, source) for word in ("-noautorotate", "-i", f"file:{path}")]
    command = ["ffmpeg", "-v", "error", "-nostdin", *inputs, "-filter_complex", graph, "-f", "null", "-"]
    ended = subprocess.run(command, capture_output=True, check=True, text=True)
    return min(float(found) for found in re.findall(r"All:([\d.]+)", ended.stdout))
