"""The list of jobs: what there is, by state and by what one looks for, page by page; and its rows one by one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from aiohttp import hdrs, web

from encoder.dashboard import facts, filters, stream
from encoder.dashboard.filters import Filters
from encoder.dashboard.page import Page, Visit
from encoder.errors import Rejected
from encoder.ffmpeg.presets import BUILT_IN
from encoder.model.ids import JobId
from encoder.model.state import JobState
from encoder.store.rows import JobRow

COUNTED = 10_000  # of each state, at most
MOST_PILLS = 4  # outputs that a row names
_REF = re.compile(r"#?[jJ]?([0-9]{1,18})|([0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12})")


async def listed(visit: Visit) -> web.Response:
    """GET /. Whoever looks for a job by its number or uuid, or finds just one from anywhere, is led to it."""
    request, call = visit.request, visit.call
    chosen = filters.read(request.query, call.tenant_id)
    text = chosen.wanted.text
    if text and (row := await _named(visit, text)) is not None:
        return _to(row.id)
    too_much = False
    try:
        rows = await call.parts.store.jobs(replace(chosen.wanted, limit=chosen.rows + 1))
    except Rejected as error:
        if error.faults[0].code != "too_much_to_search":
            raise
        rows, too_much = (), True
    if len(rows) == 1 and set(request.query) == {"q"}:
        return _to(rows[0].id)
    counts = await call.parts.store.counts(call.tenant_id)
    page = rows[: chosen.rows]
    return visit.show(
        "jobs.html",
        jobs=page,
        older=page[-1].id if len(rows) > chosen.rows else None,
        newest=_newest(chosen, page),
        filters=chosen,
        counts=counts,
        total=sum(counts.values()),
        older_hits=0 if page or too_much else await _older(visit, chosen),
        too_much=too_much,
        words=filters.words(chosen),
        presets=sorted(
            {*BUILT_IN, *(output.spec.preset for row in page for output in row.outputs if output.spec.preset)}
        ),
        codes=sorted({row.problem.code for row in page if row.problem}),
        text=text or "",
        curl=_curl(visit),
        runs=any(row.state in (JobState.QUEUED, JobState.PROCESSING) for row in page),
        since=filters.SINCE,
        rows_choice=filters.ROWS,
        facts=facts,
        most_pills=MOST_PILLS,
        counted=COUNTED,
        states=tuple(JobState),
    )


async def parts(visit: Visit) -> web.Response:
    """GET /ui/parts/jobs: some rows and, where they are asked for, the counts, as the list has them."""
    asked = visit.request.query
    ids = stream.ids_of(asked.get("jobs", ""))
    chosen = filters.read(stream.only_filters(asked), visit.call.tenant_id)
    rows = await stream.rows_of(visit, ids)
    counts = await visit.call.parts.store.counts(visit.call.tenant_id) if "counts" in asked else None
    return visit.show(
        "jobs_part.html",
        jobs=list(rows.values()),
        filters=chosen,
        counts=counts,
        total=sum(counts.values()) if counts else 0,
        facts=facts,
        most_pills=MOST_PILLS,
        counted=COUNTED,
        states=tuple(JobState),
    )


async def _named(visit: Visit, text: str) -> JobRow | None:
    ref = _REF.fullmatch(text)
    return await visit.call.parts.store.job(visit.call.tenant_id, (ref[1] or ref[2]).lower()) if ref else None


def _to(job_id: JobId) -> web.Response:
    return web.Response(status=303, headers={hdrs.LOCATION: f"/ui/jobs/{job_id}"})


def _curl(visit: Visit) -> str:
    """The first job as a command."""
    key = ' -H "Authorization: Bearer $ENCODER_API_KEY"' if visit.call.parts.gate.asks_for_keys else ""
    body = '{"source": {"url": "https://example.com/holiday.mov"}, "outputs": [{"preset": "h264"}]}'
    address = visit.call.parts.public_url or f"{visit.request.scheme}://{visit.request.host}"
    return f"curl {address}/jobs{key} -H 'Content-Type: application/json' -d '\n  {body}'"


def _newest(chosen: Filters, page: Sequence[JobRow]) -> int | None:
    """From where on later jobs are counted; None where they would not stand on this page."""
    if chosen.wanted.before is not None or chosen.wanted.created_before is not None:
        return None
    return page[0].id if page else 0


async def _older(visit: Visit, chosen: Filters) -> int:
    """How many there would be without the filter for time."""
    if chosen.wanted.created_after is None:
        return 0
    try:
        found = await visit.call.parts.store.find_jobs(replace(chosen.without_time(), before=None, limit=100))
    except Rejected:
        return 0
    return len(found)


PAGES = (
    Page(method="GET", path="/", handler=listed, query=None),
    Page(method="GET", path="/ui/jobs", handler=listed, query=None),
    Page(method="GET", path="/ui/parts/jobs", handler=parts, query=None, fragment=True),
    *stream.PAGES,
)
