"""Whether the server lives, whether it may be sent requests, and its numbers."""

from __future__ import annotations

import asyncio

from aiohttp import web

from encoder import __version__, errors
from encoder.api.answers import HealthAnswer
from encoder.api.metrics import CONTENT_TYPE, QueueMetrics
from encoder.api.operations import Call, Handler, answer
from encoder.api.parts import Parts
from encoder.model.plan import Note


async def live(_call: Call) -> web.Response:
    """GET /livez: this very answer is the proof. Never asks the database, whose outage no restart would mend."""
    return answer(HealthAnswer(status="ok", version=__version__))


async def ready(call: Call) -> web.Response:
    """GET /readyz and /health: 503 with the reasons while requests would fail."""
    reasons = await _reasons(call.parts)
    status = 503 if reasons else 200
    headers = {"Retry-After": "5"} if reasons else {}
    told = HealthAnswer(status="unavailable" if reasons else "ok", version=__version__, reasons=reasons)
    return answer(told, status=status, headers=headers)


def metrics(queue: QueueMetrics) -> Handler:
    """GET /metrics."""

    async def handle(_call: Call) -> web.Response:
        return web.Response(body=await queue.text(), headers={"Content-Type": CONTENT_TYPE})

    return handle


async def _reasons(parts: Parts) -> tuple[Note, ...]:
    if parts.stopping.is_set():
        return (Note(code="draining", message="The server is stopping."),)
    try:
        async with asyncio.timeout(parts.limits.ready_s):
            await parts.store.ping()
    except (errors.StoreUnavailable, TimeoutError):
        return (Note(code="database_unavailable", message="The database does not answer."),)
    return ()
