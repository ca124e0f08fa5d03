"""Serves the platform's own storage to those who hold a signed link."""

from __future__ import annotations

import asyncio
import mimetypes
from pathlib import Path
from urllib.parse import quote

from aiohttp import web

from encoder.api import problems
from encoder.api.operations import Call
from encoder.errors import CATALOGUE, Rejected

CHUNK_BYTES = 256 * 1024


async def download(call: Call) -> web.StreamResponse:
    """GET and HEAD /storage/{key}: the file, in ranges if asked; always as an attachment, never as a page of ours."""
    key = call.request.match_info["key"]
    path = await _linked(call, key)
    await _check_range(call.request, path)
    name = quote(call.request.query["name"], safe="")
    return web.FileResponse(
        path,
        chunk_size=CHUNK_BYTES,
        headers={
            "Content-Disposition": f"attachment; filename*=UTF-8''{name}",
            "Content-Type": mimetypes.guess_type(path.name)[0] or "application/octet-stream",
            "Cross-Origin-Resource-Policy": "cross-origin",  # whoever holds the link may play it
        },
    )


async def _linked(call: Call, key: str) -> Path:
    """The file that a link leads to. Raises errors.Rejected: `not_found`, `link_expired`."""
    linked = await asyncio.to_thread(call.shelf.linked, key, call.request.query)
    if linked is None:
        raise problems.not_found("No link leads here, or what it led to is gone.")
    if linked.expired:
        raise Rejected.because("link_expired", CATALOGUE["link_expired"].to_do)
    return linked.path


async def _check_range(request: web.Request, path: Path) -> None:
    """Refuse in our own form what `FileResponse` would refuse without a body. With If-Range, the range is a wish."""
    if "Range" not in request.headers or "If-Range" in request.headers:
        return
    size = (await asyncio.to_thread(path.stat)).st_size
    try:
        wanted = request.http_range
    except ValueError:
        raise _no_such_range() from None
    if (wanted.start or 0) >= size:
        raise _no_such_range()


def _no_such_range() -> Rejected:
    return Rejected.because("range_not_satisfiable", CATALOGUE["range_not_satisfiable"].to_do)
