"""Serves the platform's own storage to those who hold a signed link."""

from __future__ import annotations

import asyncio
import mimetypes
import os
import re
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote
from uuid import UUID

from aiohttp import web

from encoder.api import problems
from encoder.api.operations import Call
from encoder.errors import CATALOGUE, Rejected, StoreUnavailable
from encoder.model.content import OTHER_CONTENT_TYPE, content_type
from encoder.storage.folder import Linked

CHUNK_BYTES = 256 * 1024

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


async def download(call: Call) -> web.StreamResponse:
    """GET and HEAD /storage/{key}: the file, in ranges if asked; always as an attachment, never as a page of ours."""
    key = call.request.match_info["key"]
    linked = await asyncio.to_thread(call.shelf.linked, key, call.request.query)
    await _require_kept(call, linked, key)
    name = quote(call.request.query["name"], safe="")
    return await _served(
        call,
        linked,
        {
            "Content-Disposition": f"attachment; filename*=UTF-8''{name}",
            "Content-Type": mimetypes.guess_type(key)[0] or OTHER_CONTENT_TYPE,
        },
    )


async def shared(call: Call) -> web.StreamResponse:
    """GET and HEAD /folders/{token}/{key}: a file below a linked folder, in ranges if asked, for players anywhere.

    They fetch from pages of any origin: the address is what lets them in, and nothing else that a browser has.
    """
    key = call.request.match_info["key"]
    linked = await asyncio.to_thread(call.shelf.shared, call.request.match_info["token"], key)
    await _require_kept(call, linked, key)
    return await _served(
        call,
        linked,
        {
            "Content-Type": content_type(key),
            "Access-Control-Allow-Origin": "*",
            "Access-Control-Expose-Headers": "Content-Range",
        },
    )


async def _require_kept(call: Call, linked: Linked | None, key: str) -> None:
    """A job's time may be over before its link's is. While the database is away, links hold what they say.

    Raises:
        errors.Rejected: `job_expired`.
    """
    under, _, rest = key.partition("/")
    job, _, _ = rest.partition("/")
    if linked is None or under != "jobs" or not _UUID.fullmatch(job):
        return
    with suppress(StoreUnavailable):
        if await call.parts.store.is_purging(UUID(job)):
            raise _refusal("job_expired")


async def _served(call: Call, linked: Linked | None, headers: dict[str, str]) -> web.FileResponse:
    """Raises errors.Rejected: `not_found`, `link_expired`, `precondition_failed`, `range_not_satisfiable`."""
    if linked is None:
        raise _nothing()
    if linked.expired:
        raise _refusal("link_expired")
    await _check_wishes(call.request, linked.path)
    # whoever holds the link may play it
    headers = {**headers, "Cross-Origin-Resource-Policy": "cross-origin"}
    return web.FileResponse(linked.path, chunk_size=CHUNK_BYTES, headers=headers)


async def _check_wishes(request: web.Request, path: Path) -> None:
    """Refuse in our own form what `FileResponse` would refuse without a body. With If-Range, the range is a wish."""
    try:
        there = await asyncio.to_thread(path.stat)
    except FileNotFoundError:
        raise _nothing() from None
    if _is_another(request, there):
        raise _refusal("precondition_failed")
    if "Range" not in request.headers or "If-Range" in request.headers:
        return
    try:
        wanted = request.http_range
    except ValueError:
        raise _refusal("range_not_satisfiable") from None
    if (wanted.start or 0) >= there.st_size:
        raise _refusal("range_not_satisfiable")


def _is_another(request: web.Request, there: os.stat_result) -> bool:
    """Whether the caller wants only a file of another version (RFC 9110, 13.1). The tag is that of `FileResponse`."""
    if request.if_match is not None:
        tag = f"{there.st_mtime_ns:x}-{there.st_size:x}"
        return not any(wanted.value in ("*", tag) and not wanted.is_weak for wanted in request.if_match)
    since = request.if_unmodified_since
    return since is not None and there.st_mtime > since.timestamp()


def _nothing() -> Rejected:
    return problems.not_found("No link leads here, or what it led to is gone.")


def _refusal(code: str) -> Rejected:
    return Rejected.because(code, CATALOGUE[code].to_do)
