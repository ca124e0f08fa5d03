"""Announces a file: what is to come of it is checked whole before a byte is sent, and kept with its secrets sealed."""

from __future__ import annotations

import mimetypes
from pathlib import PurePosixPath
from uuid import uuid4

from aiohttp import web

from encoder.api import presets, tell_uploads
from encoder.api.body import receive
from encoder.api.jobs import asked
from encoder.api.operations import Asker, Call, answer
from encoder.api.uploads import others_brought
from encoder.api.wire_upload import Upload, at_its_place, job_of, read_upload, require_none
from encoder.errors import Fault, Rejected
from encoder.model.base import Json, replace
from encoder.model.job import JobSpec
from encoder.model.state import UploadProtocol
from encoder.sources.upload import key_of
from encoder.storage.protocol import Invitation
from encoder.store.kept import NewUpload, UploadRow
from encoder.store.rows import NewJob


async def announce(call: Call) -> web.Response:
    """POST /upload: an invitation to bring one file."""
    row = await announced(call, await receive(call.request))
    invitation = await _invitation(call, row)
    return answer(tell_uploads.invited(row, invitation, s3_key=call.parts.keys_begin + row.key))


async def announced(call: Asker, body: Json) -> UploadRow:
    """The upload that `body` announces, kept with the job that is to be made of it.

    Raises:
        errors.Rejected: every fault of both.
    """
    limits, upload_id = call.parts.limits, uuid4()
    job = job_of(body, upload_id)
    known = await presets.known(call.parts.store, call.tenant_id, job)
    wanted, faults = read_upload(body, known, suffixes=limits.upload_suffixes, most_bytes=limits.upload_bytes)
    spec = await _spec(call, body, job, faults)
    require_none(faults)
    assert wanted is not None  # noqa: S101  # it has no fault
    return await call.parts.store.add_upload(
        NewUpload(
            id=upload_id,
            tenant_id=call.tenant_id,
            key=key_of(upload_id),
            file_name=wanted.file_name,
            content_type=wanted.content_type or _type_of(wanted.file_name),
            declared_bytes=wanted.size_bytes,
            good_for=limits.upload,
            protocol=UploadProtocol(wanted.protocol),
            job=None if spec is None else await _job(call, spec, wanted),
        )
    )


async def _spec(call: Asker, body: Json, job: Json, faults: list[Fault]) -> JobSpec | None:
    """The job that is to be made; None if none is, or it has faults, which are added to `faults`."""
    if job is None:
        return None
    try:
        return await asked(call, job)
    except Rejected as refused:
        faults += at_its_place(body, refused.faults)
        return None


async def _job(call: Asker, spec: JobSpec, wanted: Upload) -> NewJob:
    spec = await others_brought(call, spec)
    named = replace(spec, source={**spec.source, "fileName": wanted.file_name})
    return call.parts.submit.made(named, tenant_id=call.tenant_id)


async def _invitation(call: Asker, row: UploadRow) -> Invitation:
    storage, limits = call.parts.storage, call.parts.limits
    match row.protocol:
        case UploadProtocol.PUT:
            return await storage.invite(
                row.key, expires=row.expires_at, size_bytes=row.declared_bytes, content_type=row.content_type
            )
        case UploadProtocol.POST:
            return await storage.invite_form(
                row.key,
                expires=row.expires_at,
                size_bytes=row.declared_bytes,
                most_bytes=limits.upload_bytes,
                content_type=row.content_type,
            )
        case UploadProtocol.TUS:
            return call.parts.passes.invite(row.id)


def _type_of(file_name: str) -> str:
    told, _ = mimetypes.guess_type(f"file{PurePosixPath(file_name).suffix}")  # of the whole name `data:…` is a type
    return told if told and told.startswith(("video/", "audio/")) else "application/octet-stream"
