"""A platform that is well wakes nobody: Debian's Prometheus scrapes it and weighs our rules."""

from __future__ import annotations

from pathlib import Path

from tests.lab.calm import calm
from tests.lab.prometheus import NEEDED

pytestmark = NEEDED

ASKED = [  # what rules name by the value of a label, and a worker that is well has
    'encoder_http_requests_total{route="/jobs", code="202"}',
    'encoder_task_wait_seconds_bucket{kind="transcode", le=~"300(\\\\.0)?"}',
    'encoder_tasks_settled_total{outcome="done"}',
    'encoder_webhook_attempts_total{result="delivered"}',
    'encoder_scratch_bytes{kind="used"}',
    'encoder_claims_paused{reason="disk"}',
    'encoder_sandbox{layer="landlock_fs"}',
    'encoder_ffmpeg_exits_total{reason="memory"}',
    "encoder_webhook_exhausted_total",
]


async def test_a_healthy_platform_fires_no_alert_and_has_what_alerts_ask_of(dsn: str, tmp_path: Path) -> None:
    told = await calm(dsn, tmp_path, seconds=0, workers=1, wanted=ASKED)
    assert (told.absent, told.broken, told.fired) == ([], [], [])
    assert set(told.waiting) <= {"RetentionNever"}  # no sweep ran yet, which may be so for three hours
