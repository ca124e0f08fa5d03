"""A short soak: what `make chaos` does for half an hour. Its figures are in docs/reliability.md."""

from __future__ import annotations

from pathlib import Path

from tests.chaos.soak import soak


async def test_under_random_faults_no_job_is_lost_and_none_is_done_twice(tmp_path: Path) -> None:
    """V1–V12; G2, G3, G5, G8"""
    figures = await soak(tmp_path, seconds=15, seed=2, workers=2)
    assert figures.wrong == []
    assert figures.callers["completed"] > 0
    assert sum(figures.faults.values()) > 3
    assert figures.looks > 0
