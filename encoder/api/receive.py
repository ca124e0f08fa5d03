"""Takes in what an invitation asks for, where the storage is a folder: streamed to the disk, whole or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from aiohttp import web

from encoder import errors
from encoder.api import problems, tell
from encoder.api.operations import Call, answer
from encoder.api.uploads import look
from encoder.errors import CATALOGUE, Rejected
from encoder.model.state import UploadState
from encoder.sources.upload import id_of
from encoder.storage.folder import Invited
from encoder.store.rows import UploadRow

IDLE_S = 30.0
WINDOW_S = 60.0
RATE_BYTES_S = 64 * 1024  # the least, over each window of waiting for the sender


async def put(call: Call) -> web.Response:
    """PUT /storage/{key}: the file, by an invitation of ours; once."""
    key = call.request.match_info["key"]
    invited = _invited(call, key)
    row = await _expected(call, key)
    most_bytes = invited.size_bytes or call.parts.limits.upload_bytes
    _check_headers(call.request, invited, most_bytes=most_bytes)
    try:
        size_bytes = await _received(call, key, invited, most_bytes=most_bytes)
    except errors.Resource:
        raise _refusal("storage_full") from None
    arrived = await call.parts.store.upload_arrived(row.id, size_bytes=size_bytes)
    return answer(tell.upload(arrived or row, None))


def _invited(call: Call, key: str) -> Invited:
    invited = call.shelf.invited(key, call.request.query)
    if invited is None:
        raise problems.not_found("Nobody was invited to bring this; ask for an upload with POST /upload.")
    if invited.expired:
        raise Rejected.because("link_expired", "The invitation has expired; ask for a new upload with POST /upload.")
    return invited


async def _expected(call: Call, key: str) -> UploadRow:
    """The upload, still to come. The invitation is the right to bring it, whoever shows it."""
    upload_id = id_of(key)
    row = await call.parts.store.upload(None, upload_id) if upload_id else None
    if row is None:
        raise problems.not_found("There is no such upload any more.")
    if (await look(call.parts, row)).state is UploadState.UPLOADED:
        raise _refusal("upload_exists")
    return row


def _check_headers(request: web.Request, invited: Invited, *, most_bytes: int) -> None:
    """Refuse by the headers what the bytes would be refused for."""
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise Rejected.because("content_encoding_not_allowed", "The file must come as it is, uncompressed.")
    if request.headers.get("Content-Type", "").lower() != invited.content_type.lower():
        message = f"Send `Content-Type: {invited.content_type}`, as the file was announced."
        raise Rejected.because("unsupported_media_type", message)
    if request.content_length is not None:
        _check_size(request.content_length, invited, most_bytes=most_bytes)


def _check_size(size_bytes: int, invited: Invited, *, most_bytes: int) -> None:
    if size_bytes > most_bytes:
        raise _too_large(most_bytes)
    if size_bytes == 0:
        raise Rejected.because("upload_incomplete", "The file is empty.")
    if size_bytes < (invited.size_bytes or 0):
        message = f"{size_bytes} bytes came of {invited.size_bytes}; send the whole file."
        raise Rejected.because("upload_incomplete", message)


async def _received(call: Call, key: str, invited: Invited, *, most_bytes: int) -> int:
    """Put the body under `key`; how many bytes it has."""
    size_bytes, told_bytes = 0, invited.size_bytes or call.request.content_length or 0
    async with call.shelf.receive(key, size_bytes=told_bytes) as arrival:
        async for chunk in _chunks(call.request):
            size_bytes += len(chunk)
            if size_bytes > most_bytes:
                raise _too_large(most_bytes)
            await arrival.write(chunk)
        _check_size(size_bytes, invited, most_bytes=most_bytes)
        if not await arrival.stand():
            raise _refusal("upload_exists")
    return size_bytes


async def _chunks(request: web.Request) -> AsyncIterator[bytes]:
    """The body as it comes. A sender who trickles is as good as silent; what our own disk takes is not counted."""
    clock = asyncio.get_running_loop().time
    got, waited_s = 0, 0.0
    while True:
        began = clock()
        chunk = await _next(request)
        if not chunk:
            return
        got, waited_s = got + len(chunk), waited_s + clock() - began
        if waited_s >= WINDOW_S:
            if got < RATE_BYTES_S * waited_s:
                raise Rejected.because("request_timeout", f"The file comes at less than {RATE_BYTES_S} bytes/s.")
            got, waited_s = 0, 0.0
        yield chunk


async def _next(request: web.Request) -> bytes:
    """What has come; empty at the end of the body."""
    try:
        async with asyncio.timeout(IDLE_S):
            return await request.content.readany()
    except TimeoutError:
        raise Rejected.because("request_timeout", f"Nothing came for {IDLE_S:.0f} s.") from None
    except web.RequestPayloadError:
        raise Rejected.because("upload_incomplete", "The body breaks the rules of its encoding.") from None


def _too_large(most_bytes: int) -> Rejected:
    message = f"This invitation takes at most {most_bytes} bytes. {CATALOGUE['upload_too_large'].to_do}"
    return Rejected.because("upload_too_large", message)


def _refusal(code: str) -> Rejected:
    return Rejected.because(code, CATALOGUE[code].to_do)
