"""The list of jobs: newest first, by state and by text, page by page."""

from __future__ import annotations

import re

from aiohttp import web

from encoder.dashboard.page import Page, Visit
from encoder.errors import Rejected
from encoder.model.ids import JobId
from encoder.model.state import JobState
from encoder.store.rows import JobFilter

PAGE_ROWS = 50
LONGEST_SEARCH = 200
_NUMBER = re.compile(r"[0-9]{1,18}")


async def listed(visit: Visit) -> web.Response:
    """GET /."""
    request, call = visit.request, visit.call
    state, text, before = _state(request), request.query.get("q", "").strip(), request.query.get("before")
    if len(text) > LONGEST_SEARCH or "\x00" in text or (before is not None and not _NUMBER.fullmatch(before)):
        raise Rejected.because("invalid_query", "`q` is too long, or `before` is no number.")
    wanted = JobFilter(
        tenant_id=call.tenant_id,
        states=(state,) if state else (),
        text=text or None,
        before=JobId(int(before)) if before else None,
        limit=PAGE_ROWS + 1,
    )
    rows = await call.parts.store.jobs(wanted)
    older = rows[PAGE_ROWS - 1].id if len(rows) > PAGE_ROWS else None
    return visit.show(
        "jobs.html", jobs=rows[:PAGE_ROWS], older=older, state=state or "", text=text, states=list(JobState)
    )


def _state(request: web.Request) -> JobState | None:
    value = request.query.get("status")
    try:
        return JobState(value) if value else None
    except ValueError:
        raise Rejected.because("invalid_query", f"`status` must be one of {', '.join(JobState)}.") from None


PAGES = (
    Page(method="GET", path="/", handler=listed, query=None),
    Page(method="GET", path="/ui/jobs", handler=listed, query=None),
)
