"""Traces told to a collector by OTLP over HTTP: OpenTelemetry's SDK behind `tracing`. Needs the extra `otel`.

Where to, by which headers, how much: the variables `OTEL_*` that the SDK reads itself.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import (
    ALWAYS_OFF,
    ALWAYS_ON,
    ParentBased,
    Sampler,
    SamplingResult,
    TraceIdRatioBased,
)
from opentelemetry.trace import Link, SpanKind, Status, StatusCode, TraceState
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.types import Attributes

from encoder.tracing import Facts, Kind, code_of

RATIO = 0.1  # of the traces are kept, where OTEL_TRACES_SAMPLER says nothing else

_KINDS = {kind: SpanKind[kind.name] for kind in Kind}
_TRACE_CONTEXT = TraceContextTextMapPropagator()


class Otel:
    """`tracing.Tracer` on a provider of the SDK."""

    def __init__(self, provider: TracerProvider) -> None:
        self._provider = provider
        self._tracer = provider.get_tracer("encoder")

    @classmethod
    def of_process(cls, *, role: str, version: str, host: str, processor: SpanProcessor | None = None) -> Otel:
        """What a role tells its spans to. `processor`: in place of the one that sends them off."""
        named = {} if "OTEL_SERVICE_NAME" in os.environ else {"service.name": "encoder"}
        resource = Resource.create({**named, "service.version": version, "host.name": host, "encoder.role": role})
        sampler = None if "OTEL_TRACES_SAMPLER" in os.environ else _sampler()
        provider = TracerProvider(resource=resource, sampler=sampler, shutdown_on_exit=False)
        provider.add_span_processor(processor or BatchSpanProcessor(OTLPSpanExporter()))
        return cls(provider)

    @contextmanager
    def span(
        self, name: str, kind: Kind, facts: Facts, *, caller: str | None, links: Sequence[str] | None
    ) -> Iterator[None]:
        around: Context | None = None
        if links is not None:
            around = Context()  # a trace of its own
        elif caller is not None:
            around = _TRACE_CONTEXT.extract({"traceparent": caller})
        with self._tracer.start_as_current_span(
            name,
            context=around,
            kind=_KINDS[kind],
            attributes=facts,
            links=[Link(context) for each in links or () if (context := _context(each)).is_valid],
            record_exception=False,  # messages stay in the log
            set_status_on_exception=False,
        ):
            try:
                yield
            except BaseException as error:
                self.failed(code_of(error))
                raise

    def note(self, facts: Facts) -> None:
        trace.get_current_span().set_attributes(facts)

    def failed(self, code: str) -> None:
        now = trace.get_current_span()
        now.set_attribute("error.type", code)
        now.set_status(Status(StatusCode.ERROR))

    def traceparent(self) -> str | None:
        carrier: dict[str, str] = {}
        _TRACE_CONTEXT.inject(carrier)
        return carrier.get("traceparent")

    def trace_id(self) -> str | None:
        context = trace.get_current_span().get_span_context()
        return trace.format_trace_id(context.trace_id) if context.is_valid and context.trace_flags.sampled else None

    def close(self) -> None:
        """Send off what is left; blocks for as long as that takes, at most some seconds."""
        self._provider.shutdown()


class _AsLinked(Sampler):
    """Keeps a trace if that which it follows was kept, so that a job's calls and attempts are found together."""

    def __init__(self, first: Sampler) -> None:
        self._first = first

    def should_sample(
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        trace_state: TraceState | None = None,
    ) -> SamplingResult:
        chosen = self._first
        if links:
            chosen = ALWAYS_ON if links[0].context.trace_flags.sampled else ALWAYS_OFF
        return chosen.should_sample(parent_context, trace_id, name, kind, attributes, links, trace_state)

    def get_description(self) -> str:
        return f"AsLinked{{{self._first.get_description()}}}"


def _sampler() -> Sampler:
    """Callers do not decide how much we keep: theirs are chosen by the same share."""
    share = TraceIdRatioBased(RATIO)
    return ParentBased(_AsLinked(share), remote_parent_sampled=share)


def _context(traceparent: str) -> trace.SpanContext:
    return trace.get_current_span(_TRACE_CONTEXT.extract({"traceparent": traceparent})).get_span_context()
