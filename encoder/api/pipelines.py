"""Pipelines of Elastic Transcoder: kept per tenant, their credentials sealed."""

from __future__ import annotations

import re
from uuid import uuid4

from aiohttp import web

from encoder.api import answers_compat, problems
from encoder.api.body import receive
from encoder.api.operations import Asker, Call, answer
from encoder.api.wire_pipeline import read_pipeline
from encoder.compat.elastictranscoder.pipeline import Pipeline
from encoder.errors import Rejected
from encoder.model.base import from_json, to_json
from encoder.model.secrets import hide_in, reveal_in
from encoder.store.kept import NewPipeline, PipelineRow

MOST = 200  # of one tenant
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_ABSENT = "There is no such pipeline; PUT /compat/elastictranscoder/pipelines/{name} makes one."


async def put(call: Call) -> web.Response:
    """PUT /compat/elastictranscoder/pipelines/{name}: make it, or replace it whole."""
    name = call.request.match_info["name"]
    if not _ID.fullmatch(name):
        raise problems.not_found(
            "An id is at most 64 letters, digits and any of `_.-`, and begins with a letter or digit."
        )
    pipeline = read_pipeline(await receive(call.request), call.parts.places)
    shown, secrets = hide_in(to_json(pipeline))
    uuid = uuid4()
    row = await call.parts.store.put_pipeline(
        NewPipeline(
            tenant_id=call.tenant_id,
            name=name,
            uuid=uuid,
            settings=shown,
            sealed=call.parts.vault.seal(secrets, tenant_id=call.tenant_id, job_uuid=uuid),
        ),
        most=MOST,
    )
    if row is None:
        raise Rejected.because(
            "too_many_pipelines", f"There are {MOST} pipelines of yours already, and more are not kept."
        )
    return answer(_told(row))


async def shown(call: Call) -> web.Response:
    """GET /compat/elastictranscoder/pipelines/{name}."""
    return answer(_told(await _row(call, call.request.match_info["name"])))


async def listed(call: Call) -> web.Response:
    """GET /compat/elastictranscoder/pipelines."""
    rows = await call.parts.store.pipelines(call.tenant_id)
    return answer(answers_compat.PipelinesAnswer(pipelines=tuple(map(_told, rows))))


async def remove(call: Call) -> web.Response:
    """DELETE /compat/elastictranscoder/pipelines/{name}: jobs that named it go on."""
    name = call.request.match_info["name"]
    if not _ID.fullmatch(name) or not await call.parts.store.remove_pipeline(call.tenant_id, name):
        raise problems.not_found(_ABSENT)
    return web.Response(status=204)


async def find(call: Asker, name: str) -> Pipeline | None:
    """The pipeline of this id, with its secrets; None also for another tenant's.

    Raises:
        errors.Permanent: `secret_unreadable`.
    """
    row = await _look(call, name)
    if row is None:
        return None
    secrets = (
        {} if row.sealed is None else call.parts.vault.open(row.sealed, tenant_id=row.tenant_id, job_uuid=row.uuid)
    )
    return from_json(Pipeline, reveal_in(row.settings, secrets))


async def _look(call: Asker, name: str) -> PipelineRow | None:
    return await call.parts.store.pipeline(call.tenant_id, name) if _ID.fullmatch(name) else None


async def _row(call: Asker, name: str) -> PipelineRow:
    row = await _look(call, name)
    if row is None:
        raise problems.not_found(_ABSENT)
    return row


def _told(row: PipelineRow) -> answers_compat.PipelineAnswer:
    pipeline = from_json(Pipeline, row.settings)
    return answers_compat.PipelineAnswer(
        name=row.name,
        input=pipeline.input,
        output=pipeline.output,
        thumbnails=pipeline.thumbnails,
        notification_url=pipeline.notification_url,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
