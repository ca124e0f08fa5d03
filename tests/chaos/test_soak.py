"""A short soak: what `make chaos` does for half an hour. Its figures are in docs/why/reliability.md."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos.soak import soak
from tests.lab import mariadb
from tests.lab.databases import BOTH

SEED = 2776  # first sessions are ended, then the database stops at once, then a worker dies


@pytest.mark.timeout(240)  # a job that stands still is named after a minute
@pytest.mark.parametrize("database", BOTH)
async def test_under_random_faults_no_job_is_lost_and_none_is_done_twice(database: str, tmp_path: Path) -> None:
    """V1–V12; G2, G3, G5, G8; K9, K13, M6"""
    if database == "mariadb" and (absence := mariadb.absence()) is not None:
        pytest.skip(absence)
    figures = await soak(tmp_path, on=database, seconds=10, seed=SEED, workers=2)
    assert figures.wrong == []
    assert figures.callers["completed"] > 0
    assert sum(figures.faults.values()) > 3
    assert figures.looks > 0
