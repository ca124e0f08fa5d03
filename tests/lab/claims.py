"""A task in a worker's hands, for tests of what is decided about it."""

from __future__ import annotations

from encoder.model.ids import JobId, TaskId, TenantId
from encoder.store.rows import Claim

CLAIM = Claim(
    task_id=TaskId(7),
    epoch=1,
    job_id=JobId(3),
    tenant_id=TenantId(1),
    kind="transcode",
    queue="encode",
    name="t1",
    attempt=1,
    lost=0,
    released=0,
    max_attempts=3,
    args={},
    waited_seconds=0.0,
)
