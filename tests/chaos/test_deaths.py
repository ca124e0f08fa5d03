"""Workers that are killed, frozen or stopped, and a database that restarts, while a job runs. Lease: 2 s."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from encoder.embedded.postgres import Postgres
from tests.chaos.outage import outage
from tests.lab import audit, media
from tests.lab.databases import ask
from tests.lab.numbers import scraped
from tests.lab.origin import Served
from tests.lab.platform import LEASE_S, Platform, Role, free_port, running, until
from tests.lab.processes import working_in
from tests.lab.put import Shelf
from tests.lab.wire import Exchange, Server

# some seconds of encoding: long enough to be met in the middle; ENDLESS is never waited for
SLOW: dict[str, Any] = {"preset": "h264", "encoderPreset": "veryslow"}
ENDLESS: dict[str, Any] = {**SLOW, "width": 640, "height": 360, "upscale": True}
ENDLESS_S = 120
QUICK: dict[str, Any] = {"preset": "h264", "encoderPreset": "ultrafast", "width": 320, "height": 180}


@asynccontextmanager
async def one_worker(dsn: str, folder: Path) -> AsyncIterator[tuple[Platform, Role]]:
    async with running(dsn, folder) as platform:
        yield platform, platform.roles[-1]


def a_job(folder: Path, *, seconds: float = 12, **output: object) -> dict[str, Any]:
    """`seconds` of the source; small pictures, for the first of them come out early."""
    source = folder / "in.mp4"
    source.write_bytes(media.clip(seconds=seconds).read_bytes())
    return {"source": {"kind": "file", "path": str(source)}, "outputs": [output or QUICK]}


async def test_a_worker_killed_while_it_fetches_is_replaced(dsn: str, tmp_path: Path) -> None:
    """L4: the source is read again, from the beginning."""
    data = media.clip().read_bytes()
    met = asyncio.Event()

    async def half_then_silence(exchange: Exchange) -> None:
        if met.is_set():
            await Served(data=data)(exchange)
            return
        await exchange.head(200, {"Content-Length": str(len(data))})
        await exchange.write(data[: len(data) // 2])
        met.set()
        await exchange.until_closed()

    async with (
        one_worker(dsn, tmp_path) as (platform, worker),
        Server(scripts={"/in": half_then_silence}) as origin,
    ):
        job_id = await platform.submit({"source": {"kind": "http", "url": origin.url("/in")}, "outputs": [QUICK]})
        await met.wait()
        await worker.kill()
        await platform.start("worker")
        job = await platform.ended(job_id)
        assert (job["status"], job["outputs"][0]["attempts"]) == ("completed", 2)
        await audit.audit(platform, delivered=platform.storage)


async def test_a_worker_killed_while_it_encodes_leaves_no_ffmpeg_and_is_replaced(dsn: str, tmp_path: Path) -> None:
    """L7: ffmpeg dies with its worker; the next start sweeps the folder and encodes again."""
    async with one_worker(dsn, tmp_path) as (platform, worker):
        job_id = await platform.submit(a_job(tmp_path, **SLOW))
        await encoding(platform, job_id)
        await worker.kill()
        await until(lambda: no_ffmpeg(platform), within_s=2)
        await platform.start("worker")
        job = await platform.ended(job_id)
        assert (job["status"], job["outputs"][0]["attempts"]) == ("completed", 2)
        await audit.audit(platform, delivered=platform.storage)


async def test_a_worker_that_is_started_again_after_a_crash_does_not_wait_for_its_own_lease(
    dsn: str, tmp_path: Path
) -> None:
    """Known deaths: its folder tells that the one before is dead, and what it was at. No lease ends in this test."""
    port = free_port()
    async with running(dsn, tmp_path, ENCODER_LEASE_SECONDS="3600", ENCODER_METRICS_PORT=str(port)) as platform:
        job_id = await platform.submit(a_job(tmp_path, **SLOW))
        await encoding(platform, job_id)
        await platform.roles[-1].kill()
        await platform.start("worker")
        job = await platform.ended(job_id)
        assert (job["status"], job["outputs"][0]["attempts"]) == ("completed", 2)
        assert (await task_row(platform, job_id))["lost"] == 1
        assert await lost(platform) == [(job_id, "waiting")]
        numbers = await scraped(f"http://127.0.0.1:{port}")
        assert numbers.sum("encoder_tasks_settled_total", kind="transcode", outcome="lost") == 1
        await audit.audit(platform, delivered=platform.storage)


async def test_a_worker_killed_on_another_machine_is_replaced_when_its_lease_has_run_out(
    dsn: str, tmp_path: Path
) -> None:
    """G5: nobody here can know of its death."""
    async with one_worker(dsn, tmp_path) as (platform, worker):
        job_id = await platform.submit(a_job(tmp_path, **SLOW))
        await encoding(platform, job_id)
        await worker.kill()
        await platform.start("worker", ENCODER_SCRATCH_DIR=str(tmp_path / "elsewhere"))
        job = await platform.ended(job_id)
        assert (job["status"], job["outputs"][0]["attempts"]) == ("completed", 2)
        assert await lost(platform) == [(job_id, "waiting")]
        back = await platform.start("worker")  # on the first machine
        await until(lambda: swept(platform), within_s=20)
        back.signal(signal.SIGTERM)
        assert await back.ended(within_s=20) in {0, 128 + signal.SIGTERM}  # it may not be up yet
        await audit.audit(platform, delivered=platform.storage)


async def test_a_worker_killed_while_it_uploads_is_replaced_and_the_object_stands_once(
    dsn: str, tmp_path: Path
) -> None:
    """L9: what was half sent never becomes visible; the next attempt sends all of it."""
    met = asyncio.Event()

    async def silent_half_way(exchange: Exchange) -> None:
        await exchange.body(1000)
        met.set()
        await exchange.until_closed()

    async with one_worker(dsn, tmp_path) as (platform, worker), Shelf(faults=[silent_half_way]) as shelf:
        destination = {"kind": "http", "url": shelf.url("/out.mp4"), "method": "PUT"}
        job_id = await platform.submit(a_job(tmp_path, **QUICK, destination=destination))
        await met.wait()
        await worker.kill()
        await platform.start("worker")
        job = await platform.ended(job_id)
        assert job["status"] == "completed"
        assert shelf.digests() == {"/out.mp4": job["outputs"][0]["sha256"]}
        await audit.audit(platform)


@pytest.mark.both_databases
async def test_a_worker_frozen_past_its_lease_wakes_as_a_zombie_that_changes_no_row(dsn: str, tmp_path: Path) -> None:
    """L15: another worker ends the task; the zombie's writes match nothing and its ffmpeg is gone."""
    async with one_worker(dsn, tmp_path) as (platform, zombie):
        job_id = await platform.submit(a_job(tmp_path, seconds=16, **SLOW))
        await encoding(platform, job_id)
        zombie.signal(signal.SIGSTOP)
        await platform.start("worker")
        await until(lambda: task_is(platform, job_id, epoch=2), within_s=15 * LEASE_S)
        zombie.signal(signal.SIGCONT)
        job = await platform.ended(job_id)
        assert job["status"] == "completed"
        zombie.signal(signal.SIGTERM)
        assert await zombie.ended() == 0
        await audit.audit(platform, delivered=platform.storage)


