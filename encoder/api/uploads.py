"""Files that callers bring: announced, looked after, and handed to a job once they have arrived."""

from __future__ import annotations

import mimetypes
from pathlib import PurePosixPath
from uuid import UUID, uuid4

from aiohttp import web

from encoder.api import tell
from encoder.api.body import receive
from encoder.api.operations import Asker, Call, answer
from encoder.api.parts import Parts
from encoder.api.wire_upload import read_upload
from encoder.errors import CATALOGUE, Rejected
from encoder.model import beside
from encoder.model.base import replace
from encoder.model.job import JobSpec, OutputSpec, Place
from encoder.model.place import pointer
from encoder.model.state import UploadState
from encoder.queue.enqueue import upload_of
from encoder.sources.upload import key_of, read_id
from encoder.store.rows import NewUpload, UploadRow


async def announce(call: Call) -> web.Response:
    """POST /upload: an invitation to bring one file."""
    limits = call.parts.limits
    body = await receive(call.request)
    wanted = read_upload(body, suffixes=limits.upload_suffixes, most_bytes=limits.upload_bytes)
    upload_id = uuid4()
    row = await call.parts.store.add_upload(
        NewUpload(
            id=upload_id,
            tenant_id=call.tenant_id,
            key=key_of(upload_id),
            file_name=wanted.file_name,
            content_type=wanted.content_type or _type_of(wanted.file_name),
            declared_bytes=wanted.size_bytes,
            good_for=limits.upload,
        )
    )
    invitation = await call.parts.storage.invite(
        row.key, expires=row.expires_at, size_bytes=row.declared_bytes, content_type=row.content_type
    )
    return answer(tell.invited(row, invitation, s3_key=call.parts.keys_begin + row.key))


async def status(call: Call) -> web.Response:
    """GET /upload/{id}/status."""
    row = await look(call.parts, await find(call, read_id(call.request.match_info["id"].lower())))
    job = await call.parts.store.job(call.tenant_id, str(row.job_id)) if row.job_id else None
    return answer(tell.upload(row, job))


async def find(call: Asker, upload_id: UUID | None, *, path: str = "") -> UploadRow:
    """The upload of this id.

    Raises:
        errors.Rejected: `not_found`, also for another tenant's; `path` is where in the body it was named.
    """
    row = await call.parts.store.upload(call.tenant_id, upload_id) if upload_id else None
    if row is None:
        raise Rejected.because("not_found", "There is no such upload.", path=path)
    return row


async def look(parts: Parts, row: UploadRow) -> UploadRow:
    """The upload as it stands. Nobody tells us what arrives in a storage that is not a folder: it is asked."""
    if row.state is UploadState.UPLOADED:
        return row
    size_bytes = await parts.storage.size_bytes(row.key)
    if size_bytes is None or not _fits(row, size_bytes, parts.limits.upload_bytes):
        return row
    return await parts.store.upload_arrived(row.id, size_bytes=size_bytes) or row


async def all_brought(call: Asker, spec: JobSpec) -> JobSpec:
    """`spec` with each upload that it names as `brought` gives it. Raises as `brought`."""
    outputs = [await _beside(call, number, output) for number, output in enumerate(spec.outputs)]
    return replace(spec, source=await brought(call, spec.source), outputs=tuple(outputs))


async def _beside(call: Asker, number: int, output: OutputSpec) -> OutputSpec:
    found = beside.sources(output)
    there = {
        where: await brought(call, place, path=pointer("outputs", number, *where)) for where, place in found.items()
    }
    return beside.with_sources(output, there)


async def brought(call: Asker, source: Place, *, path: str = "/source") -> Place:
    """`source`; if it is an upload, one of this tenant's that has arrived, and under the name that people know.

    Raises:
        errors.Rejected: `not_found`, `upload_not_ready`.
    """
    upload_id = upload_of(source)
    if upload_id is None:
        return source
    path = f"{path}/fileId"
    row = await look(call.parts, await find(call, upload_id, path=path))
    if row.state is not UploadState.UPLOADED:
        raise Rejected.because("upload_not_ready", CATALOGUE["upload_not_ready"].to_do, path=path)
    return {**source, "fileName": row.file_name}


def _fits(row: UploadRow, size_bytes: int, most_bytes: int) -> bool:
    return size_bytes <= most_bytes if row.declared_bytes is None else size_bytes == row.declared_bytes


def _type_of(file_name: str) -> str:
    told, _ = mimetypes.guess_type(f"file{PurePosixPath(file_name).suffix}")  # of the whole name `data:…` is a type
    return told if told and told.startswith(("video/", "audio/")) else "application/octet-stream"
