"""Uploads in pieces, by tus 1.0: whatever breaks, the next piece goes on where the last one ended."""

from __future__ import annotations

from aiohttp import web

from encoder.api import problems, tus_headers
from encoder.api.announce import announced
from encoder.api.body import read_json
from encoder.api.inflow import whatever_comes
from encoder.api.operations import Call
from encoder.api.passes import PIECE, VERSION
from encoder.api.pieces import take
from encoder.api.receive import refusal, require_unpacked, too_large
from encoder.errors import Rejected
from encoder.model.base import Json
from encoder.model.state import UploadEnd, UploadProtocol, UploadState
from encoder.store.kept import UploadRow

# what clients of tus call what we call otherwise
_SPELLED = {
    "filename": "file_name",
    "name": "file_name",
    "filetype": "content_type",
    "type": "content_type",
    "relativePath": None,  # where the file lay on its owner's disk: nobody asks
}
_JSON = frozenset({"outputs", "destination", "metadata", "tags", "priority"})


async def options(call: Call) -> web.Response:
    """OPTIONS /upload/tus: what is spoken here."""
    return web.Response(
        status=204,
        headers={
            "Tus-Version": VERSION,
            "Tus-Extension": tus_headers.EXTENSIONS,
            "Tus-Max-Size": str(call.parts.limits.upload_bytes),
            "Tus-Checksum-Algorithm": ",".join(tus_headers.ALGORITHMS),
        },
    )


async def create(call: Call) -> web.Response:
    """POST /upload/tus: announces a file as `POST /upload` does, and may bring its first piece."""
    request, limits = call.request, call.parts.limits
    tus_headers.require_version(request)
    length = tus_headers.whole(request, "Upload-Length")
    if length > limits.upload_bytes:
        raise too_large(limits.upload_bytes)
    comes, checksum = request.content_type == PIECE, None
    if comes:  # all that its headers can be refused for, before anything is kept of it
        _check_piece(request, offset_bytes=0, size_bytes=length)
        checksum = tus_headers.checksum(request)
    row = await announced(call, _announcement(tus_headers.metadata(request), length))
    if comes and request.can_read_body:
        row = await take(call, row, whatever_comes(request.content), offset_bytes=0, checksum=checksum)
    headers = {"Location": call.parts.passes.address(row.id), **tus_headers.standing(row)}
    return web.Response(status=201, headers=headers)


async def head(call: Call) -> web.Response:
    """HEAD /upload/tus/{token}: how much is here."""
    tus_headers.require_version(call.request)
    row = await call.parts.arrivals.look(await _named(call))
    _require_alive(row)
    return web.Response(headers={**tus_headers.standing(row), **tus_headers.described(row)})


async def patch(call: Call) -> web.Response:
    """PATCH /upload/tus/{token}: one piece."""
    request = call.request
    row = await _named(call)
    tus_headers.require_version(request)
    tus_headers.require_piece(request)
    offset = tus_headers.whole(request, "Upload-Offset")
    _require_alive(row)
    if row.state is UploadState.UPLOADED:
        raise refusal("upload_exists")
    _check_piece(request, offset_bytes=offset, size_bytes=row.declared_bytes or 0)
    checksum = tus_headers.checksum(request)
    row = await take(call, row, whatever_comes(request.content), offset_bytes=offset, checksum=checksum)
    return web.Response(status=204, headers=tus_headers.standing(row))


async def delete(call: Call) -> web.Response:
    """DELETE /upload/tus/{token}: no more of it comes, and what came is removed."""
    tus_headers.require_version(call.request)
    row = await call.parts.arrivals.look(await _named(call))
    _require_alive(row)
    if row.state is UploadState.UPLOADED:
        raise refusal("upload_exists")
    await call.parts.arrivals.end(row, UploadEnd.CANCELLED, problem=None)
    return web.Response(status=204)


async def post(call: Call) -> web.Response:
    """POST /upload/tus/{token}: what `X-HTTP-Method-Override` says, for those who can send nothing else."""
    handlers = {"PATCH": patch, "DELETE": delete, "HEAD": head}
    handler = handlers.get(call.request.headers.get("X-HTTP-Method-Override", "").upper())
    if handler is None:
        raise Rejected.because("invalid_header", f"`X-HTTP-Method-Override` must be one of {', '.join(handlers)}.")
    return await handler(call)


async def _named(call: Call) -> UploadRow:
    upload_id = call.parts.passes.upload_of(call.request.match_info["token"])
    row = await call.parts.store.upload(None, upload_id) if upload_id else None
    if row is None or row.protocol is not UploadProtocol.TUS:
        raise problems.not_found("No address of ours leads here; ask for an upload with POST /upload.")
    return row


def _require_alive(row: UploadRow) -> None:
    if row.state is not UploadState.UPLOADED and row.is_over:
        raise refusal("upload_expired")


def _check_piece(request: web.Request, *, offset_bytes: int, size_bytes: int) -> None:
    """Refuse by the headers what the bytes would be refused for."""
    require_unpacked(request)
    if offset_bytes + (request.content_length or 0) > size_bytes:
        raise too_large(size_bytes)


def _announcement(told: dict[str, str], length: int) -> Json:
    """What `POST /upload` would have been sent."""
    body: dict[str, Json] = {"protocol": UploadProtocol.TUS.value, "size_bytes": length}
    for name, value in told.items():
        member = _SPELLED.get(name, name)
        if member is not None:
            body[member] = read_json(value.encode()) if member in _JSON else value
    return body
