"""A collector of traces, as OpenTelemetry has them."""

from __future__ import annotations

from dataclasses import dataclass, field

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.lab.wire import Exchange, Server


@dataclass(kw_only=True)
class Collector(Server):
    """Takes traces as a collector does."""

    spans: list[Span] = field(default_factory=list)
    roles: dict[bytes, str] = field(default_factory=dict)  # by span

    async def script(self, exchange: Exchange) -> None:
        told = ExportTraceServiceRequest.FromString(await exchange.body())
        for resource in told.resource_spans:
            about = {each.key: each.value.string_value for each in resource.resource.attributes}
            for scope in resource.scope_spans:
                self.spans += scope.spans
                self.roles |= {span.span_id: about["encoder.role"] for span in scope.spans}
        await exchange.answer(200)

    @property
    def environment(self) -> dict[str, str]:
        """Of a process that is to tell it everything."""
        return {
            "ENCODER_TRACES": "otlp",
            "OTEL_EXPORTER_OTLP_ENDPOINT": self.url("").rstrip("/"),
            "OTEL_TRACES_SAMPLER": "always_on",
        }

    def named(self, name: str) -> list[Span]:
        return [span for span in self.spans if span.name == name]
