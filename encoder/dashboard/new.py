"""A new job: its source, its outputs, what comes after; what would be made of it; and the same as a command."""

from __future__ import annotations

import hashlib
import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import uuid4

from aiohttp import hdrs, web

from encoder import errors
from encoder.api import again, answers, curl, jobs, presets, query, uploads
from encoder.api.middleware import problem_of
from encoder.dashboard import bring, job_fields
from encoder.dashboard.job_filled import of_body
from encoder.dashboard.job_form import MOST_OUTPUTS, Form, at_fields, body_of, labels
from encoder.dashboard.page import Page, Visit
from encoder.dashboard.source_words import line
from encoder.errors import Fault, Rejected
from encoder.model.base import Json
from encoder.model.key import Scope
from encoder.model.state import UploadState
from encoder.sources.upload import read_id
from encoder.store.kept import UploadRow
from encoder.store.rows import JobRow

PATH = "/ui/jobs/new"
FIRST = "h264"
_SOURCE, _FILE, _PRESET = "/source", "/source:upload/fileId", "/outputs/0/preset"
_START = Form(values={_SOURCE: "upload", _PRESET: FIRST})
_LONGEST_ONCE = 64
_NUMBER = re.compile(r"[0-9]{1,18}")
_NO_FILE = Fault(path=_FILE, code="missing_field", message="choose a file, and wait until it is here")
_FILE_GONE = Fault(path=_FILE, code="not_found", message="the file is not here any more; bring it again")
_FROM = query.text("from", "fill the form in as this job was submitted")
_UPLOAD = query.text("upload", "the file that was brought")


async def shown(visit: Visit) -> web.Response:
    """GET /ui/jobs/new: empty, or as a job was submitted, and with a file that is here."""
    asked = visit.call.query
    ref, file_id = asked.get("from", str), asked.get("upload", str)
    row = None if ref is None else await jobs.find_job(visit.call, ref)
    if row is not None and len(row.outputs) > MOST_OUTPUTS:
        told = f"Not cloned: it has {len(row.outputs)} outputs, and the form room for {MOST_OUTPUTS}."
        told += " The command under “As a request” makes all of it again."
        return await visit.back(told, to=f"/ui/jobs/{row.id}")
    form = _START if row is None else await _clone(visit, row)
    if file_id is not None:
        form = form.with_values({_SOURCE: "upload", _FILE: file_id})
    return await _page(visit, form, cloned=row.id if row else None)


async def asked(visit: Visit) -> web.Response:
    """POST /ui/jobs/new: one output more or less, a dry run, the command, or the job itself."""
    told = await visit.form()
    form, do = Form.of(told), told.get("do", "plan")
    cloned = int(told["from"]) if _NUMBER.fullmatch(told.get("from", "")) else None
    if do == "add":
        return await _page(visit, form.with_output(FIRST), cloned=cloned)
    if do.startswith("remove-"):
        slot = do.removeprefix("remove-")
        return await _page(visit, form.without_output(int(slot)) if _NUMBER.fullmatch(slot) else form, cloned=cloned)
    body, faults = body_of(form)
    try:
        await _require_whole(visit, body, form, faults)
        if do == "submit":
            accepted = await jobs.accept(
                visit.call, body, partial(jobs.spec_of, visit.call, body), key=_once(told.get("once", ""), body)
            )
            return web.Response(status=303, headers={hdrs.LOCATION: f"/ui/jobs/{accepted.id}"})
        planned = await jobs.preview(visit.call, body) if do == "plan" else None
    except (Rejected, errors.Failure) as wrong:
        return await _page(visit, form, body=body, wrong=wrong, faults=faults, cloned=cloned)
    return await _page(visit, form, body=body, planned=planned, cloned=cloned)


