"""Two jobs that each fit a machine, and do not fit beside each other: the second waits, says why, and completes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.lab import audit, media
from tests.lab.platform import Platform, running, until


async def _predicted(platform: Platform, body: dict[str, Any]) -> dict[str, int]:
    status, preview = await platform.call("POST", "/jobs?dryRun=true", json=body)
    assert status == 200, preview
    return dict(preview["outputs"][0]["estimate"])


@pytest.mark.parametrize("what", ["scratch", "memory"])
async def test_work_that_does_not_fit_waits_and_says_for_what(dsn: str, tmp_path: Path, what: str) -> None:
    """M1"""
    clip = media.clip(seconds=4, size="640x360", name="budget.mp4").read_bytes()
    (tmp_path / "clip.mp4").write_bytes(clip)
    source = {"kind": "file", "path": str(tmp_path / "clip.mp4")}
    body = {"source": source, "outputs": [{"preset": "h264", "encoderPreset": "veryslow"}]}
    async with running(dsn, tmp_path, workers=0) as platform:
        need = (await _predicted(platform, body))[f"{what}Bytes"]
        limit = {
            "scratch": {"ENCODER_SCRATCH_BYTES": str(len(clip) + int(need * 1.2))},
            "memory": {"ENCODER_MEMORY_BYTES": str(need * 3)},  # of so little encoders have half
        }
        await platform.start("worker", ENCODER_WORKER_SLOTS="2", **limit[what])
        jobs = [await platform.submit(body) for _ in range(2)]
        seen: list[dict[str, Any]] = []

        async def one_waits() -> bool:
            seen[:] = [await platform.job(job) for job in jobs]
            return any((job["waitingFor"] or {}).get("reason") == what for job in seen)

        await until(one_waits, within_s=30)
        (waits,) = (job for job in seen if (job["waitingFor"] or {}).get("reason") == what)
        assert "are free beside other work" in waits["waitingFor"]["detail"]
        assert waits["outputs"][0]["stage"] == "waiting"
        for job in jobs:
            ended = await platform.ended(job)
            assert ended["status"] == "completed", json.dumps(ended, indent=1)
            assert ended["outputs"][0]["attempts"] == 1
    await audit.audit(platform, delivered=platform.storage)
