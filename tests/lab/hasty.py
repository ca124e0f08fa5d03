"""A role whose jitter always falls on the shortest wait: `python -m tests.lab.hasty ROLE…`."""

from __future__ import annotations

import random
import runpy


def _least(a: float, b: float) -> float:
    return min(a, b)


if __name__ == "__main__":
    random.uniform = _least
    runpy.run_module("encoder", run_name="__main__", alter_sys=True)
