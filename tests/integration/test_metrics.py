"""The numbers as Prometheus gets them: scraped from real roles at work."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path

import aiohttp
import asyncpg
import pytest

from encoder import __version__, errors
from encoder.api.scrape import Scrape
from encoder.metrics import fleet
from encoder.metrics.transfer import Transfers
from encoder.model.ids import TenantId
from encoder.store.postgres import VERSION
from encoder.store.protocol import Store
from scripts import numbers
from tests.lab import media, work
from tests.lab import told as events
from tests.lab.databases import is_mysql, run
from tests.lab.numbers import Growth, Numbers, scraped
from tests.lab.origin import Served, answering
from tests.lab.platform import Platform, free_port, running, until
from tests.lab.prometheus import NEEDED, scraping
from tests.lab.promtool import lint
from tests.lab.put import Shelf, refusing_late
from tests.lab.wire import Server

PLUGIN = errors.Transient("warehouse_closed", "in the words of a plug-in")


@NEEDED
async def test_the_roles_tell_what_they_do_and_a_prometheus_understands_them(dsn: str, tmp_path: Path) -> None:
    """A job whose source and destination fail once, one whose source is gone, one that is none."""
    port, clip = free_port(), media.clip().read_bytes()
    async with (
        running(dsn, tmp_path, ENCODER_METRICS_PORT=str(port), ENCODER_TENANT_METRICS="1") as platform,
        Server() as origin,
        Shelf() as shelf,
    ):
        origin.scripts["/in.mp4"] = answering(503, then=Served(data=clip))
        shelf.faults = [refusing_late(500, {"Retry-After": "0"})]
        quick = {"preset": "h264", "encoderPreset": "ultrafast", "width": 320, "height": 180}
        outputs = [quick | {"destination": {"kind": "http", "url": shelf.url("/out.mp4")}}, quick | {"width": 160}]
        source = {"kind": "http", "url": origin.url("/in.mp4")}
        job = await platform.ended(await platform.submit({"source": source, "outputs": outputs}))
        assert job["status"] == "completed", job
        gone = {"source": {"kind": "http", "url": origin.url("/gone.mp4")}, "outputs": [quick]}
        assert (await platform.ended(await platform.submit(gone)))["status"] == "failed"
        assert (await platform.call("POST", "/jobs", json={"source": source}))[0] == 422
        assert (await platform.call("POST", "/ingest/s3", json=events.s3()))[0] == 200
        worker, api = await scraped(f"http://127.0.0.1:{port}"), await scraped(platform.url)
        check_worker(worker, [output["sizeBytes"] for output in job["outputs"]], source_bytes=len(clip))
        check_api(api)
        assert worker.names <= documented()
        assert api.names <= documented()
        assert [await lint(told.text) for told in (worker, api)] == ["", ""]
        targets = {"api": [platform.url.removeprefix("http://")], "worker": [f"127.0.0.1:{port}"]}
        async with scraping(tmp_path / "prometheus", targets, every="200ms") as seen:
            await seen.scraped()
            for expression, value in (
                ('max(encoder_queue_wanted_slots{queue="encode"})', "0"),
                ("sum(encoder_slots) - max(sum by (instance) (encoder_fleet_slots))", "0"),
                ('sum(encoder_tasks_settled_total{kind="transcode", outcome="done"})', "1"),
            ):
                assert [each["value"][1] for each in await seen.ask(expression)] == [value], expression


def check_worker(told: Numbers, sizes: list[int], *, source_bytes: int) -> None:
    away, stored = sizes
    assert told.sum("encoder_transfer_bytes_total", direction="in", scheme="http") == source_bytes
    assert told.sum("encoder_transfer_bytes_total", direction="out", scheme="http") == 2 * away
    assert told.sum("encoder_transfer_bytes_total", direction="out", scheme="storage") >= stored  # and its evidence
    assert told.sum("encoder_transfer_seconds_total", direction="out", scheme="http") > 0
    assert told.sum("encoder_stage_retries_total", stage="fetch", code="source_unavailable") == 1
    assert told.sum("encoder_stage_retries_total", stage="deliver", code="destination_unavailable") == 1
    for stage, outcome, times in (
        ("fetch", "ok", 1),
        ("fetch", "failed", 1),
        ("encode", "ok", 1),
        ("deliver", "ok", 2),
    ):
        assert told.sum("encoder_stage_duration_seconds_count", stage=stage, outcome=outcome) == times, stage
    assert told.sum("encoder_jobs_finished_total", status="completed") == 1
    assert told.sum("encoder_job_duration_seconds_count", status="failed") == 1
    assert told.sum("encoder_outputs_total", codec="h264", result="uploaded") == 2
    assert told.sum("encoder_outputs_total", result="failed") == 1
    assert told.sum("encoder_output_errors_total", code="source_not_found", **{"class": "permanent"}) == 1
    assert told.sum("encoder_tasks_settled_total", queue="encode", outcome="done", **{"class": "none"}) == 1
    assert told.sum("encoder_tasks_settled_total", queue="encode", outcome="failed", **{"class": "permanent"}) == 1
    assert told.sum("encoder_task_wait_seconds_count", queue="encode", kind="transcode") == 2
    assert told.sum("encoder_encode_speed_ratio_count", codec="h264", height="sd") == 1
    assert told.sum("encoder_encoded_media_seconds_total", codec="h264") > 1
    assert told.sum("encoder_ffmpeg_cpu_seconds_total", codec="h264") > 0
    assert told.sum("encoder_ffmpeg_exits_total", reason="ok") > 3
    assert told.sum("encoder_ffmpeg_running") == told.sum("encoder_slots_busy") == 0
    for verb in ("claim", "beat", "mark", "settle"):
        assert told.sum("encoder_queue_verb_total", verb=verb, result="ok") > 0, verb
    assert told.sum("encoder_beat_lateness_seconds_count") > 0
    assert told.sum("encoder_listener_up") == told.sum("encoder_sandbox", layer="no_new_privs") == 1
    assert told.sum("encoder_notify_round_trip_seconds_count") > 0
    assert told.sum("encoder_claims_paused") == told.sum("encoder_draining") == 0
    for number in ("encoder_scratch_bytes", "encoder_memory_bytes"):
        assert told.sum(number, kind="limit") > told.sum(number, kind="used") > 0 or number == "encoder_scratch_bytes"
    assert told.sum("encoder_db_pool_connections", state="limit") == 10
    assert told.sum("encoder_db_pool_wait_seconds_count") > 10
    assert told.sum("encoder_schema_needed") == VERSION


def check_api(told: Numbers) -> None:
    assert told.sum("encoder_http_requests_total", route="/jobs", method="POST", code="202") == 2
    assert told.sum("encoder_http_request_duration_seconds_count", route="/jobs") == 3
    assert 'encoder_http_requests_total{code="500",method="POST",route="/jobs"} 0.0' in told.text
    assert 'encoder_jobs_submitted_total{result="replayed"} 0.0' in told.text
    assert told.sum("encoder_jobs_submitted_total", result="accepted") == 2
    assert told.sum("encoder_jobs_submitted_total", result="rejected") == 1
    assert told.sum("encoder_queue_verb_total", verb="enqueue", result="ok") == 2
    assert told.sum("encoder_ingest_events_total") == 1
    assert told.sum("encoder_fleet_workers", queue="encode") == told.sum("encoder_fleet_versions") == 1
    assert told.sum("encoder_schema_version") == told.sum("encoder_schema_needed") == VERSION
    assert told.sum("encoder_build_info", version=__version__) == 1
    assert "encoder_retention_last_success_timestamp_seconds 0.0" in told.text
    assert "encoder_db_oldest_xmin_seconds" in told.names
    assert told.sum("encoder_db_dead_tuples", table="tasks") >= 0
    assert "encoder_db_dead_tuples" in told.names


def documented() -> set[str]:
    return {each.name for title in numbers.SECTIONS for each in numbers.facts(title)}


async def test_a_worker_lives_answers_nothing_else_and_frees_its_port(dsn: str, tmp_path: Path) -> None:
    port = free_port()
    platform = Platform(dsn=dsn, folder=tmp_path, extra={"ENCODER_METRICS_PORT": str(port)})
    try:
        worker = await platform.start("worker")
        await until(lambda: answers(port), within_s=20)
        async with aiohttp.ClientSession() as session:
            for method, path, status in (
                ("GET", "/livez", 200),
                ("GET", "/readyz", 200),
                ("GET", "/readyz?scope=local", 200),
                ("GET", "/metrics?x=1", 200),
                ("GET", "/", 404),
                ("POST", "/metrics", 405),
            ):
                async with session.request(method, f"http://127.0.0.1:{port}{path}") as response:
                    assert response.status == status
        for nonsense in (b"", b"\r\n\r\n", b"GET", b"x" * 100_000):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            with suppress(ConnectionError):  # what it has not read when it closes is answered with a reset
                writer.write(nonsense)
                writer.write_eof()
                await reader.read()
            writer.close()
        second = await platform.start("worker")
        assert await second.ended() != 0
        assert "ENCODER_METRICS_PORT" in second.log.read_text()
        worker.process.terminate()
        assert await worker.ended() == 0
        assert not await answers(port)
    finally:
        await platform.stop()


async def answers(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except ConnectionError:
        return False
    writer.close()
    return True


def test_words_of_a_plug_in_become_no_labels() -> None:
    grown = Growth("encoder_stage_retries_total", stage="deliver", code="other")
    with Transfers(clock=lambda: 0.0).transfer("out", "other") as tally:
        tally.failed(PLUGIN, again=True)
    assert grown.now == 1


@pytest.mark.both_databases
@pytest.mark.impossible_rows
async def test_what_is_read_of_the_platform_is_there_on_each_database_and_gone_while_it_is_away(
    dsn: str, store: Store
) -> None:
    await work.enqueue(store, hook=work.HOOK, tenant=TenantId(7))
    for tenant in range(30, 51):
        await work.enqueue(store, tenant=TenantId(tenant))
    await store.hello(work.new_worker())
    (claim,) = await work.claim(store, lease=work.PAST)
    await run(dsn, "INSERT INTO swept (what, removed) VALUES ('jobs', 5)")
    for each in (fleet.dead_tuples, fleet.oldest_xmin):  # of a PostgreSQL that this process was told of before
        each.clear()
    scrape = Scrape(store, tenants=True)
    removed = Growth("encoder_retention_removed_total", what="jobs")
    told = Numbers((await scrape.text()).decode())
    assert told.sum("encoder_leases_expired") == told.sum("encoder_fleet_workers", queue="io") == 1
    assert told.sum("encoder_fleet_slots", queue="encode") == 2
    assert told.sum("encoder_queue_tasks", queue="encode", state="running") == 1, claim
    assert told.sum("encoder_queue_wanted_slots", queue="encode") == 1 + 11
    assert told.sum("encoder_webhook_pending") == 1
    assert 0 <= told.sum("encoder_webhook_oldest_seconds") < 60
    assert told.sum("encoder_schema_version") == VERSION
    assert removed.now == 5
    ages = next(each for each in told.families if each.name == "encoder_tenant_oldest_seconds").samples
    assert len({each.labels["tenant"] for each in ages if each.labels["queue"] == "encode"} - {"other"}) == 20
    of_postgres = {"encoder_db_dead_tuples", "encoder_db_oldest_xmin_seconds"} & told.names
    assert len(of_postgres) == (0 if is_mysql(dsn) else 2)
    await store.close()
    away = Scrape(store)
    assert (
        not {"encoder_queue_tasks", "encoder_webhook_pending", "encoder_schema_version"}
        & Numbers((await away.text()).decode()).names
    )


async def test_a_database_that_hangs_holds_up_no_scrape(
    dsn: str, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the process counts itself is told: most wanted just then."""
    monkeypatch.setattr("encoder.api.scrape.LOOK_S", 0.5)
    scrape = Scrape(store)
    assert "encoder_queue_tasks" in Numbers((await scrape.text()).decode()).names
    monkeypatch.setattr("encoder.api.scrape.COUNT_AGAIN_S", 0.0)
    db = await asyncpg.connect(dsn)
    async with db.transaction():
        await db.execute("LOCK TABLE queues")
        async with asyncio.timeout(3):
            told = Numbers((await scrape.text()).decode())
    await db.close()
    assert "encoder_db_pool_connections" in told.names
    assert "encoder_queue_tasks" not in told.names
