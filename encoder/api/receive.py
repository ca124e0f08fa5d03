"""Takes in what an invitation asks for, where the storage is a folder: streamed to the disk, whole or not at all."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping

from aiohttp import web

from encoder import errors
from encoder.api import problems, tell_uploads
from encoder.api.form import Form
from encoder.api.inflow import inflow
from encoder.api.operations import Asker, Call, answer
from encoder.errors import CATALOGUE, Rejected
from encoder.model.state import UploadState
from encoder.sources.upload import id_of
from encoder.storage.folder import Invited
from encoder.store.kept import UploadRow

FORM_BYTES = 64 * 1024  # of a form, beside its file


async def put(call: Call) -> web.Response:
    """PUT /storage/{key}: the file, by an invitation of ours; once."""
    row, invited = await _expected(call, call.request.query, "PUT")
    most_bytes = invited.size_bytes or call.parts.limits.upload_bytes
    _check_headers(call.request, invited, most_bytes=most_bytes)
    told_bytes = invited.size_bytes or call.request.content_length or 0
    chunks = inflow(call.request.content.readany)
    size_bytes = await _received(call, row, invited, chunks, told_bytes=told_bytes)
    return answer(tell_uploads.upload(await noted(call, row, size_bytes=size_bytes), None))


async def post(call: Call) -> web.Response:
    """POST /storage/{key}: the same by a form, as browsers send one. The file is its last field."""
    form = await Form.of(call.request)
    row, invited = await _expected(call, await form.fields(), "POST")
    most_bytes = invited.size_bytes or call.parts.limits.upload_bytes
    if (call.request.content_length or 0) > most_bytes + FORM_BYTES:
        raise too_large(most_bytes)
    size_bytes = await _received(call, row, invited, form.file(), told_bytes=invited.size_bytes or 0)
    return answer(tell_uploads.upload(await noted(call, row, size_bytes=size_bytes), None), status=201)


async def noted(call: Asker, row: UploadRow, *, size_bytes: int) -> UploadRow:
    """The upload whose file has come.

    Raises:
        errors.Rejected: `upload_expired`: it ended while the file came, of which nothing is kept.
    """
    arrived = await call.parts.arrivals.arrived(row, size_bytes=size_bytes)
    if arrived.ended is not None:
        raise refusal("upload_expired")
    return arrived


async def _expected(call: Call, told: Mapping[str, str], method: str) -> tuple[UploadRow, Invited]:
    """The upload, still to come. The invitation is the right to bring it, whoever shows it."""
    key = call.request.match_info["key"]
    invited = call.shelf.invited(key, told, method=method)
    if invited is None:
        raise problems.not_found("Nobody was invited to bring this; ask for an upload with POST /upload.")
    if invited.expired:
        raise Rejected.because("link_expired", "The invitation has expired; ask for a new upload with POST /upload.")
    upload_id = id_of(key)
    row = await call.parts.store.upload(None, upload_id) if upload_id else None
    if row is None:
        raise problems.not_found("There is no such upload any more.")
    row = await call.parts.arrivals.look(row)
    if row.ended is not None:
        raise refusal("upload_expired")
    if row.state is UploadState.UPLOADED:
        raise refusal("upload_exists")
    return row, invited


def _check_headers(request: web.Request, invited: Invited, *, most_bytes: int) -> None:
    """Refuse by the headers what the bytes would be refused for."""
    require_unpacked(request)
    if request.headers.get("Content-Type", "").lower() != invited.content_type.lower():
        message = f"Send `Content-Type: {invited.content_type}`, as the file was announced."
        raise Rejected.because("unsupported_media_type", message)
    if request.content_length is not None:
        _check_size(request.content_length, invited, most_bytes=most_bytes)


def require_unpacked(request: web.Request) -> None:
    """Raises errors.Rejected: `content_encoding_not_allowed`."""
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise Rejected.because("content_encoding_not_allowed", "The file must come as it is, uncompressed.")


def _check_size(size_bytes: int, invited: Invited, *, most_bytes: int) -> None:
    if size_bytes > most_bytes:
        raise too_large(most_bytes)
    if size_bytes == 0:
        raise Rejected.because("upload_incomplete", "The file is empty.")
    if size_bytes < (invited.size_bytes or 0):
        message = f"{size_bytes} bytes came of {invited.size_bytes}; send the whole file."
        raise Rejected.because("upload_incomplete", message)


async def _received(
    call: Call, row: UploadRow, invited: Invited, chunks: AsyncIterator[bytes], *, told_bytes: int
) -> int:
    """Put what comes under the upload's key; how many bytes it has."""
    size_bytes, most_bytes = 0, invited.size_bytes or call.parts.limits.upload_bytes
    try:
        async with call.shelf.receive(row.key, size_bytes=told_bytes) as arrival:
            async for chunk in chunks:
                size_bytes += len(chunk)
                if size_bytes > most_bytes:
                    raise too_large(most_bytes)
                await arrival.write(chunk)
            _check_size(size_bytes, invited, most_bytes=most_bytes)
            if not await arrival.stand():
                raise refusal("upload_exists")
    except errors.Resource:
        raise refusal("storage_full") from None
    return size_bytes


def too_large(most_bytes: int) -> Rejected:
    """Of a file of which no more is taken."""
    message = f"This invitation takes at most {most_bytes} bytes. {CATALOGUE['upload_too_large'].to_do}"
    return Rejected.because("upload_too_large", message)


def refusal(code: str) -> Rejected:
    """What the catalogue says of it."""
    return Rejected.because(code, CATALOGUE[code].to_do)
