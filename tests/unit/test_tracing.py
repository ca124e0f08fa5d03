from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from encoder import errors, tracing
from encoder.otel import Otel

KEPT = "00-0123456789abcdef0000000000000001-00000000000000aa-01"
LEFT = "00-0123456789abcdefffffffffffffffff-00000000000000aa-01"


@pytest.fixture
def exporter() -> Iterator[InMemorySpanExporter]:
    """What a process that traces would send off."""
    exporter = InMemorySpanExporter()
    otel = Otel.of_process(role="worker", version="1", host="h", processor=SimpleSpanProcessor(exporter))
    tracing.tell(otel)
    yield exporter
    tracing.tell(None)
    otel.close()


def _spans(exporter: InMemorySpanExporter) -> dict[str, ReadableSpan]:
    return {span.name: span for span in exporter.get_finished_spans()}


async def test_a_span_of_a_task_belongs_to_the_one_that_it_was_started_in(exporter: InMemorySpanExporter) -> None:
    async def stage() -> None:
        with tracing.span("verify", facts={"encoder.output": 1}):
            await asyncio.sleep(0)

    with tracing.span("around", caller=KEPT):
        await asyncio.gather(stage(), stage())
    first, second, around = exporter.get_finished_spans()
    assert around.context is not None
    assert [span.parent and span.parent.span_id for span in (first, second)] == [around.context.span_id] * 2
    assert first.attributes == {"encoder.output": 1}


def test_what_goes_wrong_is_told_by_its_code_and_not_by_its_message(exporter: InMemorySpanExporter) -> None:
    with pytest.raises(errors.Permanent), tracing.span("fetch", caller=KEPT):
        raise errors.Permanent("source_denied", "The server of holiday.mp4 refuses.")
    span = _spans(exporter)["fetch"]
    assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, None)
    assert span.attributes == {"error.type": "source_denied"}
    assert not span.events


@pytest.mark.parametrize(("after", "kept"), [(KEPT, True), (KEPT[:-1] + "0", False)])
def test_an_attempt_is_kept_if_the_call_was_which_it_follows(
    exporter: InMemorySpanExporter, after: str, kept: bool
) -> None:
    for _ in range(20):  # one of ten would be, of those that follow nothing
        with tracing.attempt("task", tracing.Kind.CONSUMER, {}, after=after):
            pass
    spans = exporter.get_finished_spans()
    assert len(spans) == 20 * kept
    assert len({span.context.trace_id for span in spans if span.context}) == len(spans)
    assert all(span.parent is None and span.links[0].context.span_id == 0xAA for span in spans)


@pytest.mark.parametrize("after", [None, 7, "", "nonsense", "00-" + "0" * 32 + "-" + "0" * 16 + "-01"])
def test_an_attempt_that_follows_nothing_is_linked_to_nothing(exporter: InMemorySpanExporter, after: object) -> None:
    for _ in range(200):
        with tracing.attempt("task", tracing.Kind.CONSUMER, {}, after=after):
            pass
    spans = exporter.get_finished_spans()
    assert 0 < len(spans) < 100
    assert all(not span.links for span in spans)


def test_a_caller_does_not_decide_that_its_trace_is_kept(exporter: InMemorySpanExporter) -> None:
    for name, caller in (("kept", KEPT), ("left", LEFT)):
        with tracing.span(name, tracing.Kind.SERVER, caller=caller):
            assert (tracing.traceparent() or "").endswith("-01" if name == "kept" else "-00")
    assert _spans(exporter).keys() == {"kept"}


def test_while_traces_are_off_nothing_is_told_and_no_library_is_loaded() -> None:
    assert tracing.traceparent() is None
    assert tracing.trace_id() is None
    with tracing.span("a"), tracing.attempt("b", tracing.Kind.CONSUMER, {}, after=KEPT):
        tracing.note({"x": 1})
        tracing.failed("source_denied")
    loaded = (
        "import encoder.roles.serve, sys; print([name for name in sys.modules if name.startswith('opentelemetry')])"
    )
    said = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True)
    assert said.stdout == "[]\n"
