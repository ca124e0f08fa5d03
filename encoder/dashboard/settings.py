"""Settings: how long things are kept, and what this server is."""

from __future__ import annotations

from aiohttp import hdrs, web

from encoder.dashboard.page import Page, Visit
from encoder.model.key import Scope
from encoder.model.policy import SWEPT, told

SWEEPS = 24  # are shown


async def first(_visit: Visit) -> web.Response:
    """GET /ui/settings: the first of them that everybody may see."""
    return web.Response(status=303, headers={hdrs.LOCATION: "/ui/settings/presets"})


async def retention(visit: Visit) -> web.Response:
    """GET /ui/settings/retention: the rules that are for the visitor; to who operates it, what they have done."""
    parts = visit.call.parts
    operates = visit.may(Scope.ADMIN)
    mine = [rule for rule in parts.policy.rules if operates or rule.tenant in {None, visit.call.tenant_id}]
    sweeps = swept = None
    if operates:
        sweeps, swept = await parts.store.sweeps(limit=SWEEPS), await parts.store.swept()
    return visit.show(
        "retention.html",
        area="settings",
        tab="retention",
        limits=parts.limits,
        policy=parts.policy,
        rules=[{"words": told(rule), "hours": rule.hours} for rule in mine],
        sweeps=sweeps,
        swept=swept,
        words=SWEPT,
    )


async def about(visit: Visit) -> web.Response:
    """GET /ui/settings/about."""
    return visit.show("about.html", area="settings", tab="about", parts_of=visit.call.parts)


PAGES = (
    Page(method="GET", path="/ui/settings", handler=first),
    Page(method="GET", path="/ui/settings/retention", handler=retention),
    Page(method="GET", path="/ui/settings/about", handler=about),
)
