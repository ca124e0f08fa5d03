"""A job in chunks on a real platform: many workers, one picture; what a retry, a cancel, a signal and a death cost."""

from __future__ import annotations

import asyncio
import json
import shutil
import signal
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from encoder.model.base import Json
from tests.chaos.preempt import Trial, preempt
from tests.lab import audit, media, rgw
from tests.lab.databases import ask
from tests.lab.platform import Platform, Role, running, until
from tests.lab.processes import working_in
from tests.lab.put import Shelf
from tests.lab.rgw import Gateway

SIZE = "192x108"
QUICK: dict[str, Json] = {"preset": "h264", "encoderPreset": "ultrafast", "width": 192, "height": 108, "chunked": True}
SLOW: dict[str, Json] = {"preset": "h264", "encoderPreset": "veryslow", "width": 640, "height": 360, "upscale": True}
SHORT: dict[str, Any] = {"ENCODER_CHUNK_SECONDS": "1"}


def source(folder: Path, seconds: float = 4) -> dict[str, Json]:
    shutil.copy(media.clip(seconds=seconds, size=SIZE, name=f"{seconds:g}.mp4"), folder / "in.mp4")
    return {"kind": "file", "path": str(folder / "in.mp4")}


async def tasks(platform: Platform, job_id: int) -> dict[str, tuple[str, int, int]]:
    """State, attempts and releases by name."""
    rows = await ask(
        platform.dsn,
        f"SELECT name, state, attempt, released FROM tasks WHERE job_id = {job_id} AND kind <> 'notify' ORDER BY name",  # noqa: S608  # a number
    )
    return {name: (state, attempt, released) for name, state, attempt, released in rows}


def chunk_objects(platform: Platform) -> list[Path]:
    return [path for path in platform.storage.rglob("*") if "chunks" in path.parts]


def made_by(worker: Role, kind: str) -> int:
    """How many tasks of a kind it settled."""
    said = [json.loads(line) for line in worker.log.read_text().splitlines() if line.startswith("{")]
    return sum(line["event"] == "task.settled" and line["kind"] == kind for line in said)


async def test_a_picture_in_chunks_is_made_on_all_workers_and_proven_as_any(dsn: str, tmp_path: Path) -> None:
    """Outputs that share a decode share their chunks; a picture of it is made where they are put together."""
    async with running(dsn, tmp_path, workers=2, **SHORT) as platform:
        image: dict[str, Json] = {"container": "jpg", "width": 160}
        outputs = [QUICK, QUICK | {"width": 160, "height": 90}, image]
        job_id = await platform.submit({"source": source(tmp_path), "outputs": outputs})
        job = await platform.ended(job_id)
        assert job["status"] == "completed", job
        names = ["t1", *(f"t1/c{number:04}" for number in range(4)), "t1/join"]
        assert await tasks(platform, job_id) == dict.fromkeys(names, ("done", 1, 0))
        for output in job["outputs"][:2]:
            assert {check["passed"] for check in output["proof"]["checks"]} == {True}
            assert output["frames"] == 120
        assert chunk_objects(platform) == []
        assert all(made_by(worker, "chunk") for worker in platform.roles if worker.log.stem.startswith("worker"))
        events = await ask(dsn, f"SELECT data FROM job_events WHERE job_id = {job_id} AND type = 'task.settled'")  # noqa: S608  # a number
        told = Counter(json.loads(data)["task"] for (data,) in events)
        assert set(told.values()) == {1}
        await audit.audit(platform, delivered=platform.storage)


@pytest.mark.xdist_group("s3")
async def test_chunks_meet_in_a_bucket(dsn: str, tmp_path: Path, s3_server: Gateway) -> None:
    bucket = s3_server.bucket()
    bucket.put("in.mp4", media.clip(seconds=3, size=SIZE, name="3.mp4").read_bytes())
    operator: dict[str, Any] = {
        "AWS_ENDPOINT_URL": s3_server.url,
        "AWS_ACCESS_KEY_ID": rgw.SENTINEL_ID,
        "AWS_SECRET_ACCESS_KEY": rgw.SENTINEL_SECRET,
        "ENCODER_S3_BUCKETS": bucket.name,
        "ENCODER_STORAGE": f"s3://{bucket.name}/encoder",
    }
    async with running(dsn, tmp_path, workers=2, **SHORT, **operator) as platform:
        place = {"kind": "s3", "bucket": bucket.name, "path": "in.mp4"}
        job_id = await platform.submit({"source": place, "outputs": [QUICK]})
        job = await platform.ended(job_id)
        assert job["status"] == "completed", job
        assert len(await tasks(platform, job_id)) == 5
        assert not [key for key in bucket.listed() if "/chunks/" in key]
        assert bucket.open_uploads() == []