async def test_sigterm_in_an_encode_gives_the_task_back_uncharged(dsn: str, tmp_path: Path) -> None:
    """G10, O3: by its ETA, long before the grace is over; ffmpeg gone, the folder gone, exit code 0."""
    async with running(dsn, tmp_path, ENCODER_DRAIN_SECONDS="20") as platform:
        worker = platform.roles[-1]
        job_id = await platform.submit(a_job(tmp_path, seconds=ENDLESS_S, **ENDLESS))
        await encoding(platform, job_id)
        worker.signal(signal.SIGTERM)
        assert await worker.ended(within_s=10) == 0
        row = await task_row(platform, job_id)
        assert (row["state"], row["attempt"], row["released"]) == ("waiting", 0, 1)
        assert await no_ffmpeg(platform)
        assert [path.name for path in platform.scratch.glob("*/*")] == ["lock"]  # the API's own
        await platform.call("POST", f"/jobs/{job_id}/cancel")
        assert (await platform.job(job_id))["status"] == "cancelled"


async def test_a_second_sigterm_gives_back_at_once(dsn: str, tmp_path: Path) -> None:
    """O4."""
    async with running(dsn, tmp_path, ENCODER_DRAIN_SECONDS="3600") as platform:
        worker = platform.roles[-1]
        job_id = await platform.submit(a_job(tmp_path, seconds=ENDLESS_S, **ENDLESS))
        await encoding(platform, job_id)
        worker.signal(signal.SIGTERM)
        await until(lambda: draining(platform), within_s=5)
        worker.signal(signal.SIGTERM)
        assert await worker.ended(within_s=10) == 0
        assert (await task_row(platform, job_id))["released"] == 1


