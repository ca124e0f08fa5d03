"""Reads from a web server, and goes on in the middle of a file where the server proves it to be the same."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from email.message import Message

from aiohttp import ClientResponse

from encoder import errors
from encoder.errors import Fault, in_order
from encoder.model.base import Record
from encoder.net import headers
from encoder.net.guard import Url, check_url
from encoder.net.http import Ask, retry_after_s
from encoder.plugins import Kind, Surroundings
from encoder.sources.protocol import Incoming, Source

_CHUNK_BYTES = 1024 * 1024
_WHOLE = frozenset({200, 203})
_PARTIAL = 206
_NO_SUCH_RANGE = 416
_FOR_A_WHILE = frozenset({408, 425, 429})
_CODES = dict.fromkeys((401, 403, 407), "source_auth_failed") | {404: "source_not_found", 410: "source_gone"}
_CONTENT_RANGE = re.compile(r"bytes (?P<first>[0-9]{1,18})-[0-9]{1,18}/(?P<size>[0-9]{1,18}|\*)")


class Members(Record):
    url: str
    headers: dict[str, str] = {}


def check(members: Members, surroundings: Surroundings) -> Iterator[Fault]:
    url = check_url(members.url, surroundings.web.policy)
    if isinstance(url, Fault):
        yield Fault(path="/url", code=url.code, message=url.message)
    yield from headers.faults(members.headers)


class HttpSource:
    def __init__(self, members: Members, surroundings: Surroundings) -> None:
        self._url = in_order(check_url(members.url, surroundings.web.policy))
        self._headers = members.headers
        self._web = surroundings.web

    @asynccontextmanager
    async def open(self, *, offset: int = 0, validator: str | None = None) -> AsyncIterator[Incoming]:
        wanted = offset if validator else 0
        async with self._ask(wanted, validator) as response:
            if wanted == 0 or _goes_on(response, wanted, validator):
                yield _incoming(response, wanted, self._url)
                return
            if response.status in _WHOLE:
                yield _incoming(response, 0, self._url)
                return
        # the answer is a part that we did not ask for, or of another file: it is never spliced
        async with self._ask(0, None) as response:
            yield _incoming(response, 0, self._url)

    @asynccontextmanager
    async def _ask(self, offset: int, validator: str | None) -> AsyncIterator[ClientResponse]:
        own = {"Range": f"bytes={offset}-", "If-Range": validator} if offset and validator else {}
        ask = Ask(method="GET", url=self._url, headers=self._headers, own=own)
        async with self._web.ask(ask, away="source_unavailable") as response:
            if not (offset and response.status == _NO_SUCH_RANGE):
                _raise_for(response)
            yield response


def _raise_for(response: ClientResponse) -> None:
    """What a status means for the job. Raises errors.Permanent or errors.Transient for all but a body."""
    status = response.status
    if status in _WHOLE or status == _PARTIAL:
        return
    message = f"The source answered {status}."
    if status in _FOR_A_WHILE or not 400 <= status < 500:  # noqa: PLR2004  # the client's fault, says HTTP
        raise errors.Transient("source_unavailable", message, retry_after_s=retry_after_s(response.headers))
    raise errors.Permanent(_CODES.get(status, "source_refused"), message)


def _goes_on(response: ClientResponse, offset: int, validator: str | None) -> bool:
    if response.status != _PARTIAL:
        return False
    first = _content_range(response)[0]
    return first == offset and _validator(response) == validator


def _incoming(response: ClientResponse, offset: int, url: Url) -> Incoming:
    if offset == 0 and response.status == _PARTIAL and _content_range(response)[0] != 0:
        raise errors.Transient("source_unavailable", "The source sent a part of the file when asked for all of it.")
    packed = response.headers.get("Content-Encoding", "identity").lower() != "identity"
    return Incoming(
        offset=offset,
        size_bytes=None if packed else _size(response),
        validator=None if packed else _validator(response),
        file_name=_file_name(response, url),
        chunks=response.content.iter_chunked(_CHUNK_BYTES),
    )


def _content_range(response: ClientResponse) -> tuple[int | None, int | None]:
    """First byte and whole size, as far as they are told."""
    told = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
    if told is None:
        return None, None
    return int(told["first"]), None if told["size"] == "*" else int(told["size"])


def _size(response: ClientResponse) -> int | None:
    return _content_range(response)[1] if response.status == _PARTIAL else response.content_length


def _validator(response: ClientResponse) -> str | None:
    """The strong ETag; a weak one does not promise the same bytes (RFC 9110, 8.8.1)."""
    etag = response.headers.get("ETag", "")
    return etag if etag.startswith('"') else None


def _file_name(response: ClientResponse, url: Url) -> str | None:
    said = Message()  # aiohttp's reader warns of what is malformed, on standard error, for each request
    said["Content-Disposition"] = response.headers.get("Content-Disposition", "")
    try:
        given = said.get_filename() or ""
    except (TypeError, ValueError):  # parts without numbers or with endless ones, an encoding that writes no text
        given = ""
    return given.encode(errors="replace").decode() or headers.last_part(url.target) or None


KIND: Kind[Members, Source] = Kind(members=Members, make=HttpSource, check=check)