async def test_a_retry_after_an_assembly_that_failed_makes_no_chunk_again(dsn: str, tmp_path: Path) -> None:
    """Also where one output of a decode was delivered and another was not; what is gone from the storage is made."""
    async with running(dsn, tmp_path, workers=2, **SHORT) as platform, Shelf(faults=[_refuse]) as shelf:
        refused = QUICK | {"width": 160, "height": 90, "destination": {"kind": "http", "url": shelf.url("/out.mp4")}}
        job_id = await platform.submit({"source": source(tmp_path), "outputs": [QUICK, refused]})
        job = await platform.ended(job_id)
        assert [output["status"] for output in job["outputs"]] == ["uploaded", "failed"], job
        parts = [name for name in await tasks(platform, job_id) if "/c" in name]
        assert len(parts) == 4
        lost = next(path for path in chunk_objects(platform) if path.parent.name == "1" and path.is_file())
        lost.write_bytes(lost.read_bytes()[:-1] + b"x")  # as long, and not the same

        status, _ = await platform.call("POST", f"/jobs/{job_id}/retry")
        assert status == 202
        job = await platform.ended(job_id)
        assert job["status"] == "completed", job
        again = {name: each for name, each in (await tasks(platform, job_id)).items() if name.startswith("t2")}
        assert {name: each[0] for name, each in again.items() if "/c" not in name} == {"t2": "done", "t2/join": "done"}
        assert len(again) <= 3  # a folder tells no checksum beforehand, or it does: then that chunk has a task
        assert "/out.mp4" in shelf.objects
        assert chunk_objects(platform) == []


async def _refuse(exchange: Any) -> None:  # noqa: ANN401  # as scripts take it
    await exchange.body()
    await exchange.answer(403)


async def test_a_cancel_ends_all_workers_within_a_second_and_the_sweep_leaves_no_chunk(
    dsn: str, tmp_path: Path
) -> None:
    """G11"""
    async with running(dsn, tmp_path, workers=2, **SHORT) as platform:
        output = SLOW | {"chunked": True}
        job_id = await platform.submit({"source": source(tmp_path, 12), "outputs": [output]})
        await until(lambda: _two_encode(platform), within_s=60)
        begun = time.monotonic()
        status, _ = await platform.call("POST", f"/jobs/{job_id}/cancel")
        assert status == 202
        while list(working_in(platform.scratch)):
            assert time.monotonic() - begun < 1, list(working_in(platform.scratch))
            await asyncio.sleep(0.01)
        job = await platform.ended(job_id)
        assert job["status"] == "cancelled"
        assert {state for state, _, _ in (await tasks(platform, job_id)).values()} <= {"done", "cancelled"}
        sweep = await platform.start("retention")
        assert await sweep.ended() == 0
        assert chunk_objects(platform) == []
        await audit.audit(platform)


async def _two_encode(platform: Platform) -> bool:
    """Both workers, each at a chunk."""
    return len({command for command in working_in(platform.scratch) if "-progress" in command}) >= 2


async def test_a_worker_that_is_to_stop_gives_its_chunk_back_at_once_and_uncharged(dsn: str, tmp_path: Path) -> None:
    """G10: whatever the grace"""
    async with running(dsn, tmp_path, workers=2, ENCODER_DRAIN_SECONDS="600", **SHORT) as platform:
        output = SLOW | {"encoderPreset": "slow", "chunked": True}
        job_id = await platform.submit({"source": source(tmp_path), "outputs": [output]})
        await until(lambda: _two_encode(platform), within_s=60)
        leaving, staying = platform.roles[1:]
        begun = time.monotonic()
        leaving.signal(signal.SIGTERM)
        assert await leaving.ended(within_s=10) == 0
        assert time.monotonic() - begun < 8
        job = await platform.ended(job_id)
        assert job["status"] == "completed", job
        chunks = [each for name, each in (await tasks(platform, job_id)).items() if "/c" in name]
        assert sum(released for _, _, released in chunks) == 1
        assert {attempt for _, attempt, _ in chunks} == {1}
        assert staying.process.returncode is None
        await audit.audit(platform, delivered=platform.storage)


@pytest.mark.timeout(120)
async def test_what_is_killed_costs_a_chunk_and_changes_no_frame(dsn: str, tmp_path: Path) -> None:
    """The long form, 10 minutes and a death each 15 s, is `make preempt`."""
    output = QUICK | {"encoderPreset": "medium", "width": 640, "height": 360}
    trial = Trial(seconds=4, workers=2, every_s=1.0, kills=1, chunk_s=1, output=output)
    figures = await preempt(tmp_path, trial, dsn=dsn)
    assert (figures.differ, figures.left) == ([], [])
    assert figures.kills > 0
    assert figures.attempts <= figures.chunks + figures.kills
