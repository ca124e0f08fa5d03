"""The restore drill in its quick form: what `make drill` does with more jobs. docs/operate/restore.md has its times."""

from __future__ import annotations

from pathlib import Path

import pytest

from encoder.store.restored import LEAP
from tests.chaos.restore import drill

pytestmark = pytest.mark.timeout(240)  # six roles start one after the other


async def test_a_worker_that_was_frozen_over_a_restore_changes_no_row_and_no_object(tmp_path: Path) -> None:
    """No epoch, and no number of a job, is given twice."""
    found = await drill(tmp_path, after=2, seconds=4)
    assert "1 given back" in found.said
    assert found.epoch == LEAP + 2  # claimed before the moment, and once since
    assert found.next_job > max(found.lost) + LEAP // 2
