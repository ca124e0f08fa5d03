"""docs/ as a site, built as `make site` does, without a network where we may take it away."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.lab.pages import ROOT


def build(folder: Path) -> subprocess.CompletedProcess[str]:
    """Zensical over `folder`, which has a `zensical.toml`; the site is its `build/site` (or what that says)."""
    command = [*_alone(), str(Path(sys.executable).with_name("zensical")), "build", "--strict"]
    environment = {**os.environ, "NO_COLOR": "1"}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def made(folder: Path) -> Path:
    """The site of our pages, in a copy below `folder`."""
    shutil.copytree(ROOT / "docs", folder / "docs")
    shutil.copy(ROOT / "zensical.toml", folder)
    built = build(folder)
    assert built.returncode == 0, built.stdout + built.stderr
    return folder / "build" / "site"


@functools.cache
def _alone() -> list[str]:
    """What takes the network away from a command."""
    alone = ["unshare", "--map-root-user", "--net"]
    may = shutil.which("unshare") and subprocess.run([*alone, "true"], capture_output=True, check=False).returncode == 0
    return alone if may else []
