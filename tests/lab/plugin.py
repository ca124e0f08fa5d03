"""A plug-in as somebody would install it: built as a wheel, its files and entry points on the path."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

EXAMPLE = Path(__file__).parents[2] / "examples" / "encoder-webdav"


def installed(target: Path, project: Path = EXAMPLE) -> Path:
    """The folder, to be put on the path. No index is asked: the build backend is here already."""
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(target)]
    subprocess.run(build, cwd=project, check=True, capture_output=True, env={**os.environ, "PYTHONPATH": ""})
    [wheel] = target.glob("*.whl")
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(target / "site")
    return target / "site"
