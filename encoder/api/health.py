"""Whether the server lives, whether it may be sent requests, and its numbers."""

from __future__ import annotations

from aiohttp import web

from encoder import __version__
from encoder.api.answers import HealthAnswer
from encoder.api.operations import Call, Handler, answer
from encoder.api.problems import RETRY_AFTER_S
from encoder.api.scrape import Scrape
from encoder.metrics.family import CONTENT_TYPE
from encoder.model.plan import Note


async def live(call: Call) -> web.Response:
    """GET /livez: this answer, and hearts that beat. Never asks the database, whose outage no restart would mend."""
    return _told(call.parts.fitness.living())


async def ready(call: Call) -> web.Response:
    """GET /readyz and /health: 503 with the reasons while requests would fail, or only where another would do."""
    fitness = call.parts.fitness
    is_local = call.query.get("scope", str) == "local"
    return _told(await (fitness.local() if is_local else fitness.serving()))


def metrics(scrape: Scrape) -> Handler:
    """GET /metrics."""

    async def handle(_call: Call) -> web.Response:
        return web.Response(body=await scrape.text(), headers={"Content-Type": CONTENT_TYPE})

    return handle


def _told(reasons: tuple[Note, ...]) -> web.Response:
    status = 503 if reasons else 200
    headers = {"Retry-After": str(RETRY_AFTER_S)} if reasons else {}
    told = HealthAnswer(status="unavailable" if reasons else "ok", version=__version__, reasons=reasons)
    return answer(told, status=status, headers=headers)
