"""Numbers about the API and the queue, for Prometheus. Labels are words of our own: no name, id or address."""

from __future__ import annotations

import asyncio
import time

from aiohttp import web
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics, generate_latest

from encoder import errors
from encoder.queue.watch import Watcher
from encoder.store.fleet import QueueDepth
from encoder.store.protocol import Jobs

COUNT_AGAIN_S = 10.0  # the queue is counted at most so often, however many scrape
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)

disable_created_metrics()  # type: ignore[no-untyped-call]  # the library has no annotation here


class HttpMetrics:
    """Requests, by method, route template and status."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._requests = Counter(
            "encoder_http_requests_total", "Requests answered.", ["method", "route", "code"], registry=registry
        )
        self._seconds = Histogram(
            "encoder_http_request_duration_seconds",
            "Time to the answer; streams and transfers are not in it.",
            ["route"],
            buckets=_BUCKETS_S,
            registry=registry,
        )
        self.in_flight = Gauge("encoder_http_in_flight", "Requests being answered.", registry=registry)

    def count(self, request: web.Request, response: web.StreamResponse, seconds: float) -> None:
        route = route_of(request)
        method = request.method if request.method in {"GET", "HEAD", "POST", "PUT", "DELETE"} else "other"
        self._requests.labels(method, route, str(response.status)).inc()
        if isinstance(response, web.Response):
            self._seconds.labels(route).observe(seconds)


class QueueMetrics:
    """What waits and runs, as the database has it. One per process: it remembers when it last looked."""

    def __init__(self, store: Jobs, registry: CollectorRegistry) -> None:
        self._store = store
        self._registry = registry
        self._tasks = Gauge("encoder_queue_tasks", "Tasks, counted to 10,000.", ["queue", "state"], registry=registry)
        self._oldest = Gauge(
            "encoder_queue_oldest_seconds",
            "Age of the oldest waiting or ready task; 0 without one.",
            ["queue"],
            registry=registry,
        )
        self._looked_at = float("-inf")
        self._looking = asyncio.Lock()

    async def text(self) -> bytes:
        """Everything in the registry. While the database is away, the queue's numbers are left out."""
        async with self._looking:
            if time.monotonic() - self._looked_at >= COUNT_AGAIN_S:
                await self._look()
        return generate_latest(self._registry)

    async def _look(self) -> None:
        try:
            depths = (await self._store.stats(None)).queues
        except errors.StoreUnavailable:
            self._tasks.clear()
            self._oldest.clear()
            return
        self._looked_at = time.monotonic()
        for depth in depths:
            self._set(depth)

    def _set(self, depth: QueueDepth) -> None:
        self._tasks.labels(depth.queue, "waiting").set(depth.waiting)
        self._tasks.labels(depth.queue, "ready").set(depth.ready)
        self._tasks.labels(depth.queue, "scheduled").set(depth.scheduled)
        self._tasks.labels(depth.queue, "running").set(depth.running)
        self._oldest.labels(depth.queue).set(depth.oldest_seconds or 0)


class IngestMetrics:
    """What was told of objects, by who told it and what became of it: a job, by each rule that took it, or a skip."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._events = Counter(
            "encoder_ingest_events_total", "Events of objects.", ["origin", "result"], registry=registry
        )

    def count(self, origin: str, result: str) -> None:
        self._events.labels(origin, result).inc()


class LiveMetrics:
    """Live streams of this process, as its watcher has them."""

    def __init__(self, watcher: Watcher, registry: CollectorRegistry) -> None:
        streams = Gauge("encoder_live_streams", "Live streams that are open.", ["of"], registry=registry)
        streams.labels("job").set_function(lambda: watcher.job_seats)
        streams.labels("tenant").set_function(lambda: watcher.tenant_seats)
        hears = Gauge("encoder_live_hints", "1 while hints of changes come through.", registry=registry)
        hears.set_function(lambda: watcher.hears)


def route_of(request: web.Request) -> str:
    """The template that a path matched: a label with few values."""
    resource = request.match_info.route.resource
    return resource.canonical if resource else "other"
