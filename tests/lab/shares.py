"""Budgets of a machine that has room for anything a test may want."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

from encoder.worker.budget import Budget, Share
from encoder.worker.scratch import Scratch


def budget(folder: Path) -> Budget:
    """`folder`: on the disk that it is about."""
    return Budget(Scratch(folder, uuid4()), memory_bytes=1 << 50)


def ample(folder: Path) -> Share:
    """Of whoever writes into `folder`."""
    return Share(budget(folder), folder, lambda _: None)
