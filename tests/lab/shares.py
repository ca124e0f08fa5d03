"""A share of a machine that has room for anything a test may want."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

from encoder.worker.budget import Budget, Share
from encoder.worker.scratch import Scratch


def ample(folder: Path) -> Share:
    """Of whoever writes into `folder`."""
    return Share(Budget(Scratch(folder, uuid4()), memory_bytes=1 << 50), folder, lambda _: None)
