"""Jobs as callers of Elastic Transcoder make them, read them and cancel them."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from aiohttp import web

from encoder.api import answers_compat, compat_submit, jobs, pipelines, problems
from encoder.api.body import JSON, UNTYPED, receive
from encoder.api.operations import Call, answer
from encoder.api.presets import own_presets
from encoder.api.tell_elastictranscoder import job_answer
from encoder.compat.elastictranscoder.job import API, named, translate
from encoder.compat.elastictranscoder.own import PICTURES, of_ours
from encoder.compat.elastictranscoder.preset import Preset
from encoder.model.base import Json
from encoder.model.formats.elastictranscoder import read as id_of
from encoder.model.formats.elastictranscoder import written
from encoder.model.job import JobSpec
from encoder.store.rows import JobRow

# botocore sent no type at all for years; other SDKs send the one of their protocol
TYPES = JSON | {UNTYPED, "application/x-amz-json-1.0", "application/x-amz-json-1.1"}


async def create(call: Call) -> web.Response:
    """POST …/jobs: `CreateJob`."""
    key = jobs.idempotency_key(call.request)
    body = await receive(call.request, types=TYPES)
    accepted = await jobs.accept(call, body, partial(_spec_of, call, body), key=key)
    row = await jobs.find_job(call, str(accepted.id))
    return answer(job_answer(row), status=201, headers=jobs.replayed(accepted))


async def _spec_of(call: Call, body: Json) -> JobSpec:
    """The job that `body` asks for, with all that it names."""
    asked = named(body)
    pipeline = await pipelines.find(call, asked.pipeline)
    own = await _own(call, asked.presets)
    return await compat_submit.spec_of(call, partial(translate, body, pipeline=pipeline, own=own))


async def read(call: Call) -> web.Response:
    """GET …/jobs/{id}: `ReadJob`."""
    return answer(job_answer(await _find(call)))


async def cancel(call: Call) -> web.Response:
    """DELETE …/jobs/{id}: `CancelJob`. Theirs cancelled only what had not begun; ours stops what runs, too."""
    row = await _find(call)
    await call.parts.store.cancel(row.id)
    return answer(answers_compat.TranscoderCancelAnswer(), status=202)


async def _own(call: Call, names: Iterable[str]) -> dict[str, Preset]:
    """Presets of the tenant's own, as theirs are; with pictures, where they have a companion for those."""
    named = sorted(names)
    rows = await own_presets(call.parts.store, call.tenant_id, [*named, *(f"{name}{PICTURES}" for name in named)])
    return {name: of_ours(name, rows[name], rows.get(f"{name}{PICTURES}")) for name in named if name in rows}


async def _find(call: Call) -> JobRow:
    """The job that the path names. One that came in other words is none of theirs."""
    text = call.request.match_info["id"]
    job_id = id_of(text)
    row = None if job_id is None else await call.parts.store.job(call.tenant_id, str(job_id))
    origin = row.spec.origin if row else None
    if row is None or origin is None or origin.api != API or written(row.id, origin.stamp) != text:
        raise problems.not_found("The specified job was not found.")
    return row
