"""Jobs: submitted, listed, shown, cancelled, tried again, deleted."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime
from functools import partial
from urllib.parse import urlencode

from aiohttp import web

from encoder.api import answers, presets, problems, tell, uploads
from encoder.api.body import receive
from encoder.api.links import links
from encoder.api.operations import Asker, Call, answer
from encoder.api.quick import off_loop
from encoder.api.wire import read_job, read_probe
from encoder.errors import Rejected
from encoder.metrics.api import submitted
from encoder.metrics.queue import verb
from encoder.metrics.worker import finished
from encoder.model.base import Json
from encoder.model.ids import JobId
from encoder.model.job import JobSpec
from encoder.model.queue import ENCODE, IO, named
from encoder.model.state import JobState
from encoder.store.rows import Accepted, JobFilter, JobRow, OutputRow

MAX_KEY_CHARS = 255
# an Idempotency-Key: quoted as the draft of the standard has it, or bare as most send it
KEY = rf'("[ !#-\[\]-~]{{1,{MAX_KEY_CHARS}}}"|(?!""$)[!-~]([ -~]{{0,{MAX_KEY_CHARS - 2}}}[!-~])?)'
DEFAULT_PAGE = 50
_NUMBER = re.compile(r"[0-9]{1,18}")
_OUTPUT = re.compile(r"[0-9]{1,2}")
_UUID = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_QUOTED = re.compile(r'"([^"\\]*)"')
_OF_THE_PAGE = {"limit", "cursor"}


async def submit(call: Call) -> web.Response:
    """POST /jobs: into the database, or with `dryRun` only as far as the plan."""
    key = idempotency_key(call.request)
    body = await receive(call.request)
    if call.query.get("dryRun", bool):
        return answer(await preview(call, body))
    accepted = await accept(call, body, partial(spec_of, call, body), key=key)
    headers = {"Location": f"/jobs/{accepted.id}", **replayed(accepted)}
    return answer(tell.accepted(accepted), status=202, headers=headers)


async def preview(call: Asker, body: Json) -> answers.PreviewAnswer:
    """What would be made of a job, and why; nothing is stored.

    Raises:
        errors.Rejected: as `spec_of`.
        errors.Failure: why such a job would fail.
    """
    spec = await spec_of(call, body)
    return tell.preview(await call.parts.inspector.preview(spec, call.tenant_id), spec, call.parts.places)


async def accept(
    call: Asker, body: Json, read: Callable[[], Awaitable[JobSpec]], *, key: str | None = None
) -> Accepted:
    """Take in the job that `read` makes of `body`. `key`: under which this very body was sent.

    Raises:
        errors.Rejected: as `read` and `Submit`.
    """
    try:
        accepted = await _accepted(call, body, read, key=key)
    except Rejected:
        submitted.of("rejected").inc()
        raise
    submitted.of("replayed" if accepted.replayed else "accepted").inc()
    return accepted


async def _accepted(call: Asker, body: Json, read: Callable[[], Awaitable[JobSpec]], *, key: str | None) -> Accepted:
    body_hash = await off_loop(_hash, body) if key else None
    try:
        spec = await read()
    except Rejected:
        before = await _made_before(call, key, body_hash)
        if before is None:
            raise
        return before
    return await call.parts.submit(spec, tenant_id=call.tenant_id, idempotency_key=key, body_hash=body_hash)


def replayed(accepted: Accepted) -> dict[str, str]:
    """The header of an answer that was given before."""
    return {"Idempotency-Replayed": "true"} if accepted.replayed else {}


async def _made_before(call: Asker, key: str | None, body_hash: bytes | None) -> Accepted | None:
    """The job that the key has made of this very body, when what that named was still there."""
    with suppress(Rejected):  # of another body: what is wrong with this one says more
        return await call.parts.store.enqueued(call.tenant_id, key, body_hash)
    return None


async def spec_of(call: Asker, body: Json) -> JobSpec:
    """The job that `body` asks for, by whichever door it came: all that it names is there.

    Raises:
        errors.Rejected: every fault of it; `unknown_queue`, `not_found`, `upload_not_ready`.
    """
    return await uploads.all_brought(call, await asked(call, body))


async def asked(call: Asker, body: Json) -> JobSpec:
    """As `spec_of`, but for uploads that it names, which nobody has looked for yet."""
    known = await presets.known(call.parts.store, call.tenant_id, body)
    spec = await off_loop(read_job, body, call.parts.places, known)
    await _check_queue(call, spec.queue)
    return spec


async def probe(call: Call) -> web.Response:
    """POST /probe: the facts of a source."""
    body = await receive(call.request)
    source = await off_loop(read_probe, body, call.parts.places)
    return answer(await call.parts.inspector.inspect(await uploads.brought(call, source)))


async def listed(call: Call) -> web.Response:
    """GET /jobs: a page of them, newest first."""
    limit = call.query.get("limit", int) or DEFAULT_PAGE
    question = urlencode(
        sorted((name, str(value)) for name, value in call.query.values.items() if name not in _OF_THE_PAGE)
    )
    cursors, cursor = call.parts.cursors, call.query.get("cursor", str)
    wanted = JobFilter(
        tenant_id=call.tenant_id,
        states=call.query.get("status", tuple) or (),
        tag=call.query.get("tag", str),
        text=call.query.get("q", str),
        preset=call.query.get("preset", str),
        code=call.query.get("code", str),
        created_after=call.query.get("createdAfter", datetime),
        created_before=call.query.get("createdBefore", datetime),
        before=JobId(cursors.read(cursor, tenant_id=call.tenant_id, question=question)) if cursor else None,
        limit=limit + 1,
    )
    rows = await call.parts.store.jobs(wanted)
    page, more = rows[:limit], len(rows) > limit
    after = cursors.write(page[-1].id, tenant_id=call.tenant_id, question=question) if more else None
    jobs = []
    for row in page:
        jobs.append(await show(call, row))
        await asyncio.sleep(0)  # a page may hold twenty thousand outputs, and others have their turn meanwhile
    return answer(answers.JobsAnswer(jobs=tuple(jobs), next_cursor=after))


async def shown(call: Call) -> web.Response:
    """GET /jobs/{id}."""
    return answer(await show(call, await find(call)))


async def cancel(call: Call) -> web.Response:
    """POST /jobs/{id}/cancel."""
    row = await find(call)
    state = await cancel_job(call, row)
    return answer(answers.AcceptedAnswer(id=row.id, uuid=row.uuid, status=state), status=202)


async def retry(call: Call) -> web.Response:
    """POST /jobs/{id}/retry: a new run of what failed or was cancelled."""
    await retry_job(call, await find(call))
    again = await find(call)
    return answer(answers.AcceptedAnswer(id=again.id, uuid=again.uuid, status=again.state), status=202)


async def delete(call: Call) -> web.Response:
    """DELETE /jobs/{id}: the job, and what the platform's own storage holds of it."""
    await delete_job(call, await find(call))
    return web.Response(status=204)