async def _require_whole(visit: Visit, body: dict[str, Json], form: Form, faults: dict[str, Fault]) -> None:
    """Refuse what cannot be read, with all else that is wrong with it. Raises errors.Rejected."""
    if form.get(_SOURCE) == "upload" and not form.get(_FILE):
        faults[_FILE] = _NO_FILE
    if not faults:
        return
    await jobs.asked(visit.call, body)
    raise Rejected(*faults.values())


async def _clone(visit: Visit, row: JobRow) -> Form:
    """The form of a job that was submitted. A file that went with it is not kept: another one must be brought."""
    request = await again.request_of(visit.call, row)
    form = of_body(request.body)
    if row.spec.source.get("kind") == "inline":
        form = form.with_values({_SOURCE: "upload", "/source:json": ""})
    return form


async def _page(  # what a page may tell
    visit: Visit,
    form: Form,
    *,
    body: Mapping[str, Json] | None = None,
    planned: answers.PreviewAnswer | None = None,
    wrong: Rejected | errors.Failure | None = None,
    faults: Mapping[str, Fault] | None = None,
    cloned: int | None = None,
) -> web.Response:
    call = visit.call
    own = faults or {}
    theirs = [each for each in wrong.faults if each not in own.values()] if isinstance(wrong, Rejected) else []
    found = {**at_fields(form, theirs), **own}
    file = await _file(visit, form)
    if form.get(_FILE) and file is None and form.get(_SOURCE) == "upload":
        found[_FILE] = _FILE_GONE
        form = form.with_values({_FILE: ""})
    problem = None if wrong is None else problem_of(wrong, visit.request)
    return visit.show(
        "new.html",
        status=problem.status if problem else 200,
        headers=problem.beside if problem else None,
        form=form.fit_to_show(),
        faults=found,
        labels=labels(form),
        failure=problem.told if problem and not found else None,
        planned=planned,
        source=line(planned.media) if planned else "",
        command=_command(visit, body) if body is not None else "",
        presets=await presets.all_of(call),
        fields=job_fields,
        file=file,
        cloned=cloned,
        limits=call.parts.limits,
        once=uuid4().hex,
        bring=bring.FOLDER,
        changed=partial(_changed, form, found),
        quoted=shlex.join,
    )


@dataclass(frozen=True, slots=True)
class _Changed:
    """Of the fields of an output: how many say something, and whether they are to be seen at once."""

    count: int
    is_open: bool


def _changed(form: Form, faults: Mapping[str, Fault], slot: int) -> _Changed:
    at = f"/outputs/{slot}"
    own = {at, *(f"{at}/{each.member}" for each in job_fields.OUTPUT_FIELDS)}
    return _Changed(sum(1 for name in own if form.get(name)), is_open=not own.isdisjoint({*faults, *form.again}))


async def _file(visit: Visit, form: Form) -> UploadRow | None:
    """The upload that the form names, if it is here."""
    upload_id = read_id(form.get(_FILE).lower())
    if upload_id is None:
        return None
    try:
        row = await visit.call.parts.arrivals.look(await uploads.find(visit.call, upload_id))
    except Rejected:
        return None
    return row if row.state is UploadState.UPLOADED else None


def _command(visit: Visit, body: Mapping[str, Json]) -> str:
    parts = visit.call.parts
    shown, secrets = curl.veiled(body, parts.places.secret_members)
    return curl.command(shown, secrets, url=parts.public_url, keyed=parts.gate.asks_for_keys)


def _once(told: str, body: Any) -> str:  # noqa: ANN401  # JSON
    """The key under which a form is sent: pressed twice, it is one job; changed in between, another one."""
    said = json.dumps([told[:_LONGEST_ONCE], body], sort_keys=True)
    return f"ui-{hashlib.sha256(said.encode()).hexdigest()}"


PAGES = (
    Page(method="GET", path=PATH, handler=shown, scope=Scope.WRITE, query=(_FROM, _UPLOAD)),
    Page(method="POST", path=PATH, handler=asked, scope=Scope.WRITE, query=None),
)
