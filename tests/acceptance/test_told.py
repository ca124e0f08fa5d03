"""What an operator hears of a job: its traces at a collector, its lines in the log."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from encoder import __version__
from tests.lab import media
from tests.lab.collector import Collector
from tests.lab.hook import Hook
from tests.lab.origin import Served
from tests.lab.platform import Platform, running, until
from tests.lab.wire import Server

pytestmark = pytest.mark.both_databases

CALLER = "0123456789abcdef0000000000000001"  # a trace that one of ten is chosen by: its lower half is small
SECRET = "s3cret"  # in a query, a header and the name of a file: nobody is told

STAGES = {"fetch", "probe", "plan", "encode", "verify", "deliver", "settle"}


def _facts(span: Span) -> dict[str, Any]:
    return {each.key: getattr(each.value, each.value.WhichOneof("value") or "") for each in span.attributes}


def _links(span: Span) -> list[bytes]:
    return [link.span_id for link in span.links]


def _lines(platform: Platform) -> Iterator[dict[str, Any]]:
    for role in platform.roles:
        yield from map(json.loads, role.log.read_text().splitlines())


async def test_a_job_is_traced_from_its_call_to_its_webhook_and_told_in_the_log(dsn: str, tmp_path: Path) -> None:
    async with Collector() as collector, Hook() as hook:
        clip, cut = media.clip().read_bytes(), media.clip().read_bytes()[:2000]
        async with (
            Server(scripts={f"/{SECRET}.mp4": Served(data=clip), "/cut.mp4": Served(data=cut)}) as origin,
            running(
                dsn,
                tmp_path,
                ENCODER_TRACES="otlp",
                OTEL_EXPORTER_OTLP_ENDPOINT=collector.url("").rstrip("/"),
                OTEL_BSP_SCHEDULE_DELAY="100",
            ) as platform,
        ):
            source = {"kind": "http", "url": origin.url(f"/{SECRET}.mp4?sig={SECRET}"), "headers": {"X-Token": SECRET}}
            output = {"preset": "h264", "height": 180, "encoderPreset": "ultrafast"}
            job = {"source": source, "outputs": [output], "notificationUrl": hook.url(f"/told?token={SECRET}")}
            job_id = await platform.submit(job, traceparent=f"00-{CALLER}-00000000000000aa-01")
            done = await platform.ended(job_id)
            assert done["status"] == "completed", done
            broken = {**job, "source": {"kind": "http", "url": origin.url("/cut.mp4")}}
            failed_id = await platform.submit(broken, traceparent=f"00-{CALLER}-00000000000000aa-01")
            assert (await platform.ended(failed_id))["status"] == "failed"

            async def all_told() -> bool:
                return len(collector.named("notify")) >= 7 and len(collector.named("task transcode")) >= 2

            await until(all_told, within_s=20)
            asked = [*origin.seen, *(told.request for told in hook.told)]
    _see_spans(collector, job_id, failed_id)
    assert asked
    assert [request for request in asked if {"traceparent", "tracestate", "baggage"} & request.headers.keys()] == []
    _see_lines(list(_lines(platform)), job_id=job_id, uuid=done["uuid"], failed_id=failed_id)
    assert SECRET not in "".join(role.log.read_text() for role in platform.roles)
    assert SECRET not in str(collector.spans)


def _see_spans(collector: Collector, job_id: int, failed_id: int) -> None:
    calls = collector.named("POST /jobs")
    enqueued = {_facts(span)["encoder.job"]: span for span in collector.named("enqueue")}
    attempts = {_facts(span)["encoder.job"]: span for span in collector.named("task transcode")}
    assert {span.kind for span in calls} == {Span.SPAN_KIND_SERVER}
    assert {span.trace_id.hex() for span in calls} == {CALLER}
    assert {_facts(span)["http.response.status_code"] for span in calls} == {202}
    assert enqueued.keys() == attempts.keys() == {job_id, failed_id}
    assert [enqueued[job_id].kind, attempts[job_id].kind] == [Span.SPAN_KIND_PRODUCER, Span.SPAN_KIND_CONSUMER]
    assert {span.parent_span_id for span in enqueued.values()} == {span.span_id for span in calls}
    for job, attempt in attempts.items():
        assert attempt.trace_id.hex() != CALLER
        assert not attempt.parent_span_id
        assert _links(attempt) == [enqueued[job].span_id]
    assert [collector.roles[enqueued[job_id].span_id], collector.roles[attempts[job_id].span_id]] == ["api", "worker"]
    stages = {span.name for span in collector.spans if span.parent_span_id == attempts[job_id].span_id}
    assert stages == STAGES
    assert attempts[job_id].status.code == Status.STATUS_CODE_UNSET
    assert attempts[failed_id].status.code == Status.STATUS_CODE_ERROR
    (probe,) = (span for span in collector.named("probe") if span.parent_span_id == attempts[failed_id].span_id)
    assert _facts(probe)["error.type"] == _facts(attempts[failed_id])["error.type"] == "source_truncated"
    notified = collector.named("notify")
    assert {span.kind for span in notified} == {Span.SPAN_KIND_CLIENT}
    assert {link for span in notified for link in _links(span)} == {span.span_id for span in enqueued.values()}
    assert {_facts(span)["http.response.status_code"] for span in notified} == {200}


def _see_lines(lines: list[dict[str, Any]], *, job_id: int, uuid: str, failed_id: int) -> None:
    for line in lines:
        assert list(line)[:6] == ["ts", "level", "event", "role", "host", "version"], line
        assert line["version"] == __version__
    assert {line["role"] for line in lines} == {"api", "worker"}
    accepted = {line["job"]: line for line in lines if line["event"] == "job.accepted"}
    assert accepted[job_id]["trace_id"] == CALLER
    assert accepted[job_id].keys() >= {"job_uuid", "tenant", "request_id"}
    settled = {line["job"]: line for line in lines if line["event"] == "task.settled" and line["kind"] == "transcode"}
    line = settled[job_id]
    ids = {"tenant": 1, "job": job_id, "job_uuid": uuid, "run": 1, "attempt": 1}
    assert ids.items() <= line.items()
    assert line.keys() >= {"task", "epoch", "trace_id", "waited_ms", "cpu_seconds", "speed"}
    assert line["stages"].keys() == STAGES
    assert line["outcome"] == "done"
    assert line["bytes_in"] > 1000
    assert line["bytes_out"] > 1000
    assert line["media_seconds"] == pytest.approx(2, abs=0.1)
    assert line["duration_ms"] >= 1000 * max(line["stages"].values()) - 1
    assert {"code": "source_truncated", "class": "permanent", "outcome": "failed"}.items() <= settled[failed_id].items()
    tried = [line for line in lines if line["event"] == "webhook.tried"]
    assert all(line["job_uuid"] and line["task"] for line in tried)
