"""A file that is brought from a page: in pieces by its script, or whole by the browser's own form.

Both go through us, into a folder or a bucket alike: a page may talk to nobody else, and the API takes no cookies.
"""

from __future__ import annotations

import asyncio
import re
from urllib.parse import quote
from uuid import UUID

from aiohttp import StreamReader, web

from encoder.api import tus
from encoder.api.announce import announced
from encoder.api.body import receive
from encoder.api.inflow import IDLE_S, Reads
from encoder.api.operations import answer
from encoder.api.pieces import take
from encoder.dashboard.page import Page, Visit
from encoder.errors import Rejected
from encoder.model.base import Json, Record
from encoder.model.key import Scope
from encoder.store.kept import UploadRow

FOLDER = "/ui/uploads"
MOST_HEAD_BYTES = 16 * 1024  # of the part that holds the file
_FILE_NAME = re.compile(rb'filename="((?:\\"|[^"\r\n])*)"', re.IGNORECASE)
_ESCAPED = {b"%22": b'"', b"%0D": b"", b"%0A": b"", b'\\"': b'"'}  # as HTML says that browsers do, and as others do
_TOKEN = f"{FOLDER}/{{token}}"


class BroughtAnswer(Record):
    """`address`: where the pieces go, by tus 1.0."""

    file_id: UUID
    address: str


async def announce(visit: Visit) -> web.Response:
    """POST /ui/uploads: an upload in pieces, of `file_name` and `size_bytes`."""
    told = await receive(visit.request)
    named = told if isinstance(told, dict) else {}
    row = await _announced(visit, named.get("file_name"), named.get("size_bytes"))
    token = visit.call.parts.passes.address(row.id).rpartition("/")[2]
    return answer(BroughtAnswer(file_id=row.id, address=f"{FOLDER}/{token}"), status=201)


async def offset(visit: Visit) -> web.Response:
    """HEAD /ui/uploads/{token}."""
    return await tus.head(visit.call)


async def piece(visit: Visit) -> web.Response:
    """PATCH /ui/uploads/{token}."""
    return await tus.patch(visit.call)


async def stop(visit: Visit) -> web.Response:
    """DELETE /ui/uploads/{token}."""
    return await tus.delete(visit.call)


async def whole(visit: Visit) -> web.Response:
    """POST /ui/uploads/form: a form whose only field is the file. How large that is, follows from how it is wrapped."""
    request = visit.request
    boundary = _boundary(request)
    head = await _head(request.content, boundary)
    size_bytes = (request.content_length or 0) - len(head) - len(_end(boundary))
    if size_bytes < 1:
        raise Rejected.because("upload_incomplete", "No file was chosen, or it is empty.", path="/source/fileId")
    row = await _announced(visit, _name_in(head), size_bytes)
    await take(visit.call, row, _file(request.content, size_bytes, boundary), offset_bytes=0)
    cloned = request.query.get("from", "")
    beside = f"&from={quote(cloned, safe='')}" if cloned else ""
    return await visit.back("The file is here.", to=f"/ui/jobs/new?upload={row.id}{beside}")


async def _announced(visit: Visit, name: Json, size_bytes: Json) -> UploadRow:
    body: Json = {"file_name": name, "size_bytes": size_bytes, "protocol": "tus", "outputs": []}
    return await announced(visit.call, body)


def _boundary(request: web.Request) -> bytes:
    if request.content_type != "multipart/form-data" or request.content_length is None:
        raise Rejected.because("unsupported_media_type", "Send the form as `multipart/form-data`, and tell its length.")
    found = re.search(r'boundary="?([!-~]{1,70}?)"?(?:;|$)', request.headers.get("Content-Type", ""))
    if found is None:
        raise Rejected.because("invalid_header", "`Content-Type` must name the boundary of the form.")
    return found[1].encode()


async def _head(content: StreamReader, boundary: bytes) -> bytes:
    """All that stands before the file itself."""
    try:
        async with asyncio.timeout(IDLE_S):
            head = await content.readuntil(b"\r\n\r\n")
    except (ValueError, TimeoutError):
        head = b""
    if not head.startswith(b"--" + boundary + b"\r\n") or len(head) > MOST_HEAD_BYTES or b'name="file"' not in head:
        raise _other()
    return head


def _name_in(head: bytes) -> str:
    found = _FILE_NAME.search(head)
    name = found[1] if found else b""
    for escaped, meant in _ESCAPED.items():
        name = name.replace(escaped, meant)
    return name.decode(errors="replace")


def _file(content: StreamReader, count: int, boundary: bytes) -> Reads:
    """So many bytes, the last of them only when the form is seen to end behind them, as it was reckoned.

    It raises errors.Rejected where something else stands in the form: it would be taken for a part of the file.
    """
    begins, left, before = _delimiter(boundary), count, b""

    async def read() -> bytes:
        nonlocal left, before
        if not left:
            return b""
        came = await content.readany()
        chunk, behind = came[:left], came[left:]
        left -= len(chunk)
        if begins in before + chunk or (not left and behind + await content.read() != _end(boundary)):
            raise _other()
        before = (before + chunk)[1 - len(begins) :]
        return chunk

    return read


def _delimiter(boundary: bytes) -> bytes:
    """What stands before each part of a form but the first."""
    return b"\r\n--" + boundary


def _end(boundary: bytes) -> bytes:
    return _delimiter(boundary) + b"--\r\n"


def _other() -> Rejected:
    return Rejected.because("upload_incomplete", "The form must hold a file, `file`, and nothing else.")


PAGES = (
    Page(method="POST", path=FOLDER, handler=announce, scope=Scope.WRITE, fragment=True),
    Page(method="POST", path=f"{FOLDER}/form", handler=whole, scope=Scope.WRITE, query=None),
    Page(method="HEAD", path=_TOKEN, handler=offset, scope=Scope.WRITE, fragment=True),
    Page(method="PATCH", path=_TOKEN, handler=piece, scope=Scope.WRITE, fragment=True),
    Page(method="DELETE", path=_TOKEN, handler=stop, scope=Scope.WRITE, fragment=True),
)
