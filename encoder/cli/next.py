"""Commands that we tell people to type next: they work as they are printed."""

from __future__ import annotations

import shlex
import shutil
import sys
from pathlib import Path

from encoder.cli.text import clean

DEFAULT_URL = "http://127.0.0.1:8080"


def command(*words: str, url: str = DEFAULT_URL) -> str:
    """`encoder WORDS…` as it must be typed here to reach the server at `url`."""
    at = () if url.rstrip("/") == DEFAULT_URL else ("--url", url)
    return clean(" ".join((program(), *map(shlex.quote, (*words, *at)))))


def program() -> str:
    """`encoder` where the shell finds it, else what this process was started as."""
    if shutil.which("encoder"):
        return "encoder"
    if Path(sys.argv[0]).name == "encoder":
        return shlex.quote(sys.argv[0])
    return f"{shlex.quote(sys.executable)} -m encoder"
