"""Plain pages over the same facts as the API: the list of jobs, and one job. Rendered here, without any script."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from encoder import __version__
from encoder.errors import CATALOGUE, Rejected
from encoder.model import place as places
from encoder.model.ids import DEFAULT_TENANT, JobId, OutputId
from encoder.model.state import JobState, TaskState
from encoder.store.protocol import Jobs
from encoder.store.rows import JobFilter, JobRow

# Addresses from which anyone may read those outputs of a job that lie in the platform's own storage.
Links = Callable[[JobRow], Awaitable[Mapping[OutputId, str]]]

PAGE_ROWS = 50
LONGEST_SEARCH = 200
_HERE = Path(__file__).parent
_NUMBER = re.compile(r"[0-9]{1,18}")
_UNITS = ("B", "kB", "MB", "GB", "TB")
_WAITS = {TaskState.SCHEDULED, TaskState.WAITING, TaskState.READY}
_STATIC = {"encoder.css": "text/css"}  # all that there is: nothing is looked up by a name that came in


def routes(store: Jobs, *, links: Links, closed: bool = False) -> Iterable[web.RouteDef]:
    """The pages, to be mounted beside the API. `closed`: it asks for keys, which browsers do not send: none of jobs."""
    static = web.get("/static/{name}", _static, allow_head=False)
    if closed:
        return (static,)
    pages = _Pages(store, links)
    return (
        web.get("/", pages.jobs, allow_head=False),
        web.get("/ui/jobs", pages.jobs, allow_head=False),
        web.get("/ui/jobs/{id}", pages.job, allow_head=False),
        static,
    )


class _Pages:
    def __init__(self, store: Jobs, links: Links) -> None:
        self._store = store
        self._links = links
        self._templates = Environment(
            loader=FileSystemLoader(_HERE / "templates"),
            autoescape=True,
            trim_blocks=True,
            lstrip_blocks=True,
            undefined=StrictUndefined,
        )
        self._templates.filters |= {
            "bytes": _bytes,
            "place": places.named,
            "share": _share,
            "time": _time,
            "wait": _wait,
        }

    async def jobs(self, request: web.Request) -> web.Response:
        """GET /: newest first, by state and by text, page by page."""
        state, text, before = (
            _choice(request, "status"),
            request.query.get("q", "").strip(),
            request.query.get("before"),
        )
        if len(text) > LONGEST_SEARCH or "\x00" in text or (before is not None and not _NUMBER.fullmatch(before)):
            raise Rejected.because("invalid_query", "`q` is too long, or `before` is no number.")
        wanted = JobFilter(
            tenant_id=DEFAULT_TENANT,
            states=(state,) if state else (),
            text=text or None,
            before=JobId(int(before)) if before else None,
            limit=PAGE_ROWS + 1,
        )
        rows = await self._store.jobs(wanted)
        older = rows[PAGE_ROWS - 1].id if len(rows) > PAGE_ROWS else None
        return self._page(
            "jobs.html", jobs=rows[:PAGE_ROWS], older=older, state=state or "", text=text, states=list(JobState)
        )

    async def job(self, request: web.Request) -> web.Response:
        """GET /ui/jobs/{id}."""
        ref = request.match_info["id"]
        row = await self._store.job(DEFAULT_TENANT, ref) if _NUMBER.fullmatch(ref) else None
        if row is None:
            return self._page("absent.html", status=404)
        events = await self._store.events(row.id)
        links = await self._links(row)
        waits = row.task_state in _WAITS
        return self._page("job.html", job=row, events=events, advice=_advice(row), links=links, waits=waits)

    def _page(self, name: str, *, status: int = 200, **facts: object) -> web.Response:
        text = self._templates.get_template(name).render(version=__version__, now=datetime.now(UTC), **facts)
        return web.Response(status=status, text=text, content_type="text/html", charset="utf-8")


async def _static(request: web.Request) -> web.Response:
    name = request.match_info["name"]
    if name not in _STATIC:
        raise Rejected.because("not_found", "There is no such file.")
    # not a FileResponse: that refuses ranges in words of its own
    body = await asyncio.to_thread((_HERE / "static" / name).read_bytes)
    return web.Response(body=body, content_type=_STATIC[name], headers={"Cache-Control": "max-age=3600"})


def _choice(request: web.Request, name: str) -> JobState | None:
    value = request.query.get(name)
    try:
        return JobState(value) if value else None
    except ValueError:
        raise Rejected.because("invalid_query", f"`{name}` must be one of {', '.join(JobState)}.") from None


def _advice(row: JobRow) -> dict[str, str]:
    """What to do about each code that the job shows."""
    shown = [row.problem, row.task_problem, *(output.problem for output in row.outputs)]
    return {problem.code: CATALOGUE[problem.code].to_do for problem in shown if problem and problem.code in CATALOGUE}


def _bytes(count: float) -> str:
    step = min(max(len(str(round(count))) - 1, 0) // 3, len(_UNITS) - 1)
    return f"{count / 1000**step:.3g} {_UNITS[step]}"


def _share(part: float | None) -> str:
    return "–" if part is None else f"{part:.0%}"


def _wait(seconds: float) -> str:
    return str(timedelta(seconds=round(seconds)))


def _time(at: datetime | None) -> str:
    return "–" if at is None else at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
