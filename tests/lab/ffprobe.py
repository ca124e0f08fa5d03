"""What ffprobe says of a file: Debian's build, older than the libraries that made and proved it."""

from __future__ import annotations

import json
import os
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