async def test_sigterm_lets_work_end_that_ends_within_the_grace(dsn: str, tmp_path: Path) -> None:
    """O2."""
    async with running(dsn, tmp_path, ENCODER_DRAIN_SECONDS="600") as platform:
        job_id = await platform.submit(a_job(tmp_path, **SLOW))
        await encoding(platform, job_id)
        platform.roles[-1].signal(signal.SIGTERM)
        assert await platform.roles[-1].ended(within_s=90) == 0
        assert (await platform.job(job_id))["status"] == "completed"
        await audit.audit(platform, delivered=platform.storage)


async def test_sigterm_while_it_publishes_waits_until_that_is_recorded(dsn: str, tmp_path: Path) -> None:
    """O5: though there is no grace. What is left to do, which is little, is given back."""
    met = asyncio.Event()

    async def slow(exchange: Exchange) -> None:
        half = await exchange.body(1000)
        met.set()
        await asyncio.sleep(0.5)
        rest = await exchange.body(int(exchange.request.headers["content-length"]) - len(half))
        shelf.objects["/out.mp4"] = half + rest
        await exchange.answer(201)

    async with running(dsn, tmp_path, ENCODER_DRAIN_SECONDS="0") as platform, Shelf(faults=[slow]) as shelf:
        worker = platform.roles[-1]
        place = {"kind": "http", "url": shelf.url("/out.mp4"), "method": "PUT"}
        job_id = await platform.submit(a_job(tmp_path, **QUICK, destination=place))
        await met.wait()
        worker.signal(signal.SIGTERM)
        assert await worker.ended(within_s=10) == 0
        (output,) = (await platform.job(job_id))["outputs"]
        assert (output["status"], output["sha256"]) == ("uploaded", shelf.digests()["/out.mp4"])
        assert (await task_row(platform, job_id))["attempt"] == 0


async def test_an_idle_worker_ends_at_once(dsn: str, tmp_path: Path) -> None:
    """O1."""
    async with one_worker(dsn, tmp_path) as (platform, worker):
        await until(lambda: workers(platform), within_s=10)
        worker.signal(signal.SIGTERM)
        assert await worker.ended(within_s=5) == 0
        assert not await workers(platform)


async def test_an_impatient_operator_does_not_turn_a_good_end_into_a_death(dsn: str, tmp_path: Path) -> None:
    """O1. Seen to fail (exit code -15) when signals take their default again while Python ends."""
    async with one_worker(dsn, tmp_path) as (platform, worker):
        await until(lambda: workers(platform), within_s=10)
        ended = asyncio.ensure_future(worker.ended(within_s=10))
        while not ended.done():
            with suppress(ProcessLookupError):  # asyncio's own way would look for its end, and take it from the waiter
                os.kill(worker.process.pid, signal.SIGTERM)
            await asyncio.sleep(0.001)
        assert await ended == 0


async def test_a_cancel_reaches_ffmpeg_in_under_a_second(dsn: str, tmp_path: Path) -> None:
    """G11, O9."""
    # no beat brings the cancel by chance
    async with running(dsn, tmp_path, ENCODER_LEASE_SECONDS="60", ENCODER_PROGRESS_SECONDS="5") as platform:
        await asyncio.sleep(1)  # the ear proves itself; without it the next beat would bring the cancel
        job_id = await platform.submit(a_job(tmp_path, seconds=ENDLESS_S, **ENDLESS))
        await encoding(platform, job_id)
        status, _ = await platform.call("POST", f"/jobs/{job_id}/cancel")
        assert status == 202
        await until(lambda: no_ffmpeg(platform), within_s=1)
        job = await platform.ended(job_id)
        assert job["status"] == "cancelled"
        assert (await platform.call("POST", f"/jobs/{job_id}/cancel"))[0] == 409
        await until(lambda: settled(platform), within_s=5)
        await audit.audit(platform)


async def test_a_database_restart_in_an_encode_loses_nothing_and_repeats_nothing(tmp_path: Path) -> None:
    """K5, G8: the lease is kept over an outage longer than itself, and no second attempt begins."""
    tmp_path.chmod(0o755)
    postgres = Postgres(tmp_path / "db", port=0)
    dsn = await postgres.start()
    try:
        async with one_worker(dsn, tmp_path) as (platform, _worker):
            job_id = await platform.submit(a_job(tmp_path, seconds=24, **SLOW))
            await encoding(platform, job_id)
            await postgres.stop()
            await postgres.start()
            await until(lambda: answers(platform), within_s=20)
            job = await platform.ended(job_id)
            assert (job["status"], job["outputs"][0]["attempts"]) == ("completed", 1)
            row = await task_row(platform, job_id)
            assert (row["epoch"], row["lost"]) == (1, 0)
            await audit.audit(platform, delivered=platform.storage)
    finally:
        await postgres.stop()


