"""What was done over time: each chart has its table, and its numbers as CSV."""

from __future__ import annotations

from aiohttp import web

from encoder.api import insights, query
from encoder.api.insights import Table
from encoder.api.spans import Range
from encoder.dashboard.page import Page, Visit
from encoder.model.key import Scope

_HOME = "/ui/insights"
_WORDS = {
    Range.HOUR: "Last hour",
    Range.DAY: "Last 24 hours",
    Range.WEEK: "Last 7 days",
    Range.MONTH: "Last 30 days",
}
_PIECES = {Range.HOUR: "5 minutes", Range.DAY: "hour", Range.WEEK: "6 hours", Range.MONTH: "day"}
_CLOCK = {Range.HOUR: "%H:%M", Range.DAY: "%H:%M", Range.WEEK: "%d %b %H:%M", Range.MONTH: "%d %b"}
_QUERY = (
    query.choice("range", "", Range),
    query.choice("of", "", ("all", "own")),
    query.choice("csv", "", Table),
)


async def shown(visit: Visit) -> web.Response:
    """GET /ui/insights: of all tenants where the key is an operator's, unless it asks for its own."""
    asked = visit.call.query
    wanted = Range(asked.get("range", str) or Range.DAY)
    may_all = visit.may(Scope.ADMIN)
    of_all = may_all and asked.get("of", str) != "own"
    told = await insights.insights_of(visit.call, None if of_all else visit.call.tenant_id, wanted)
    table = asked.get("csv", str)
    if table is not None:
        return insights.as_csv(told, Table(table))
    return visit.show(
        "insights.html",
        told=told,
        wanted=wanted,
        words=_WORDS,
        piece=_PIECES[wanted],
        of="all" if of_all else "own",
        may_all=may_all,
        left=sum(bucket.jobs is None for bucket in told.buckets),
        clock_format=_CLOCK[wanted],
    )


PAGES = (Page(method="GET", path=_HOME, handler=shown, query=_QUERY),)
