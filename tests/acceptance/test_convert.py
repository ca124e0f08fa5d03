"""One job of the database in a container of its own: that job and no other, by a worker's own rules."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from tests.lab import audit, databases, media
from tests.lab.collector import Collector
from tests.lab.platform import Platform, Role, running
from tests.lab.postgres import Cluster

QUICK = {"preset": "h264", "encoderPreset": "ultrafast", "width": 160, "height": 90}
SLOW = {"preset": "h264", "encoderPreset": "slower", "width": 1280, "height": 720, "upscale": True}


def a_job(folder: Path, *, name: str = "film.mp4", output: dict[str, Any] | None = None) -> dict[str, Any]:
    (folder / name).write_bytes(media.clip(1).read_bytes())
    return {"source": {"kind": "file", "path": str(folder / name)}, "outputs": [output or QUICK]}


async def ended(role: Role) -> tuple[int, dict[str, Any]]:
    """The exit code, and the last line."""
    code = await role.ended(within_s=60)
    return code, json.loads(role.log.read_text().splitlines()[-1])


async def convert(platform: Platform, job_id: int, **environment: str) -> tuple[int, dict[str, Any]]:
    return await ended(await platform.start("convert", str(job_id), **environment))


@pytest.mark.both_databases
async def test_a_container_does_the_job_that_it_was_started_for(dsn: str, tmp_path: Path) -> None:
    """Whatever waits before it. One that has ended is done no more."""
    async with (
        Collector() as collector,
        running(dsn, tmp_path, workers=0, ENCODER_FILE_ROOTS=str(tmp_path)) as platform,
    ):
        other = await platform.submit(a_job(tmp_path))
        job_id = await platform.submit(a_job(tmp_path))
        code, told = await convert(platform, job_id, **collector.environment)
        assert (code, told["status"], told["retry"]) == (0, "COMPLETED", False)
        (attempt,) = collector.named("task transcode")
        assert collector.roles[attempt.span_id] == "convert"
        job = await platform.job(job_id)
        assert [each["sha256"] for each in told["outputs"]] == [job["outputs"][0]["sha256"]]
        assert (await platform.job(other))["status"] == "queued"
        await platform.call("POST", f"/jobs/{other}/cancel")
        code, told = await convert(platform, other)
        assert (code, told["status"]) == (64, "CANCELLED")
    await audit.audit(platform)


async def test_a_container_that_ends_before_its_job_leaves_it_to_the_next(dsn: str, tmp_path: Path) -> None:
    """Told to stop, it gives it back, uncharged; killed, its lease runs out while the next one waits."""
    async with running(dsn, tmp_path, workers=0, ENCODER_FILE_ROOTS=str(tmp_path)) as platform:
        job_id = await platform.submit(a_job(tmp_path, output=SLOW))
        first = await platform.start("convert", str(job_id))
        await platform.reaches(job_id, "encoding")
        begun = time.monotonic()
        first.signal(signal.SIGTERM)
        code, told = await ended(first)
        assert time.monotonic() - begun < 10
        assert (code, told["status"], told["retry"]) == (75, "PROCESSING", True)
        second = await platform.start("convert", str(job_id))
        await platform.reaches(job_id, "encoding")
        await second.kill()
        code, told = await convert(platform, job_id)
        assert (code, told["status"]) == (0, "COMPLETED")
    await audit.audit(platform)


async def test_a_container_makes_no_tables_where_that_is_not_for_roles(cluster: Cluster, tmp_path: Path) -> None:
    async with cluster.empty() as dsn:
        platform = Platform(dsn=dsn, folder=tmp_path, extra={"ENCODER_AUTO_MIGRATE": "false"})
        code, told = await convert(platform, 1)
        assert (code, told["status"], told["code"]) == (71, None, "status_unavailable")
        assert "schema 0" in told["message"]
        assert await databases.rows(dsn) == []
