"""Media of the platform's storage from our own origin: in ranges, for who may see the job, and never as a page of ours.

So pages need no foreign hosts in their policy, and private packages play without a signature in each address.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import quote

from aiohttp import hdrs, web

from encoder.api import evidence, jobs, problems
from encoder.api.links import require_kept
from encoder.dashboard.page import Page, Visit
from encoder.errors import CATALOGUE, Rejected
from encoder.model.content import content_type
from encoder.queue.enqueue import upload_of
from encoder.sources.upload import key_of as upload_key
from encoder.store.rows import JobRow, OutputRow

STORED = "storage:"
# what browsers show without running anything of it; all else is brought as a file
SHOWN = {
    ".mp4": "video/mp4", ".m4v": "video/mp4", ".mov": "video/quicktime", ".webm": "video/webm",
    ".m4a": "audio/mp4", ".mp3": "audio/mpeg", ".aac": "audio/aac", ".ogg": "audio/ogg", ".oga": "audio/ogg",
    ".opus": "audio/ogg", ".flac": "audio/flac", ".wav": "audio/wav",
    ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".png": "image/png", ".webp": "image/webp", ".gif": "image/gif",
}  # fmt: skip
_ALONE = {"Content-Security-Policy": "sandbox; default-src 'none'", "Cross-Origin-Resource-Policy": "same-origin"}


async def output(visit: Visit) -> web.StreamResponse:
    """GET /ui/media/{id}/{outputId}/{path}: a file of an output, as it lies in the storage."""
    row = await jobs.find(visit.call)
    require_kept(row)
    made = jobs.output_of(visit.call, row)
    key = key_of(made, visit.request.match_info["path"])
    if key is None:
        raise problems.not_found("The storage has no such file of this output.")
    return await _sent(visit, key, name=key)


async def source(visit: Visit) -> web.StreamResponse:
    """GET /ui/media/{id}/source: what a job was made of, where that was brought to us."""
    row = await jobs.find(visit.call)
    require_kept(row)
    key = source_key(row)
    if key is None:
        raise problems.not_found("The source is not in the platform's storage.")
    return await _sent(visit, key, name=row.label)


async def still(visit: Visit) -> web.Response:
    """GET /ui/stills/{id}/{outputId}/{still}: as the API's."""
    return await evidence.still(visit.call)


def key_of(made: OutputRow, name: str) -> str | None:
    """Where the file `name` of an output lies; None: it has none of that name, or lies elsewhere."""
    delivered = made.delivered
    if delivered is None or not delivered.uri.startswith(STORED) or name not in delivered.files:
        return None
    key = delivered.uri.removeprefix(STORED)
    return f"{key}{name}" if key.endswith("/") else key


def source_key(row: JobRow) -> str | None:
    """Where the source of a job lies; None: it was not brought to us."""
    upload = upload_of(row.spec.source)
    return None if upload is None else upload_key(upload)


def shown_as(name: str) -> str | None:
    """The type as which a file is shown; None: as none."""
    return SHOWN.get(PurePosixPath(name).suffix.lower())


async def _sent(visit: Visit, key: str, *, name: str) -> web.StreamResponse:
    """The whole, or the one range that is asked for.

    Raises:
        errors.Rejected: `not_found`, `range_not_satisfiable`.
        errors.Transient: the storage cannot be read.
    """
    request, storage = visit.request, visit.call.parts.storage
    standing = await storage.look(key)
    if standing is None:
        raise problems.not_found("It is not there any more.")
    span = _span(request, standing.size_bytes)
    async with storage.read(key, first=span.first if span else 0, last=span.last if span else None) as part:
        if part is None:
            raise problems.not_found("It is not there any more.")
        response = web.StreamResponse(status=206 if span else 200, headers=_headers(name))
        response.content_length = span.count if span else part.size_bytes
        if span:
            response.headers[hdrs.CONTENT_RANGE] = f"bytes {span.first}-{span.last}/{part.size_bytes}"
        await response.prepare(request)
        async for chunk in part.chunks:
            await response.write(chunk)
        await response.write_eof()
        return response


@dataclass(frozen=True, slots=True, kw_only=True)
class _Span:
    """Bytes from `first` to `last`, that one too."""

    first: int
    last: int

    @property
    def count(self) -> int:
        return self.last - self.first + 1


def _span(request: web.Request, size_bytes: int) -> _Span | None:
    """What is asked of so many bytes; None: all, also where more than one range is asked for, or what is none.

    Raises:
        errors.Rejected: `range_not_satisfiable`.
    """
    try:
        asked = request.http_range
    except ValueError:
        return None
    if asked.start is None or hdrs.IF_RANGE in request.headers:  # we tell no version that a caller could name
        return None
    first = max(0, size_bytes + asked.start) if asked.start < 0 else asked.start
    if first >= size_bytes:
        raise Rejected.because("range_not_satisfiable", CATALOGUE["range_not_satisfiable"].to_do)
    last = size_bytes if asked.stop is None else min(asked.stop, size_bytes)
    return _Span(first=first, last=last - 1)


def _headers(name: str) -> dict[str, str]:
    """Of a file that is shown in a page, or else brought as a file: nobody's markup runs from our origin."""
    shown = shown_as(name)
    told = {hdrs.ACCEPT_RANGES: "bytes", **_ALONE, hdrs.CONTENT_TYPE: shown or content_type(name)}
    if shown is None:
        told[hdrs.CONTENT_DISPOSITION] = f"attachment; filename*=UTF-8''{quote(PurePosixPath(name).name, safe='')}"
    return told


PAGES = (
    Page(method="GET", path="/ui/media/{id}/source", handler=source, query=(), fragment=True),
    Page(method="GET", path="/ui/media/{id}/{outputId}/{path:.+}", handler=output, query=(), fragment=True),
    Page(method="GET", path="/ui/stills/{id}/{outputId}/{still}", handler=still, query=(), fragment=True),
)
