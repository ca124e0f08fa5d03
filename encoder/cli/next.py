"""Commands that we tell people to type next: they work as they are printed."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from pathlib import Path

from encoder.cli.text import clean

DEFAULT_URL = "http://127.0.0.1:8080"
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


def command(*words: str, url: str = DEFAULT_URL) -> str:
    """`encoder WORDS…` as it must be typed here to reach the server at `url`."""
    at = () if url.rstrip("/") == DEFAULT_URL else ("--url", url)
    return clean(" ".join((program(), *map(shlex.quote, (*words, *at)))))


def program() -> str:
    """`encoder` where the shell finds it, else what this process was started as.

    The command that `make setup` writes is a shell's script beside our Python: of its own name nothing comes to us.
    """
    if shutil.which("encoder"):
        return "encoder"
    started, beside = Path(sys.argv[0]), Path(sys.executable).with_name("encoder")
    if started.name == "encoder":
        return shlex.quote(sys.argv[0])
    if os.access(beside, os.X_OK):
        home = beside.parent.parent.parent  # of `.venv`
        return shlex.quote(str(beside.relative_to(home) if home == Path.cwd() else beside))
    return f"{shlex.quote(sys.executable)} -m encoder"
