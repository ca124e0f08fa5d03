"""What the API counts of itself: each call, and who listens."""

from __future__ import annotations

from aiohttp import web

from encoder.metrics import api, queue
from encoder.metrics.family import OTHER
from encoder.queue.watch import Watcher

_CRASHED = "500"  # told of each route from its first call on: to Prometheus, what begins with 1 has not risen
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"})


def count(request: web.Request, response: web.StreamResponse, seconds: float) -> None:
    """One more call that was answered."""
    route = route_of(request)
    method = request.method if request.method in _METHODS else OTHER
    api.requests.of(method, route, _CRASHED)
    api.requests.of(method, route, str(response.status)).inc()
    if isinstance(response, web.Response):
        api.request_seconds.of(route).observe(seconds)


def route_of(request: web.Request) -> str:
    """The template that a path matched: a label with few values."""
    resource = request.match_info.route.resource
    return resource.canonical if resource else OTHER


def begin(watcher: Watcher) -> None:
    """Tell what has not been counted yet, and of the live streams of this process, as its watcher has them."""
    for result in ("accepted", "replayed", "rejected"):
        api.submitted.of(result)
    for code in ("unauthorized", "insufficient_scope"):
        api.refused_callers.of(code)
    for scope in ("reads", "writes", "bad_keys", "jobs"):
        api.rate_limited.of(scope)
    for verb in ("enqueue", "cancel"):
        queue.verbs.of(verb, "error")
    api.streams.of("job").set_function(lambda: watcher.job_seats)
    api.streams.of("tenant").set_function(lambda: watcher.tenant_seats)
    api.stream_hints.of().set_function(lambda: watcher.hears)
