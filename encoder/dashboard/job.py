"""One job: its state, what failed, its outputs, what happened."""

from __future__ import annotations

from aiohttp import web

from encoder.api import jobs
from encoder.api.links import links
from encoder.dashboard.page import Page, Visit
from encoder.errors import CATALOGUE
from encoder.model.state import TaskState
from encoder.store.rows import JobRow

_WAITS = {TaskState.SCHEDULED, TaskState.WAITING, TaskState.READY}


async def shown(visit: Visit) -> web.Response:
    """GET /ui/jobs/{id}."""
    row = await jobs.find(visit.call)
    return visit.show(
        "job.html",
        job=row,
        events=await visit.call.parts.store.events(row.id),
        advice=_advice(row),
        links=await links(visit.call.parts, row),
        waits=row.task_state in _WAITS,
    )


def _advice(row: JobRow) -> dict[str, str]:
    """What to do about each code that the job shows."""
    shown = [row.problem, row.task_problem, *(output.problem for output in row.outputs)]
    return {problem.code: CATALOGUE[problem.code].to_do for problem in shown if problem and problem.code in CATALOGUE}


PAGES = (Page(method="GET", path="/ui/jobs/{id}", handler=shown),)