async def cancel_job(call: Asker, row: JobRow) -> JobState:
    """Ask for the end of a job; the state after.

    Raises:
        errors.Rejected: `job_ended`.
    """
    with verb("cancel"):
        state = await call.parts.store.cancel(row.id)
    if state is JobState.CANCELLED:  # of what runs its worker counts the end
        finished.of(state).inc()
    return state


async def retry_job(call: Asker, row: JobRow) -> int:
    """A new run of what failed or was cancelled; its number.

    Raises:
        errors.Rejected: `nothing_to_retry`, `secrets_erased`.
    """
    return await call.parts.store.retry(row.id, max_attempts=call.parts.limits.max_attempts)


async def delete_job(call: Asker, row: JobRow) -> None:
    """Take a job away, with what the platform's own storage holds of it.

    Raises:
        errors.Failure: the storage does not let it go; the job is still there.
    """
    await call.parts.storage.remove(f"jobs/{row.uuid}")  # first: once the row is hidden, nobody can ask again
    await call.parts.store.delete(row.id)
    await call.parts.storage.remove(f"jobs/{row.uuid}")  # what a worker published in between


async def log(call: Call) -> web.Response:
    """GET /jobs/{id}/outputs/{outputId}/log: what ffmpeg said on the last attempt."""
    row = await find(call)
    text = await call.parts.store.log(row.id, output_of(call, row).id)
    if text is None:
        raise problems.not_found("This output has no log: ffmpeg has not run for it to an end yet.")
    return web.Response(text=text)


def output_of(call: Call, row: JobRow) -> OutputRow:
    """The output of `row` that the path names.

    Raises:
        errors.Rejected: `not_found`.
    """
    ref = call.request.match_info["outputId"]
    if not _OUTPUT.fullmatch(ref) or int(ref) >= len(row.outputs):
        raise problems.not_found("The job has no such output.")
    return row.outputs[int(ref)]


async def find(call: Call) -> JobRow:
    """The job that the path names, by its number or uuid.

    Raises:
        errors.Rejected: `not_found`, also for another tenant's.
    """
    return await find_job(call, call.request.match_info["id"])


async def find_job(call: Call, ref: str) -> JobRow:
    """As `find`, for a name that stands elsewhere."""
    known = _NUMBER.fullmatch(ref) or _UUID.fullmatch(ref)
    row = await call.parts.store.job(call.tenant_id, ref.lower()) if known else None
    if row is None:
        raise problems.not_found("There is no such job; a deleted job is gone.")
    return row


async def show(call: Call, row: JobRow) -> answers.JobAnswer:
    """A job as it is told, with fresh links."""
    return tell.job(row, await links(call.parts, row), call.parts.places)


async def _check_queue(call: Asker, queue: str) -> None:
    """Refuse a queue that no worker made known: none would ever take from it. The usual one always is.

    Raises:
        errors.Rejected: `unknown_queue`.
    """
    if queue == ENCODE:
        return
    known = [name for name in await call.parts.store.known_queues() if name != IO]
    if queue not in known:
        told = f"must be one of {named(known)}: a worker makes its queues known when it starts"
        raise Rejected.because("unknown_queue", told, path="/queue")


def idempotency_key(request: web.Request) -> str | None:
    """The key, without its quotes."""
    given = request.headers.getall("Idempotency-Key", [])
    if not given:
        return None
    if len(given) > 1 or not re.fullmatch(KEY, given[0]):
        message = f"`Idempotency-Key` must stand once and have 1 to {MAX_KEY_CHARS} printable ASCII characters."
        raise Rejected.because("invalid_header", message)
    quoted = _QUOTED.fullmatch(given[0])
    return quoted[1] if quoted else given[0]


def _hash(body: Json) -> bytes:
    """Equal for equal JSON, however it is spaced and its members are ordered."""
    return hashlib.sha256(json.dumps(body, sort_keys=True, separators=(",", ":")).encode()).digest()
