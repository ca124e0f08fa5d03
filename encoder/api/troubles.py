"""What is wrong now, as the strip of every page tells it."""

from __future__ import annotations

from aiohttp import web

from encoder.api import answers_fleet as answers
from encoder.api.lookout import Look, Trouble
from encoder.api.operations import Call, answer

_PAGES = {
    "about": "/ui/settings/about",
    "fleet": "/ui/fleet",
    "queues": "/ui/queues",
    "webhooks": "/ui/webhooks",
}


async def own(call: Call) -> web.Response:
    """GET /troubles: of the caller's tenant."""
    return answer(told(await look(call, operator=False)))


async def every(call: Call) -> web.Response:
    """GET /troubles/all: of the fleet too."""
    return answer(told(await look(call, operator=True)))


async def look(call: Call, *, operator: bool) -> Look:
    """What is wrong for the caller; `operator`: its key has the scope `admin`."""
    return await call.parts.lookout.look(call.parts.store, call.tenant_id, operator=operator)


def told(seen: Look) -> answers.TroublesAnswer:
    return answers.TroublesAnswer(
        at=seen.at,
        troubles=tuple(
            answers.TroubleAnswer(
                code=each.kind,
                message=each.message,
                count=each.count,
                since=each.since,
                page=page_of(each),
            )
            for each in seen.troubles
        ),
    )


def page_of(trouble: Trouble) -> str:
    """Where more is told of it."""
    return _PAGES[trouble.about]
