"""Jobs as callers of Coconut make and read them."""

from __future__ import annotations

from functools import partial

from aiohttp import web

from encoder.api import compat_submit, jobs, problems, tell
from encoder.api.body import JSON, UNTYPED, receive
from encoder.api.links import links
from encoder.api.operations import Call, answer
from encoder.compat.coconut.job import API, translate
from encoder.model.formats import coconut
from encoder.model.telling import ToldJob, ToldOutput
from encoder.store.rows import JobRow

TYPES = JSON | {UNTYPED, "application/x-www-form-urlencoded"}  # as `curl -d` calls whatever it sends


async def create(call: Call) -> web.Response:
    """POST …/jobs."""
    key = jobs.idempotency_key(call.request)
    body = await receive(call.request, types=TYPES)
    read_body = partial(compat_submit.spec_of, call, partial(translate, body))
    accepted = await jobs.accept(call, body, read_body, key=key)
    row = await jobs.find_job(call, str(accepted.id))
    return answer(await _told(call, row), status=201, headers=jobs.replayed(accepted))


async def read(call: Call) -> web.Response:
    """GET …/jobs/{id}."""
    row = await jobs.find(call)
    if row.spec.origin is None or row.spec.origin.api != API:
        raise problems.not_found("There is no such job.")
    return answer(await _told(call, row))


async def _told(call: Call, row: JobRow) -> coconut.CoconutJob:
    outputs = tuple(
        ToldOutput(id=output.id, state=output.state, delivered=output.delivered, problem=output.problem)
        for output in row.outputs
    )
    told = ToldJob(
        id=row.id,
        uuid=row.uuid,
        created_at=row.created_at,
        state=row.state,
        spec=row.spec,
        problem=row.problem,
        outputs=outputs,
    )
    made = await links(call.parts, row)
    return coconut.job(told, over_at=row.finished_at, progress=tell.progress(row).progress, links=made)
