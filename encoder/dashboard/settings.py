"""Settings: how long things are kept, and what this server is."""

from __future__ import annotations

from aiohttp import hdrs, web

from encoder.dashboard.page import Page, Visit


async def first(_visit: Visit) -> web.Response:
    """GET /ui/settings: the first of them that everybody may see."""
    return web.Response(status=303, headers={hdrs.LOCATION: "/ui/settings/presets"})


async def retention(visit: Visit) -> web.Response:
    """GET /ui/settings/retention."""
    return visit.show("retention.html", area="settings", tab="retention", limits=visit.call.parts.limits)


async def about(visit: Visit) -> web.Response:
    """GET /ui/settings/about."""
    return visit.show("about.html", area="settings", tab="about", parts_of=visit.call.parts)


PAGES = (
    Page(method="GET", path="/ui/settings", handler=first),
    Page(method="GET", path="/ui/settings/retention", handler=retention),
    Page(method="GET", path="/ui/settings/about", handler=about),
)
