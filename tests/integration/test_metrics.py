"""The numbers as Prometheus gets them: scraped from real roles at work."""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress
from pathlib import Path

import aiohttp
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from encoder import errors
from encoder.worker.metrics import Transfers
from tests.lab import media
from tests.lab import told as events
from tests.lab.origin import Served, answering
from tests.lab.platform import REPOSITORY, Platform, free_port, running, until
from tests.lab.put import Shelf, refusing_late
from tests.lab.wire import Server

PLUGIN = errors.Transient("warehouse_closed", "in the words of a plug-in")


async def test_a_worker_counts_what_it_moves_and_what_failed_on_the_way(dsn: str, tmp_path: Path) -> None:
    port, clip = free_port(), media.clip().read_bytes()
    async with running(dsn, tmp_path, ENCODER_METRICS_PORT=str(port)) as platform, Server() as origin, Shelf() as shelf:
        origin.scripts["/in.mp4"] = answering(503, then=Served(data=clip))
        shelf.faults = [refusing_late(500, {"Retry-After": "0"})]
        quick = {"preset": "h264", "encoderPreset": "ultrafast", "width": 320, "height": 180}
        outputs = [quick | {"destination": {"kind": "http", "url": shelf.url("/out.mp4")}}, quick | {"width": 160}]
        job = await platform.ended(
            await platform.submit({"source": {"kind": "http", "url": origin.url("/in.mp4")}, "outputs": outputs})
        )
        assert job["status"] == "completed", job
        status, _ = await platform.call("POST", "/ingest/s3", json=events.s3())
        assert status == 200
        numbers = await scraped(f"http://127.0.0.1:{port}")
        away, stored = (output["sizeBytes"] for output in job["outputs"])
        assert numbers["encoder_transfer_bytes_total", "in", "http", None] == len(clip)
        assert numbers["encoder_transfer_bytes_total", "out", "http", None] == 2 * away
        assert numbers["encoder_transfer_bytes_total", "out", "storage", None] == stored
        assert numbers["encoder_transfer_failures_total", "in", "http", "source_unavailable"] == 1
        assert numbers["encoder_transfer_failures_total", "out", "http", "destination_unavailable"] == 1
        assert numbers["encoder_transfer_retries_total", "in", "http", None] == 1
        assert numbers["encoder_transfer_retries_total", "out", "http", None] == 1
        assert numbers["encoder_transfer_seconds_total", "out", "http", None] > 0
        told = {name for name, *_ in numbers} | {name for name, *_ in await scraped(platform.url)}
        assert told == documented()


async def scraped(url: str) -> dict[tuple[str | None, ...], float]:
    """Each number by name, direction, kind and code; names without what histograms add."""
    async with aiohttp.ClientSession() as session, session.get(f"{url}/metrics") as response:
        assert response.status == 200
        families = list(text_string_to_metric_families(await response.text()))
    return {
        (
            family.name + "_total" * (family.type == "counter"),
            *(sample.labels.get(name) for name in LABELS),
        ): sample.value
        for family in families
        for sample in family.samples
    }


LABELS = ("direction", "kind", "code")


def documented() -> set[str]:
    return set(
        re.findall(r"^\| `(encoder_\w+)`", (REPOSITORY / "docs" / "reference" / "metrics.md").read_text(), re.MULTILINE)
    )


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
    registry = CollectorRegistry()
    transfers = Transfers(registry, clock=lambda: 0.0)
    with transfers.transfer("out", "other") as tally:
        tally.failed(PLUGIN, again=False)
    labels = {"direction": "out", "kind": "other", "code": "other"}
    assert registry.get_sample_value("encoder_transfer_failures_total", labels) == 1