async def test_a_worker_cut_off_longer_than_its_lease_freezes_its_ffmpeg_and_goes_on_with_it(tmp_path: Path) -> None:
    """K1, K4, G7, G8: it stops itself, is not rescued by anybody on the database's return, and loses nothing.

    Nobody has a reason to start anything again meanwhile, or to send callers elsewhere: they are told when to come.
    """
    seen = await outage(tmp_path, on="postgres", seconds=2 * LEASE_S, lease_s=LEASE_S)
    assert (seen.froze, seen.ended) == (True, 0)
    assert (seen.epoch, seen.lost, seen.released) == (1, 0, 0)
    for role in ("API", "worker"):
        assert set(seen.told.statuses[f"{role} /livez"]) | set(seen.told.statuses[f"{role} /readyz?scope=local"]) == {
            200
        }
        assert set(seen.told.statuses[f"{role} /readyz"]) == {503}
    assert set(seen.told.statuses["API /jobs"]) == {503}
    assert seen.told.unsaid == 0


async def test_a_task_that_kills_its_worker_each_time_ends_as_worker_lost(dsn: str, tmp_path: Path) -> None:
    """L16, G9: the third loss ends it, and other work runs meanwhile."""
    async with running(dsn, tmp_path) as platform:
        poison = await platform.submit(a_job(tmp_path, seconds=ENDLESS_S, **ENDLESS))
        for epoch in (1, 2, 3):
            await until(partial(task_is, platform, poison, epoch=epoch), within_s=10 * LEASE_S)
            await encoding(platform, poison)
            await platform.roles[-1].kill()
            await platform.start("worker")
        job = await platform.ended(poison)
        assert (job["status"], job["outputs"][0]["error"]["code"]) == ("failed", "worker_lost")
        other = await platform.submit(a_job(tmp_path, **QUICK))
        assert (await platform.ended(other))["status"] == "completed"
        await audit.audit(platform, delivered=platform.storage)


async def encoding(platform: Platform, job_id: int) -> None:
    """Wait until ffmpeg has made some frames."""

    async def has_begun() -> bool:
        job = await platform.job(job_id)
        return any(output.get("stage") == "encoding" and (output.get("fps") or 0) > 0 for output in job["outputs"])

    await until(has_begun, within_s=60)


async def no_ffmpeg(platform: Platform) -> bool:
    return not list(working_in(platform.scratch))


async def swept(platform: Platform) -> bool:
    """Whether no folder of an attempt is left."""
    return not list(platform.scratch.glob("*/*-*"))


async def answers(platform: Platform) -> bool:
    return (await platform.call("GET", "/readyz"))[0] == 200


async def workers(platform: Platform) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await platform.call("GET", "/workers"))[1]["workers"]
    return found


async def lost(platform: Platform) -> list[tuple[int, str]]:
    """Jobs of the one worker that is told as lost, and how their tasks stood then; it is alive no longer."""
    found = (await platform.call("GET", "/workers?lost=true"))[1]["workers"]
    (worker,) = [worker for worker in found if worker["status"] == "lost"]
    assert worker["id"] not in {alive["id"] for alive in await workers(platform)}
    return [(taken["jobId"], taken["status"]) for taken in worker["taken"]]


async def draining(platform: Platform) -> bool:
    return any(worker["draining"] for worker in await workers(platform))


async def settled(platform: Platform) -> bool:
    return await ask(platform.dsn, "SELECT count(*) FROM task_leases") == [(0,)]


async def task_row(platform: Platform, job_id: int) -> dict[str, Any]:
    columns = ("id", "state", "epoch", "attempt", "lost", "released")
    query = f"SELECT {', '.join(columns)} FROM tasks WHERE job_id = {job_id} AND kind = 'transcode'"  # noqa: S608  # ours
    (row,) = await ask(platform.dsn, query)
    return dict(zip(columns, row, strict=True))


async def task_is(platform: Platform, job_id: int, *, epoch: int) -> bool:
    row = await task_row(platform, job_id)
    return (row["state"], row["epoch"]) == ("running", epoch)
