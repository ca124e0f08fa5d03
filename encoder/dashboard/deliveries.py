"""What was told to whom, and what they said; and telling it again."""

from __future__ import annotations

from urllib.parse import urlencode

from aiohttp import web

from encoder.api import webhooks
from encoder.api.routes.webhooks import WEBHOOKS
from encoder.dashboard.page import Page, Question, Visit
from encoder.model.event import TELLABLE, EventType
from encoder.model.key import Scope

_HOME = "/ui/webhooks"
_QUERIES = {operation.operation_id: operation.query for operation in WEBHOOKS}
_EVENTS = sorted({*TELLABLE, EventType.ENDPOINT_TEST})
_STATES = ("pending", "delivered", "exhausted", "gone")


async def listed(visit: Visit) -> web.Response:
    """GET /ui/webhooks: newest first, page by page."""
    call = visit.call
    page = await webhooks.page(call)
    asked = {name: str(value) for name, value in call.query.values.items() if name not in {"cursor", "limit"}}
    return visit.show(
        "deliveries.html",
        area="webhooks",
        page=page,
        asked=asked,
        query=urlencode(asked),
        older=urlencode({**asked, "cursor": page.next_cursor}) if page.next_cursor else None,
        endpoints=(await webhooks.every_endpoint(call)).endpoints,
        events=_EVENTS,
        states=_STATES,
    )


async def shown(visit: Visit) -> web.Response:
    """GET /ui/webhooks/{id}."""
    return visit.show(
        "delivery.html",
        area="webhooks",
        delivery=await webhooks.one_delivery(visit.call, visit.request.match_info["id"]),
    )


async def replay(visit: Visit) -> web.Response:
    """POST /ui/webhooks/{id}/replay."""
    await webhooks.again(visit.call, visit.request.match_info["id"])
    return await visit.back("It is told again, under the same webhook-id.")


async def replay_all(visit: Visit) -> web.Response:
    """POST /ui/webhooks/replay: those that the page shows, or that were given up."""
    told = "Each of the newest hundred that match is sent again, under the same webhook-id, by which receivers know it."
    asks = await visit.confirmed(Question(text=told, verb="Tell them again", keep="Leave them"))
    if asks is not None:
        return asks
    done = await webhooks.all_again(visit.call)
    left = f" {done.left} more match." if done.left else ""
    return await visit.back(f"{done.replayed} are told again.{left}", to=f"{_HOME}?{visit.request.query_string}")


PAGES = (
    Page(method="GET", path=_HOME, handler=listed, query=_QUERIES["listDeliveries"]),
    Page(
        method="POST", path=f"{_HOME}/replay", handler=replay_all, scope=Scope.WRITE, query=_QUERIES["replayDeliveries"]
    ),
    Page(method="GET", path=f"{_HOME}/{{id}}", handler=shown),
    Page(method="POST", path=f"{_HOME}/{{id}}/replay", handler=replay, scope=Scope.WRITE),
)
